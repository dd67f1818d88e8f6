"""The versions of a family and the ranges between siblings: where they are stated, checks, and changes."""
