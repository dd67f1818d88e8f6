"""Builders: from a plan to verified files in the dist folder."""
