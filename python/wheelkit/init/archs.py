"""The architectures that cibuildwheel's ``archs`` stands for on a machine, as in its architecture.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.project.ci.model import Hosted


ALL: Mapping[System, tuple[str, ...]] = {
    System.LINUX: ("x86_64", "i686", "aarch64", "ppc64le", "s390x", "armv7l", "riscv64"),
    System.MACOS: ("x86_64", "arm64", "universal2"),
    System.WINDOWS: ("x86", "AMD64", "ARM64"),
    System.PYODIDE: ("wasm32",),
    System.ANDROID: ("x86_64", "arm64_v8a"),
    System.IOS: ("x86_64_iphonesimulator", "arm64_iphonesimulator", "arm64_iphoneos"),
}
# How the systems spell one architecture.
_SYNONYMS: tuple[Mapping[System, str], ...] = (
    {System.LINUX: "x86_64", System.MACOS: "x86_64", System.WINDOWS: "AMD64", System.ANDROID: "x86_64"},
    {System.LINUX: "i686", System.WINDOWS: "x86"},
    {System.LINUX: "aarch64", System.MACOS: "arm64", System.WINDOWS: "ARM64", System.ANDROID: "arm64_v8a"},
)
_HALVES: Mapping[str, str] = {"x86_64": "i686", "AMD64": "x86", "aarch64": "armv7l"}


def architectures(text: str, system: System, machine: Hosted) -> frozenset[str]:
    """Return the architectures of ``archs``; what cibuildwheel does not know stands for none."""
    words = filter(None, re.split(r"[\s,]+", text))
    return frozenset(arch for word in words for arch in _of_word(word, system, machine))


def _of_word(word: str, system: System, machine: Hosted) -> Iterable[str]:
    native = _native(system, machine)
    match word:
        case "all":
            return ALL[system]
        case "native":
            return filter(None, [native])
        case "auto":
            return _auto(system, native)
        case "auto64":
            return [native] if native and native not in _HALVES.values() else ()
        case "auto32":
            return _half(system, native)
    return [arch for arch in ALL[system] if arch.lower() == word.lower()]


def _native(system: System, machine: Hosted) -> str:
    if system is System.PYODIDE:
        return "wasm32"
    if system is System.IOS:
        simulators = {"x86_64": "x86_64_iphonesimulator", "arm64": "arm64_iphonesimulator"}
        return simulators.get(machine.arch, "") if machine.system is System.MACOS else ""
    if system is machine.system:
        return machine.arch
    row = next((row for row in _SYNONYMS if row.get(machine.system) == machine.arch), None)
    return machine.arch if row is None else row.get(system, "")


def _auto(system: System, native: str) -> Iterator[str]:
    if native:
        yield native
    if system is System.WINDOWS and native == "AMD64":
        yield "x86"
    if system is System.IOS and native == "arm64_iphonesimulator":
        yield "arm64_iphoneos"


def _half(system: System, native: str) -> Iterable[str]:
    if native in _HALVES.values() or native == "wasm32":
        return [native]
    half = _HALVES.get(native)
    return [half] if half and system in {System.LINUX, System.WINDOWS} else ()
