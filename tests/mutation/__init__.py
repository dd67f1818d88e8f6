"""Mutation testing: small changes of the product, each of which a test should notice (``ci/mutate.py``)."""
