"""Facts about binaries as other parsers read them, named like the fields of `wheelkit._core.Slice`."""
