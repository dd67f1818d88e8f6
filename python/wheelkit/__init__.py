"""The release toolkit for Python projects with a native core."""

__all__ = [
    "Contract",
    "Finding",
    "Report",
    "ScanError",
    "Severity",
    "Wheel",
    "__version__",
    "read",
    "scan",
    "verify",
]

# The module of each public name, imported on first use: ``import wheelkit`` stays fast, and so does the way
# to the command's first line, before which an interrupt ends in a traceback. __init__.pyi declares the types.
_HOMES = {
    "Contract": "wheelkit.verification.contract",
    "Finding": "wheelkit.verification.model",
    "Report": "wheelkit.verification.model",
    "ScanError": "wheelkit._core",
    "Severity": "wheelkit.verification.model",
    "Wheel": "wheelkit.wheel",
    "__version__": "wheelkit._version",
    "read": "wheelkit.wheel",
    "scan": "wheelkit._core",
    "verify": "wheelkit.verification.run",
}


def __getattr__(name: str) -> object:
    """Import a public name."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted(__all__)
