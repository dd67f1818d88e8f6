"""The build cache: the same sources, tools and target are not built twice."""
