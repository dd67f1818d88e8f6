"""A project as it declares itself: metadata, requirements, kind and family."""
