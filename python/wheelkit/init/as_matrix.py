"""A matrix for exactly these builds, in as few words as a person would use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.matrix import Interpreter, System, Target, offered_interpreters
from wheelkit.matrix.builds import selects_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.init.todays_builds import Build

    Rows = Mapping[Target, tuple[Interpreter, ...]]
    Cell = tuple[Interpreter, Target]


_SYSTEMS = tuple(System)
_ARCHS = (
    "x86_64", "amd64", "i686", "x86", "aarch64", "arm64", "armv7l", "ppc64le", "s390x", "riscv64",
)  # fmt: skip
_LIBCS = ("manylinux", "musllinux", "")
# A target that needs so many patterns of its own is clearer with interpreters of its own.
_MOST_PATTERNS = 3


class MatrixTable(Struct, frozen=True, kw_only=True):
    """The table ``[tool.wheelkit.matrix]`` as plain data."""

    targets: tuple[str, ...] = ()
    interpreters: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    override: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the table with the keys that are set."""
        table: dict[str, Any] = {"targets": list(self.targets), "interpreters": list(self.interpreters)}
        if self.skip:
            table["skip"] = list(self.skip)
        if self.override:
            rows = [{"select": select, "interpreters": list(tags)} for select, tags in self.override]
            table["override"] = rows
        return table


def as_matrix(builds: Iterable[Build]) -> MatrixTable:
    """Return the matrix whose cells are exactly these builds."""
    rows: dict[Target, tuple[Interpreter, ...]] = {}
    for build in builds:
        rows[build.target] = (*rows.get(build.target, ()), build.interpreter)
    ordered = {target: _sorted(rows[target]) for target in sorted(rows, key=_place)}
    apart = _apart(ordered)
    regular = {target: row for target, row in ordered.items() if target not in apart}
    base = _sorted({interpreter for row in regular.values() for interpreter in row})
    return MatrixTable(
        targets=tuple(map(str, ordered)),
        interpreters=tuple(map(str, base)),
        skip=tuple(_patterns(_holes(regular, base), ordered)),
        override=tuple(_overrides(apart, ordered)),
    )


def _apart(rows: Rows) -> list[Target]:
    """Return the targets whose interpreters differ so much from the others' that they have their own."""
    base = _sorted({interpreter for row in rows.values() for interpreter in row})
    holes = _holes(rows, base)
    patterns = list(_patterns(holes, rows))
    apart = []
    for target in rows:
        cells = [cell for cell in holes if cell[1] == target]
        others = [cell for cell in holes if cell[1] != target]
        own = [
            pattern
            for pattern in patterns
            if any(selects_cell(pattern, *cell) for cell in cells)
            and not any(selects_cell(pattern, *cell) for cell in others)
        ]
        if len(own) >= _MOST_PATTERNS:
            apart.append(target)
    if len(apart) == len(rows):
        apart.remove(max(apart, key=lambda target: len(rows[target])))
    return apart


def _overrides(apart: Sequence[Target], rows: Rows) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the selector of each group of targets with the same interpreters, and these."""
    groups: dict[tuple[Interpreter, ...], list[Target]] = {}
    for target in apart:
        groups.setdefault(rows[target], []).append(target)
    for interpreters, targets in groups.items():
        yield " ".join(f"*-{_name(target, rows)}" for target in targets), tuple(map(str, interpreters))


def _name(target: Target, rows: Rows) -> str:
    """Return the end of a selector that names one target: cibuildwheel's name if no other has it."""
    alone = sum(other.build_suffix == target.build_suffix for other in rows) == 1
    return target.build_suffix if alone else target.tag


def _holes(rows: Rows, base: Iterable[Interpreter]) -> list[Cell]:
    """Return the cells that cibuildwheel builds and that are not among the rows."""
    return [
        (interpreter, target)
        for target, row in rows.items()
        for interpreter in base
        if interpreter not in row and interpreter.tag in offered_interpreters(target)
    ]


def _patterns(holes: Sequence[Cell], rows: Rows) -> Iterator[str]:
    """Yield few selectors that match all these cells and none of the rows: ``pp*-musllinux*``."""
    kept = [(interpreter, target) for target, row in rows.items() for interpreter in row]
    candidates = [
        (pattern, {number for number, cell in enumerate(holes) if selects_cell(pattern, *cell)})
        for pattern in dict.fromkeys(_candidates(holes, rows))
        if not any(selects_cell(pattern, *cell) for cell in kept)
    ]
    left = set(range(len(holes)))
    while left:
        pattern, matched = max(candidates, key=lambda pair: len(pair[1] & left))
        left -= matched
        yield pattern


def _candidates(holes: Sequence[Cell], rows: Rows) -> Iterator[str]:
    """Yield selectors that may match several of the cells, the plainest first, then one for each cell."""
    families = ("pp*", "gp*", "cp3??t")
    pythons = [*dict.fromkeys(interpreter.tag for interpreter, _ in holes)]
    targets = [*dict.fromkeys(target for _, target in holes)]
    for python in (*pythons, *families):
        for target in targets:
            kind = target.libc or target.build_suffix.partition("_")[0].rstrip("3264")
            yield f"{python}-{kind}*"
            if target.libc:
                yield f"{python}-*_{target.arch}"
            yield f"{python}-{_name(target, rows)}"
    yield from (f"{interpreter}-{_name(target, rows)}" for interpreter, target in holes)


def _place(target: Target) -> tuple[int, int, int, str, tuple[int, int]]:
    """Return where a target stands in the list: by system, C library, architecture and version."""
    known = _ARCHS.index(target.arch) if target.arch in _ARCHS else len(_ARCHS)
    return (
        _SYSTEMS.index(target.system), _LIBCS.index(target.libc), known, target.arch, target.version,
    )  # fmt: skip


def _sorted(interpreters: Iterable[Interpreter]) -> tuple[Interpreter, ...]:
    return tuple(
        sorted(
            dict.fromkeys(interpreters),
            key=lambda one: (one.implementation, one.version, one.free_threaded, one.release),
        )
    )
