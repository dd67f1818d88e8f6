"""The configuration: ``[tool.wheelkit]`` in pyproject.toml, or the same keys in wheelkit.toml."""

from wheelkit.config.load import load, load_file, parse
from wheelkit.config.model import (
    CiConfig,
    ComponentConfig,
    Config,
    DistributionConfig,
    IndexConfig,
    MatrixConfig,
    MatrixOverride,
    Provider,
    PublishConfig,
)
from wheelkit.config.problems import Problems, dotted
from wheelkit.fast_packaging import normalise

__all__ = [
    "CiConfig",
    "ComponentConfig",
    "Config",
    "DistributionConfig",
    "IndexConfig",
    "MatrixConfig",
    "MatrixOverride",
    "Problems",
    "Provider",
    "PublishConfig",
    "dotted",
    "load",
    "load_file",
    "normalise",
    "parse",
]
