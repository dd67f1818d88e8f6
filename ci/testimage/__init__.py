"""The project's own offline test image for cibuildwheel; see ci/image.py."""
