"""Judging: checks that turn facts into findings, the contract they judge by, and the report."""
