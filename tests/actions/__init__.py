"""Run generated GitHub workflows on this machine; anything that they are not known to use is an error."""
