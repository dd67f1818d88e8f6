"""Why an import or an installation failed, in the user's words: what is missing, who provides it, and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.config import normalise
from wheelkit.matrix import System
from wheelkit.smoke.probe import ProbeFailure, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from wheelkit.config import Provider
    from wheelkit.smoke.model import Failure, Package


_NO_LIBRARY = (
    re.compile(r"(?P<library>[\w.+@-]+\.so[\w.]*): cannot open shared object file"),
    re.compile(r"Library not loaded: (?:[^\n]*/)?(?P<library>[\w.+@-]+)"),
    re.compile(r"Error loading shared library (?P<library>[\w.+@-]+)"),
)
_NO_SYMBOL = (
    re.compile(r"undefined symbol: (?P<symbol>\w+)"),
    re.compile(r"[Ss]ymbol not found(?: in flat namespace)?:? \(?'?(?P<symbol>\w+)"),
    re.compile(r"Error relocating [^\n]*: (?P<symbol>\w+): symbol not found"),
)
_TOO_OLD = re.compile(
    r"version [`'](?P<version>(?:GLIBC|GLIBCXX|CXXABI)_[\w.]+)' not found(?: \(required by (?P<by>[^)]*)\))?"
)
_OTHER_MACHINE = re.compile(
    r"wrong ELF class|invalid ELF header|Exec format error|incompatible architecture|not a valid Win32 application|"
    r"no suitable image found|cannot open shared object file: Exec format"
)
_NO_DLL = re.compile(
    r"DLL load failed while importing (?P<module>[\w.]+): The specified (?P<what>module|procedure) could not be found"
)
_EXTRA = re.compile(r"""extra == ["'](?P<extra>[^"']+)""")
_NO_MODULE = re.compile(r"No module named '(?P<module>[\w.]+)'")


class ErrorContext(Struct, frozen=True, kw_only=True):
    """What can be asked for an explanation: the environment, the family's files there, and the providers of libraries."""

    env: Path
    packages: Mapping[str, Package]
    providers: tuple[Provider, ...] = ()


def explain_import_error(trouble: ProbeFailure, known: ErrorContext) -> Failure:
    """Turn what the probe saw into what happened and what to do; what nobody understands is told as it is."""
    told = plain(trouble)
    for reason in _REASONS:
        found = reason(trouble, known)
        if found is not None:
            return replace(told, what=found[0], fix=found[1])
    return told


def _shadowed(trouble: ProbeFailure, _: ErrorContext) -> tuple[str, str] | None:
    if trouble.kind != "Shadowed":
        return None
    name = trouble.check.removeprefix("import ")
    return (
        f"{name} has the name of a standard module, which Python finds first: nobody can import it",
        "give the module another name",
    )


def _glibc(trouble: ProbeFailure, _: ErrorContext) -> tuple[str, str] | None:
    match = _TOO_OLD.search(trouble.error)
    if match is None:
        return None
    by = f" ({Path(match['by']).name} asks for it)" if match["by"] else ""
    library = "glibc" if match["version"].startswith("GLIBC_") else "libstdc++"
    return (
        f"it needs {match['version']}, which this system's {library} does not have{by}",
        "it was built on a newer system than its tag says:  wheelkit verify-matrix dist/   names the symbol",
    )


def _machine(trouble: ProbeFailure, _: ErrorContext) -> tuple[str, str] | None:
    if not _OTHER_MACHINE.search(trouble.error):
        return None
    return (
        "it holds a binary for another architecture than this machine's",
        "wheelkit inspect WHEEL   shows which; the tag promises this one",
    )


def _library(trouble: ProbeFailure, known: ErrorContext) -> tuple[str, str] | None:
    match = _first(_NO_LIBRARY, trouble.error)
    if match is None:
        return None
    library = match["library"]
    owner = _provider(library, known)
    if owner is not None:
        needs = " or ".join(owner)
        return (
            f"the library {library} is not there; {needs} provides it",
            f"require {needs} in dependencies, and import it first",
        )
    holder = next((path for path in _binaries(known.env) if path.name == library), None)
    if holder is not None:
        inside = holder.relative_to(_site_of(holder)).parts[0]
        return (
            f"the library {library} lies in {inside}, where nothing looks for it",
            f"import {inside} first, or set an rpath of $ORIGIN to it",
        )
    return (
        f"the library {library} is not there, and nothing that was installed brings it",
        "let repair graft it:  wheelkit repair WHEEL",
    )


def _symbol(trouble: ProbeFailure, known: ErrorContext) -> tuple[str, str] | None:
    match = _first(_NO_SYMBOL, trouble.error)
    if match is None:
        return None
    symbol = match["symbol"]
    if symbol.lstrip("_").startswith(("Py", "PyPy")):
        return (
            f"the interpreter does not have {symbol}, which the extension calls",
            "it was built for another version of Python than its tag says:  wheelkit verify-matrix dist/",
        )
    owners = sorted(
        {path.relative_to(_site_of(path)).parts[0] for path in _binaries(known.env) if _exports(path, symbol)}
    )
    if owners:
        names = ", ".join(owners)
        return (
            f"the symbol {symbol} is missing where it is looked for; {names} exports it",
            f"link against {names}, or import it first",
        )
    return _abi_mismatch(symbol, known) or (
        f"the symbol {symbol} is missing, and nothing that was installed exports it",
        "a source file or library is missing from the link, or it was built against another version of a dependency",
    )


def _abi_mismatch(symbol: str, known: ErrorContext) -> tuple[str, str] | None:
    """Explain a C++ symbol of a provider that its installed version does not export: C++ interfaces hold for one version and compiler."""
    from wheelkit.config.exclude import shipped_providers

    here = _installed(known.env)
    shipped = (one for one in shipped_providers().values() if not here.isdisjoint(one.distributions))
    owner = next((one for one in (*known.providers, *shipped) if belongs_to(symbol, one.name)), None)
    if owner is None:
        return None
    name = next((one for one in owner.distributions if one in here), owner.name)
    version = _version(name, known.env)
    pin = f"{name}=={'.'.join(version.split('.')[:2])}.*" if version else f"{name}==X.Y.*"
    more = (
        ", with the same _GLIBCXX_USE_CXX11_ABI: the symbol speaks of std::__cxx11"
        if has_new_string(symbol)
        else ""
    )
    installed = f"{name} {version}".rstrip()
    return (
        f"the installed {installed} does not have the C++ symbol {symbol}: an ABI mismatch, it was built against another version",
        f'build against the version that users get{more}, and pin it:  dependencies = ["{pin}"]',
    )


def _dll(trouble: ProbeFailure, _: ErrorContext) -> tuple[str, str] | None:
    match = _NO_DLL.search(trouble.error)
    if match is None:
        return None
    what = "a DLL that it needs" if match["what"] == "module" else "a function in one of its DLLs"
    return (
        f"{match['module']} could not be loaded: {what} is missing (Windows does not say which)",
        "wheelkit inspect WHEEL   lists its DLLs",
    )


def _module(trouble: ProbeFailure, known: ErrorContext) -> tuple[str, str] | None:
    match = _NO_MODULE.search(trouble.error) if trouble.kind == "ModuleNotFoundError" else None
    if match is None:
        return None
    module = match["module"]
    top = module.partition(".")[0]
    owners = [
        one
        for one in known.packages.values()
        if any(name == top or name.startswith(f"{top}.") for name in one.modules)
    ]
    here = [one for one in owners if one.key in _installed(known.env)]
    if here:
        return (
            f"the module {module} is not in the wheel of {here[0].name}",
            "the build leaves it out: look at what the backend packs",
        )
    if owners:
        return (
            f"it imports {module}, and does not require {owners[0].name}, which provides it",
            f'dependencies = ["{owners[0].name}…"]',
        )
    return _optional(module, known) or (
        f"it imports {module}, which nothing that it requires provides",
        "add what provides it to dependencies, or import it only where it is there",
    )


def _optional(module: str, known: ErrorContext) -> tuple[str, str] | None:
    """Tell of a module that comes with an extra alone, as far as it is called like its distribution."""
    top = normalise(module.partition(".")[0])
    needs = (
        (one.name, need.marker)
        for one in known.packages.values()
        for need in one.requires
        if normalise(need.name) == top
    )
    for name, marker in needs:
        if match := _EXTRA.search(marker):
            return (
                f"it imports {module}, which {name} requires with its extra {match['extra']} alone",
                "require it always, import it only where it is there, or leave this module out of imports in the distribution's settings",
            )
    return None


_REASONS: tuple[Callable[[ProbeFailure, ErrorContext], tuple[str, str] | None], ...] = (
    _shadowed,
    _glibc,
    _machine,
    _library,
    _symbol,
    _dll,
    _module,
)


def _first(patterns: Iterable[re.Pattern[str]], text: str) -> re.Match[str] | None:
    return next((match for pattern in patterns if (match := pattern.search(text))), None)


def _provider(library: str, known: ErrorContext) -> tuple[str, ...] | None:
    from wheelkit.wheel.library_names import matches

    for one in known.providers:
        if matches(library, one.linux, System.LINUX) or matches(library, one.macos, System.MACOS):
            return one.distributions or (one.name,)
    return None


def _installed(env: Path) -> frozenset[str]:
    from wheelkit.smoke.installed import installed

    return installed(env)


def _version(name: str, env: Path) -> str:
    """Read the version of an installed distribution off its folder of metadata; empty where it is not installed."""
    from wheelkit.smoke.installed import sites

    stem = name.replace("-", "_")
    found = (
        info
        for site in sites(env)
        for info in site.glob("*.dist-info")
        if info.name.lower().startswith(f"{stem}-")
    )
    return next((info.name.removesuffix(".dist-info").partition("-")[2] for info in found), "")


def _binaries(env: Path) -> Iterator[Path]:
    for pattern in ("*.so", "*.so.*", "*.dylib", "*.pyd", "*.dll"):
        yield from env.rglob(pattern)


def _site_of(path: Path) -> Path:
    return next((parent for parent in path.parents if parent.name == "site-packages"), path.parent)


def _exports(path: Path, symbol: str) -> bool:
    from wheelkit import _core

    try:
        scan = _core.scan(path.read_bytes())
    except (OSError, ValueError, _core.ScanError):
        return False
    parts = scan.slices if scan else ()
    return any(symbol in part.exports or symbol.removeprefix("_") in part.exports for part in parts)


# The outermost namespaces of a provider's C++ interface; for others the provider's own name.
_NAMESPACES: Mapping[str, tuple[str, ...]] = {
    "torch": ("torch", "at", "c10", "caffe2"),
    "tensorflow": ("tensorflow", "tsl"),
    "onnxruntime": ("onnxruntime", "Ort"),
    "openvino": ("ov",),
    "pyarrow": ("arrow", "parquet"),
}
# _Z or, on macOS, __Z; then what is special about it (a vtable, a guard variable), and N for a nested name with its qualifiers.
_START = r"_{1,2}Z+(?:T[VTISHW]|G[VR])?N[rVKRO]*"
_NEW_STRING = "cxx11"


def belongs_to(symbol: str, provider: str) -> bool:
    """Tell whether a symbol is defined in a provider's namespace; one that only takes the provider's types is somebody else's."""
    spaces = "|".join(
        f"{len(name)}{name}" for name in _NAMESPACES.get(provider, (provider.replace("-", "_"),))
    )
    return re.match(f"{_START}(?:{spaces})(?![a-z_])", symbol) is not None


def has_new_string(symbol: str) -> bool:
    """Tell whether a symbol speaks of libstdc++'s strings and lists since GCC 5, which ``_GLIBCXX_USE_CXX11_ABI`` chooses."""
    return _NEW_STRING in symbol
