"""Whether the code that takes part in a build compiles something: setup.py, setup.cfg, and build scripts.

Nothing is run. The words of the code are compared, not those of its comments and texts.
"""

from __future__ import annotations

import ast
import re
from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.project.setup_files import parse_module

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.project.files import ProjectFiles


class Evidence(IntEnum):
    """How certain the code makes it that its wheels hold native code."""

    NONE = 0
    POSSIBLE = 1  # it may compile, as far as its words show
    CERTAIN = 2


# Arguments of setup() that add native code, and methods and attributes that make a wheel one for a platform
# (setuptools' Distribution and bdist_wheel, numpy.distutils, cffi, setuptools-rust, milksnake, scikit-build).
_SETTINGS = frozenset({
    "ext_modules", "libraries", "cffi_modules", "rust_extensions", "milksnake_tasks", "cmake_source_dir",
    "cmake_extensions", "build_golang", "build_zig",
})  # fmt: skip
_DEFINED = frozenset({"has_ext_modules", "has_c_libraries", "root_is_pure"})
_CALLED = frozenset({"cythonize", "mypycify", "add_extension", "intree_extensions", "CMakeExtension"})
# Packages whose setup() always builds native code.
_NATIVE_SETUP = frozenset({"skbuild"})
# What setup.py can use without compiling.
_PLAIN_MODULES = frozenset({
    "__future__", "ast", "codecs", "datetime", "distutils", "glob", "io", "json", "os", "pathlib", "re",
    "setuptools", "sys", "tomllib", "typing", "versioneer", "warnings", "configparser", "email",
})  # fmt: skip
_COMPILING_NAMES = frozenset({
    "cmdclass", "build_ext", "build_clib", "subprocess", "exec", "execfile", "runpy", "import_module",
    "is_pure", "__import__", "system",
})  # fmt: skip
_EMPTY_VALUES = (None, False)
_CFG_SETTING = re.compile(r"^(?:ext_modules|cffi_modules|rust_extensions)[ \t]*[=:]\s*\S", re.MULTILINE)
# For code that this Python cannot parse.
_NATIVE_TEXT = re.compile(
    r"\w*Extension\s*\(|\b(?:ext_modules|cffi_modules|rust_extensions|cythonize|mypycify|has_ext_modules)\b"
)
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<package>[\w.]+)[ \t]+import[ \t]*\(?(?P<names>[\w, \t]+)|"
    r"import[ \t]+(?P<modules>[\w., \t]+))",
    re.MULTILINE,
)
# Versions from git; its code mentions all commands of setuptools.
_NO_HELPERS = frozenset({"versioneer", "setuptools", "distutils"})


def setup_evidence(files: ProjectFiles) -> Evidence:
    """Return the evidence of setup.py, the modules of the project that it imports, and setup.cfg."""
    if _CFG_SETTING.search(files.read("setup.cfg") or ""):
        return Evidence.CERTAIN
    setup = files.read("setup.py")
    if setup is None:
        return Evidence.NONE
    return max(map(code_evidence, (setup, *_helper_modules(setup, files))))


def setup_is_native(files: ProjectFiles) -> bool:
    """Return whether setuptools is configured to build native code."""
    rust = files.table("tool", "setuptools-rust")
    configured = files.table("tool", "setuptools").get("ext-modules") or rust.get("ext-modules")
    return bool(configured or rust.get("bins")) or setup_evidence(files) is Evidence.CERTAIN


def code_evidence(text: str) -> Evidence:
    """Return the evidence of one module's code."""
    tree = parse_module(text)
    if tree is None:
        return Evidence.CERTAIN if _NATIVE_TEXT.search(text) else Evidence.POSSIBLE
    return _Words.of(tree).evidence


def mentions(text: str | None, names: Iterable[str]) -> bool:
    """Return whether code uses one of the names: as a name, an attribute, an argument or a key."""
    tree = parse_module(text or "")
    if tree is None:
        return any(name in (text or "") for name in names)
    words = _Words.of(tree)
    return not set(names).isdisjoint(words.names | words.settings | words.defined)


def _helper_modules(setup: str, files: ProjectFiles) -> Iterator[str]:
    """Yield the texts of the project's own modules that setup.py imports."""
    for name in dict.fromkeys(_imported(setup)):
        if name.partition(".")[0] in _NO_HELPERS:
            continue
        path = name.replace(".", "/")
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if (text := files.read(file)) is not None:
                yield text


def _imported(text: str) -> Iterator[str]:
    for match in _IMPORT.finditer(text):
        if package := match["package"]:
            yield package
            yield from (f"{package}.{name}" for name in _import_names(match["names"]))
        else:
            yield from _import_names(match["modules"])


def _import_names(text: str) -> Iterator[str]:
    return (words[0] for part in text.split(",") if (words := part.split()))


class _Words(Struct, frozen=True, kw_only=True):
    """The words of a module: arguments and keys with a value, names, definitions, calls and imports."""

    settings: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, tree: ast.Module) -> _Words:
        words = cls()
        for node in ast.walk(tree):
            words.add(node)
        return words

    @property
    def evidence(self) -> Evidence:
        if (
            not _SETTINGS.isdisjoint(self.settings)
            or not _DEFINED.isdisjoint(self.defined)
            or not _CALLED.isdisjoint(self.called)
            or not _NATIVE_SETUP.isdisjoint(self.modules)
            or any(name.endswith("Extension") for name in self.called)
        ):
            return Evidence.CERTAIN
        plain = self.modules <= _PLAIN_MODULES and _COMPILING_NAMES.isdisjoint(self.names | self.settings)
        return Evidence.NONE if plain else Evidence.POSSIBLE

    def add(self, node: ast.AST) -> None:
        """Add the words of one node of the syntax tree."""
        if isinstance(node, ast.Import):
            self.modules.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            self.modules.add((node.module or "").partition(".")[0])
            self.names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef):
            self.defined.add(node.name)
        elif isinstance(node, ast.Name | ast.Attribute):
            self.names.add(_name(node))
        else:
            self._add_values(node)

    def _add_values(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            self.called.add(_name(node.func))
            for keyword in node.keywords:
                self._set(keyword.arg, keyword.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                self._set(_text(key), value)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, node.value)

    def _set(self, name: str | None, value: ast.expr) -> None:
        """Add an argument or a key, unless its value is an empty literal."""
        if name and not _is_empty(value):
            self.settings.add(name)
            if name in _DEFINED:
                self.defined.add(name)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Subscript):
            self._set(_text(target.slice), value)
        elif isinstance(target, ast.Attribute):
            if _defines_native(target.attr, value):
                self.defined.add(target.attr)
            elif target.attr in _SETTINGS:
                self._set(target.attr, value)


def _defines_native(name: str, value: ast.expr) -> bool:
    """Return whether an assignment makes a wheel one for a platform: ``self.root_is_pure = False``."""
    if isinstance(value, ast.Constant):
        return name == "root_is_pure" and value.value is False
    return name in _DEFINED - {"root_is_pure"}


def _is_empty(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return value.value in _EMPTY_VALUES
    return isinstance(value, ast.List | ast.Tuple) and not value.elts


def _name(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
