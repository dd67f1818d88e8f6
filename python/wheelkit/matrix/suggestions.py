"""What somebody probably meant by a word that is no target, interpreter or selector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.matrix.builds import selects
from wheelkit.matrix.targets import ARCHS, LEGACY_MANYLINUX, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


# The words by which people, uname, Rust and other tools call a kind of tag; the first match counts.
_KINDS: Mapping[str, str] = {
    "musl": "musllinux",
    "manylinux": "manylinux",
    "android": "android",
    "iphone|ios": "ios",
    "mac|darwin|osx|apple": "macosx",
    "pyodide|emscripten|wasm": "pyemscripten",
    "win": "win",
    "linux|gnu": "manylinux",
}
_SPELLINGS: Mapping[str, str] = {
    "x86_64": r"x86_64|amd64|x64",
    "aarch64": r"aarch64|arm64|armv8l?",
    "armv7l": r"armv7l?|armhf|arm",
    "ppc64le": r"ppc64le|ppc64el|powerpc64le",
    "s390x": r"s390x",
    "riscv64": r"riscv64(gc)?",
    "loongarch64": r"loongarch64|loong64",
    "universal2": r"universal2?|fat",
    "i686": r"i[3-6]86|x86|32",
}
# The version where none is given: that of PyPA's images, and the oldest that CPython supports.
_VERSIONS: Mapping[str, str] = {
    "manylinux": "2_28",
    "musllinux": "1_2",
    "macosx": "10_13",
    "ios": "13_0",
    "android": "24",
    "pyemscripten": "2026_0",
}
# The images that cibuildwheel takes by default where it has none of that version.
_NEWER_IMAGES: Mapping[str, str] = {"armv7l": "2_31", "riscv64": "2_39"}
_WINDOWS = {"armv7l": "win_arm64", "x86_64": "win_amd64", "aarch64": "win_arm64", "i686": "win32"}
_SYSTEMS_OWN: Mapping[str, Mapping[str, str]] = {
    "macosx": {"aarch64": "arm64"},
    "android": {"aarch64": "arm64_v8a"},
}
_MACOS_ARM = (11, 0)
_LONGEST = 60  # a long pattern is no typo, and comparing takes quadratic time


def target_like(word: str) -> str:
    """Return the target that a word probably means, such as ``manylinux_2_28_amd64``; empty if none is."""
    text = re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_")
    kind = next((kind for names, kind in _KINDS.items() if re.search(names, text)), "")
    arch = next(
        (
            arch
            for arch, names in _SPELLINGS.items()
            if re.search(rf"(?<![a-z0-9])({names})(?![a-z0-9])", text)
        ),
        "",
    )
    if kind == "win":
        fallback = "win32" if text in {"win_32", "windows32"} else "win_amd64"
        return _WINDOWS.get(arch, fallback)
    if not kind:
        return ""
    tag = f"{kind}_{_version(kind, text, arch)}_{_arch(kind, text, arch)}"
    try:
        return tag if Target.parse(tag).admits(tag) else ""
    except ValueError:
        return ""


def _arch(kind: str, text: str, arch: str) -> str:
    if kind == "pyemscripten":
        return "wasm32"
    if kind == "ios":
        simulator = "simulator" if "sim" in text or arch == "x86_64" else "os"
        return f"{'x86_64' if arch == 'x86_64' else 'arm64'}_iphone{simulator}"
    own = _SYSTEMS_OWN.get(kind, {}).get(arch, arch)
    default = {"macosx": "arm64", "android": "arm64_v8a"}.get(kind, "x86_64")
    return own if own in ARCHS[kind] else default


def _version(kind: str, text: str, arch: str) -> str:
    legacy = next(
        (glibc for name, glibc in LEGACY_MANYLINUX.items() if re.search(rf"{name}(?!\d)", text)), None
    )
    if legacy:
        return f"{legacy[0]}_{legacy[1]}"
    rest = re.sub("x86_64|universal2|wasm32|arm64_v8a", "", text)
    numbers = re.findall(r"(?<![a-z0-9])\d{1,4}(?![a-z0-9])", rest)
    if kind == "android":
        return numbers[0] if numbers else _VERSIONS[kind]
    if kind == "macosx" and (numbers or arch in {"", "aarch64"}):
        major, minor = (*map(int, numbers), *((11, 0) if not numbers else (0,)))[:2]
        return "{}_{}".format(*max((major, minor), _MACOS_ARM) if arch in {"", "aarch64"} else (major, minor))
    if len(numbers) > 1:
        return "_".join(numbers[:2])
    return _NEWER_IMAGES.get(arch, _VERSIONS[kind]) if kind == "manylinux" else _VERSIONS[kind]


def interpreter_like(word: str, known: Sequence[str]) -> str:
    """Return the interpreter that a word such as ``3.12`` or ``pypy3.11`` means; empty if none is."""
    match = re.fullmatch(
        r"(?P<name>[a-z]*)[-_ ]?3[._]?(?P<minor>\d{1,2})(?P<end>[-_.]?t|[-_.]?dev|\.\d+)?.*", word.lower()
    )
    if match is None:
        return ""
    kind = {"pp": "pp", "pypy": "pp", "gp": "gp", "graalpy": "gp", "graalvm": "gp"}.get(match["name"], "cp")
    threaded = "t" if kind == "cp" and (match["end"] or "").endswith("t") else ""
    tag = f"{kind}3{match['minor']}{threaded}"
    return next((one for one in known if one == tag or (kind == "gp" and one.startswith(f"{tag}_"))), "")


def selector_like(pattern: str, builds: Sequence[str]) -> str:
    """Return the selector that a pattern means and that matches one of the builds; empty if none does."""
    from difflib import get_close_matches

    bare = pattern.strip("*-")
    variants = [f"{bare}-*", f"*-{bare}", f"*-{bare}*", f"*{bare}*"] if bare else []
    for variant in variants:
        if any(selects(variant, build) for build in builds):
            return variant
    tags = dict.fromkeys(build.partition("-")[0] for build in builds)
    suffixes = dict.fromkeys(build.partition("-")[2] for build in builds)
    parts = dict.fromkeys(suffix.partition("_")[0] for suffix in suffixes)
    python, _, platform = pattern.partition("-")
    choices = [
        *builds,
        *(f"{python}-{suffix}" for suffix in suffixes),
        *(f"{python}-{part}*" for part in parts),
    ]
    choices += [f"{tag}-{platform}" for tag in tags]
    choices = [choice for choice in choices if any(selects(choice, build) for build in builds)]
    near = get_close_matches(pattern, choices, n=1) if len(pattern) < _LONGEST else []
    return near[0] if near else ""
