"""Compare what wheelkit says about changed ELF libraries with what the loader of this machine does."""

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from support import wheels
from support.elf_mutations import mutate
from support.loader import Outcome, build, build_opener, glibc_version, load
from wheelkit import _core
from wheelkit.errors import WheelkitError
from wheelkit.verification.contract import Contract
from wheelkit.verification.run import verify

INIT = "PyInit__core"
HELPERS = "demo.libs"
MEMBER = "_core.cpython-311-x86_64-linux-gnu.so"
HELPER = """
int {name}_old(int value) {{ return value + 1; }}
int {name}_new(int value) {{ return value + 2; }}
int {name}_last(int value) {{ return value + 3; }}
"""
VERSIONS = """
{name}_1 {{ global: {name}_old; local: *; }};
{name}_2 {{ global: {name}_new; }} {name}_1;
{name}_3 {{ global: {name}_last; }} {name}_2;
"""
MODULE = """
#include <math.h>
#include <stdio.h>
int alpha_old(int); int alpha_new(int); int alpha_last(int); int beta_old(int); int beta_last(int);
double numbers[4] = {1.5};
static int state = 3;
void *PyInit__core(void)
{
    state += alpha_old(1) + alpha_new(2) + alpha_last(3) + beta_old(4) + beta_last(5);
    numbers[0] = pow(numbers[1], numbers[2]) + exp(numbers[3]);
    return state > 0 ? stdout : 0;
}
int core_call(int value) { return value + state; }
"""
OWN_VERSIONS = "CORE_1 { global: PyInit__core; core_call; local: *; };\n"
# Ways to link: other linkers and other tables give other layouts.
LINKS: dict[str, list[str]] = {
    "both hash tables": ["-Wl,--hash-style=both"],
    "GNU hash table": ["-Wl,--hash-style=gnu"],
    "old hash table": ["-Wl,--hash-style=sysv"],
    "one code segment": ["-Wl,-z,noseparate-code"],
    "large pages": ["-Wl,-z,max-page-size=65536"],
    "RPATH": ["-Wl,--disable-new-dtags"],
    "packed relocations": ["-Wl,-z,now", "-Wl,-z,pack-relative-relocs"],
    "definitions": ["-Wl,--version-script=own.map"],
    "stripped": ["-Wl,-s"],
}
# What the loader has opened before, so it is not looked for again.
_LOADED_BEFORE = frozenset({"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"})
_ERROR = "error"
# What glibc may survive: it writes or reads beyond what it reserved.
_BY_CHANCE = (
    "its load segments reach beyond the addresses that the loader reserves for them",
    "its symbols have version numbers without a record",
)
_UNRESOLVED = re.compile(r"undefined symbol: \w+$")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A linked module and the libraries beside it."""

    name: str
    data: bytes
    helpers: dict[str, bytes]


@dataclass(kw_only=True)
class Comparison:
    """Counts of what was compared, and texts about each disagreement."""

    loaded: int = 0
    by_chance: int = 0
    """Loaded, although the loader went beyond what it reserved."""
    unresolved: int = 0
    """Refused for a symbol without a version, which wheelkit does not look up in other libraries."""
    refused: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)
    mutations: Counter[str] = field(default_factory=Counter)


def subjects(folder: Path) -> list[Subject]:
    """Link the module in several ways, with two libraries that have symbol versions."""
    helpers = {}
    for name in ("alpha", "beta"):
        script = folder / f"{name}.map"
        script.write_text(VERSIONS.format(name=name))
        options = ["-shared", "-fPIC", f"-Wl,-soname,lib{name}.so.1", f"-Wl,--version-script={script}"]
        path = build(folder / f"lib{name}.so.1", HELPER.format(name=name), options)
        helpers[path.name] = path.read_bytes()
    (folder / "own.map").write_text(OWN_VERSIONS)
    return [
        Subject(name=name, data=_link(folder, options), helpers=helpers) for name, options in LINKS.items()
    ]


def _link(folder: Path, options: list[str]) -> bytes:
    own = [option.replace("own.map", str(folder / "own.map")) for option in options]
    libraries = [str(folder / f"lib{name}.so.1") for name in ("alpha", "beta")]
    usual = ["-shared", "-fPIC", "-Wl,-rpath,$ORIGIN/../demo.libs", "-Wl,--no-as-needed", *libraries, "-lm"]
    tags = [] if any("dtags" in option for option in own) else ["-Wl,--enable-new-dtags"]
    return build(folder / "linked.so", MODULE, [*usual, *tags, *own]).read_bytes()


def compare(folder: Path, count: int, seed: int) -> Comparison:
    """Change modules in `count` ways that follow from the seed, and compare each with the loader."""
    chance = random.Random(seed)  # noqa: S311 - the same seed makes the same files
    found = Comparison()
    opener = build_opener(folder)
    made = subjects(folder)
    for number in range(count):
        subject = made[number % len(made)]
        data, names = (subject.data, ()) if number < len(made) else mutate(subject.data, chance)
        outcome = _load(folder, opener, subject, data)
        found.mutations.update(names)
        if outcome.refusal:
            found.refused[_kind(outcome.refusal)] += 1
        else:
            found.loaded += 1
        errors = _errors(folder, subject, data)
        if not outcome.refusal and errors and all(error.endswith(_BY_CHANCE) for error in errors):
            found.by_chance += 1
            errors = []
        if _UNRESOLVED.search(outcome.refusal) and not errors:
            found.unresolved += 1
            continue
        problem = _compare(data, outcome, errors)
        if problem:
            (folder / f"disagreement-{number}.so").write_bytes(data)
            found.disagreements.append(f"{number} ({subject.name}: {', '.join(names)}): {problem}")
    return found


def _load(folder: Path, opener: Path, subject: Subject, data: bytes) -> Outcome:
    for name, contents in subject.helpers.items():
        helper = folder / HELPERS / name
        helper.parent.mkdir(exist_ok=True)
        helper.write_bytes(contents)
    module = folder / "demo" / MEMBER
    module.parent.mkdir(exist_ok=True)
    module.unlink(missing_ok=True)
    module.write_bytes(data)
    return load(opener, module, INIT)


def _kind(refusal: str) -> str:
    """Return a refusal without names and numbers."""
    text = refusal.rpartition(": ")[2] if "Assertion" not in refusal else refusal.partition("Assertion")[2]
    return text.strip()[:70]


def _compare(data: bytes, outcome: Outcome, errors: list[str]) -> str:
    """Return how wheelkit and the loader disagree about a module; empty if they agree."""
    if outcome.refusal:
        return "" if errors else f"refused ({outcome.refusal}), but there is no error"
    if errors:
        return f"loaded, but there is an error: {errors}"
    scan = _core.scan(data)
    assert scan is not None
    (slice_,) = scan.slices
    versions = tuple((version.library, version.version) for version in slice_.versions)
    if versions != outcome.versions:
        return f"the loader compared {outcome.versions}, not {versions}"
    needed = tuple(dict.fromkeys(library.name for library in slice_.needed))
    looked_for = tuple(dict.fromkeys(outcome.needed))
    if tuple(name for name in needed if name not in _LOADED_BEFORE) != looked_for:
        return f"the loader looked for {looked_for}, not {needed}"
    return ""


def _errors(folder: Path, subject: Subject, data: bytes) -> list[str]:
    """Return the errors that verification reports about a wheel with the module."""
    glibc = glibc_version()
    assert glibc is not None
    tag = f"manylinux_{glibc[0]}_{glibc[1]}_x86_64"
    members: dict[str, bytes | str] = {
        f"{HELPERS}/{name}": contents for name, contents in subject.helpers.items()
    }
    wheel = wheels.write_wheel(
        folder,
        f"demo-1.0-cp311-cp311-{tag}.whl",
        members={**members, f"demo/{MEMBER}": data},
        compression=0,
    )
    try:
        report = verify([wheel], Contract())
    except WheelkitError as error:
        return [str(error)]
    return [f"{one.code}: {one.what}" for one in report.findings if one.severity == _ERROR]
