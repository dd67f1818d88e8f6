"""Where the versions of a family stand, whether they and the ranges between siblings agree, and how both are changed together."""
