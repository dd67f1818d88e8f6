"""Builders: from the plan to proven wheels in the dist folder."""
