"""The report as one HTML file without network or scripts, light and dark, for screens and for paper."""

from wheelkit.verification.report.html.page import to_html

__all__ = ["to_html"]
