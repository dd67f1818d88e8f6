"""Which binaries of a wheel its code loads as soon as it is imported, and which only on demand."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.analysis.installed import installed_path
from wheelkit.wheel.library_names import plain_name
from wheelkit.wheel.sources import read_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wheelkit.wheel import Binary, Wheel

    _IsMention = Callable[[ast.AST, list[str]], bool]


# A failed import ends in one of these (CPython: Lib/importlib, Python/dynload_*.c; ctypes: OSError).
_FAILURES = frozenset({"ImportError", "ModuleNotFoundError", "OSError", "Exception", "BaseException"})
_CONSTRUCTORS = frozenset({"__init__", "__new__"})
_SHORTEST_STEM = 4
# How many calls and imports lie between a package and what loads a binary, at most.
_DEEPEST = 8


def loaded_on_demand(wheel: Wheel, members: Iterable[str]) -> frozenset[str]:
    """Return those of these binaries without which the wheel's packages can be imported.

    A binary is loaded on demand if the wheel's own code loads it, and only where it handles the failure, or
    in functions that it does not call while it is imported. So is a library that no binary of the wheel needs
    and no code names. An extension module that no code imports is for users, and programs are to be run: both
    are not. It reads the wheel's Python files, so it is for wheels with a problem.
    """
    wanted = set(members)
    asked = [binary for binary in wheel.binaries if binary.member in wanted]
    if not asked:
        return frozenset()
    code = _Code(wheel)
    # A library is loaded by what needs it as well, so these may be asked about too.
    users = [binary for binary in wheel.binaries if binary.extension or _is_program(binary)]
    roots = [binary for binary in dict.fromkeys((*users, *asked)) if not _on_demand(code, binary)]
    reached = _with_needed(wheel, roots)
    return frozenset(binary.member for binary in asked if binary.member not in reached)


def _on_demand(code: _Code, binary: Binary) -> bool:
    if _is_program(binary):
        return False
    if binary.extension:
        return code.meets(*_import_of(_module(binary.member))) is False
    stem = plain_name(binary.member).partition(".so")[0].removesuffix(".dylib").removeprefix("lib")
    return len(stem) >= _SHORTEST_STEM and not code.meets(stem, lambda node, _: _names(node, stem))


def _is_program(binary: Binary) -> bool:
    return any(slice_.kind == "executable" for slice_ in binary.slices)


def _module(member: str) -> str:
    """Return the name of the module in a file: that of its package for ``__init__.py``."""
    *folders, file = installed_path(member).split("/")
    stem = file.partition(".")[0]
    return ".".join(folders if stem == "__init__" else [*folders, stem])


def _with_needed(wheel: Wheel, roots: Iterable[Binary]) -> set[str]:
    """Return the members of these binaries and of all that they need of the wheel, directly or not."""
    by_name: dict[str, list[Binary]] = {}
    for binary in wheel.binaries:
        for name in {binary.name, *(slice_.name or "" for slice_ in binary.slices)}:
            by_name.setdefault(name.rpartition("/")[2], []).append(binary)
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        binary = waiting.pop()
        if binary.member not in reached:
            reached.add(binary.member)
            needed = {library.name for slice_ in binary.slices for library in slice_.needed}
            waiting += [user for name in needed for user in by_name.get(name.rpartition("/")[2], ())]
    return reached


class _Place(Struct, frozen=True, kw_only=True):
    """Where code stands: in a function (empty: in the module), under a condition, with a fallback."""

    module: str
    function: str = ""
    conditional: bool = False
    handled: bool = False


class _Code:
    """The Python files of a wheel, each parsed when it is asked about."""

    def __init__(self, wheel: Wheel) -> None:
        self._texts = dict(read_sources(wheel, [""]))
        self._walked: dict[str, tuple[tuple[ast.AST, _Place], ...]] = {}

    def meets(self, word: str, is_mention: _IsMention) -> bool | None:
        """Return whether importing the packages comes by a mention; None if there is no mention at all.

        ``is_mention`` is asked for each node of the files that contain the word, with the file's package.
        From a function it goes on to its calls, and from a module to what imports that.
        """
        places = list(self._places(word, is_mention))
        if not places:
            return None
        known: set[tuple[str, bool]] = set()
        for _ in range(_DEEPEST):
            # Where one branch handles the failure, the others are for those who ask for the binary.
            fallback = any(place.handled for place in places)
            unhandled = [one for one in places if not (one.handled or (fallback and one.conditional))]
            causes = {(one.function or one.module, not one.function) for one in unhandled}
            if not causes - known:
                # Modules that only import each other are for users.
                return any(is_module for _, is_module in causes)
            places = []
            for name, is_module in sorted(causes - known):
                found = list(self._places(*(_import_of(name) if is_module else _call_of(name))))
                if is_module and ("." not in name or not found):
                    return True  # users import it
                places += found
            known |= causes
        return True

    def _places(self, word: str, is_mention: _IsMention) -> Iterator[_Place]:
        for path, text in self._texts.items():
            if word in text:
                package = installed_path(path).split("/")[:-1]
                yield from (place for node, place in self._nodes(path) if is_mention(node, package))

    def _nodes(self, path: str) -> tuple[tuple[ast.AST, _Place], ...]:
        if path not in self._walked:
            try:
                tree = ast.parse(self._texts[path])
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._walked[path] = ()
            else:
                self._walked[path] = tuple(_walk(tree, _Place(module=_module(path))))
        return self._walked[path]


def _walk(tree: ast.AST, start: _Place) -> Iterator[tuple[ast.AST, _Place]]:
    """Yield the nodes of a file with their places, without docstrings and what only type checkers see."""
    waiting: list[tuple[ast.AST, _Place, str]] = [(tree, start, "")]
    while waiting:
        node, place, owner = waiting.pop()
        if _is_docstring(node) or (isinstance(node, ast.If) and _for_type_checkers(node.test)):
            continue
        yield node, place
        tried = node.body if isinstance(node, ast.Try) and any(map(_goes_on, node.handlers)) else ()
        if isinstance(node, ast.ClassDef):
            owner = node.name
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = owner if owner and node.name in _CONSTRUCTORS else node.name
            place = _Place(module=place.module, function=function)
            owner = ""
        for child in ast.iter_child_nodes(node):
            inner = replace(place, handled=True) if child in tried else place
            if isinstance(node, ast.If) and child is not node.test:
                inner = replace(inner, conditional=True)
            waiting.append((child, inner, owner))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _for_type_checkers(test: ast.expr) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == "TYPE_CHECKING")
        or (isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING")
        for node in ast.walk(test)
    )


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler goes on where loading fails; many only raise a clearer error."""
    if any(isinstance(node, ast.Raise) for node in ast.walk(handler)):
        return False
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in _FAILURES for kind in kinds)


