"""Renderers of a Report: text for a terminal, JSON, Markdown, and annotations of GitHub Actions."""
