"""The shape of a JSON document: its keys, types and nesting, and the values of its enumerations."""

from __future__ import annotations

# Keys whose values are words of a fixed list, which programs compare with.
ENUMERATIONS = frozenset(
    ("arch", "builder", "coverage", "cover", "fail_on", "how", "kind", "severity", "state", "system")
)


def shape(value: object, key: str = "") -> object:
    """Return what programs rely on: versions, times, paths and texts are masked, and equal items are one."""
    if isinstance(value, dict):
        return {name: shape(item, name) for name, item in value.items()}
    if isinstance(value, list):
        shapes = [shape(item, key) for item in value]
        return [item for number, item in enumerate(shapes) if item not in shapes[:number]]
    if isinstance(value, str):
        return f"={value}" if key in ENUMERATIONS else "text"
    names = {bool: "true or false", int: "integer", float: "number", type(None): "null"}
    return f"={value}" if key == "schema" else names[type(value)]