def _imports(node: ast.AST, package: list[str], module: str) -> bool:
    """Return whether a node imports a module, by a statement or by its name in a string."""
    if isinstance(node, ast.Import):
        return any(_is_module(alias.name, module) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        outer = package[: len(package) + 1 - node.level] if node.level else []
        base = ".".join([*outer, *([node.module] if node.module else [])])
        names = (f"{base}.{alias.name}" for alias in node.names)
        return _is_module(base, module) or any(_is_module(name, module) for name in names)
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        name = node.args[0].value
        return isinstance(name, str) and name.lstrip(".") in {module, module.rpartition(".")[2]}
    return False


def _is_module(name: str, module: str) -> bool:
    """Return whether a name is a module's; code that is copied from elsewhere calls it by a shorter one."""
    return name == module or ("." in name and module.endswith(f".{name}"))


def _names(node: ast.AST, stem: str) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and stem in node.value


def _import_of(module: str) -> tuple[str, _IsMention]:
    """Return a word and a test for what imports a module."""
    return module.rpartition(".")[2], lambda node, package: _imports(node, package, module)


def _call_of(function: str) -> tuple[str, _IsMention]:
    """Return a word and a test for calls of a function of this name."""

    def is_call(node: ast.AST, _: list[str]) -> bool:
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute):
            return called.attr == function
        return isinstance(called, ast.Name) and called.id == function

    return function, is_call
