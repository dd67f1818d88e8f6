"""Install the family from its built files in fresh environments, and run what its users would run."""
