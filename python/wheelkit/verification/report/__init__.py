"""The report of a verification: its model, and how it becomes text and JSON."""
