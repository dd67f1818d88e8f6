"""Text between stars."""

__version__ = "0.1.0"


def lit(text: str) -> str:
    """Put a text between stars."""
    return f"*{text}*"
