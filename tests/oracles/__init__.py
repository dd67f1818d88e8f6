"""The facts that other people's parsers tell of a binary, by the names of the fields of `wheelkit._core.Slice`."""
