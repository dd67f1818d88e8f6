"""Explains why an import failed: what is missing, which distribution provides it, and how to fix it."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import _core
from wheelkit.analysis.libraries import of_windows
from wheelkit.analysis.windows import c_runtime
from wheelkit.config import normalise
from wheelkit.config.exclude import shipped_providers
from wheelkit.inputs import read_bytes
from wheelkit.matrix import System
from wheelkit.smoke.installed import installed_distributions
from wheelkit.smoke.probe import FailureKind
from wheelkit.text import shorten_list
from wheelkit.wheel.library_names import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wheelkit.config import Provider
    from wheelkit.smoke.model import Failure, Package
    from wheelkit.smoke.probe import ProbeFailure


# The messages of glibc, macOS and musl, in this order.
_NO_LIBRARY = (
    re.compile(r"(?P<path>/[^\n:]*/)?(?P<library>[\w.+@-]+\.so[\w.]*): cannot open shared object file"),
    re.compile(r"Library not loaded: (?P<path>[^\n]*/)?(?P<library>[\w.+@-]+)"),
    re.compile(r"Error loading shared library (?P<path>/[^\n:]*/)?(?P<library>[\w.+@-]+)"),
)
_NO_SYMBOL = (
    re.compile(r"undefined symbol: (?P<symbol>\w+)"),
    re.compile(r"[Ss]ymbol not found(?: in flat namespace)?:? \(?'?(?P<symbol>\w+)"),
    re.compile(r"Error relocating [^\n]*: (?P<symbol>\w+): symbol not found"),
)
_TOO_OLD = re.compile(
    r"version [`'](?P<version>(?:GLIBC|GLIBCXX|CXXABI)_[\w.]+)' not found(?: \(required by (?P<by>[^)]*)\))?"
)
# What glibc's own parts are called, which musl's loader does not find.
_GLIBC = re.compile(
    r"Error loading shared library (?P<library>ld-linux[\w.+@-]*|lib(?:c|m|dl|pthread|rt)\.so\.\d)"
)
_OTHER_ARCHITECTURE = re.compile(
    r"wrong ELF class|invalid ELF header|Exec format error|incompatible architecture|"
    r"not a valid Win32 application|no suitable image found|cannot open shared object file: Exec format"
)
_NO_DLL = re.compile(
    r"DLL load failed while importing (?P<module>[\w.]+): "
    r"(?:The specified )?(?P<kind>module|procedure) (?:could not be|not) found",
    re.IGNORECASE,  # wine says: Module not found
)
_NO_MODULE = re.compile(r"^ModuleNotFoundError: .*No module named '(?P<module>[\w.]+)'", re.DOTALL)
_EXTRA = re.compile(r"""extra == ["'](?P<extra>[^"']+)""")
_LIBRARIES = ("*.so", "*.so.*", "*.dylib", "*.pyd", "*.dll")


class ErrorContext(Struct, frozen=True, kw_only=True):
    """What explanations use: the environment, the family's wheels by key, and the configured providers.

    ``emulator`` is the name of what runs the interpreter, empty for this machine itself.
    """

    venv: Path
    packages: Mapping[str, Package]
    providers: tuple[Provider, ...] = ()
    emulator: str = ""

    @property
    def known_providers(self) -> tuple[Provider, ...]:
        """The providers of libraries: those of the configuration, then those that wheelkit knows."""
        return (*self.providers, *shipped_providers().values())


def explain_import_error(failure: ProbeFailure, context: ErrorContext) -> Failure:
    """Return the failure with what happened and how to fix it; unknown errors are passed on as they are."""
    if failure.kind is FailureKind.SHADOWED:
        module = failure.check.removeprefix("import ")
        what = f"{module} cannot be imported: Python finds its standard library module of that name first"
        return replace(failure.failure(), what=what, fix="rename the module")
    error = f"{failure.exception}: {failure.error}"
    for patterns, explain in _EXPLANATIONS:
        for pattern in patterns:
            if match := pattern.search(error):
                what, fix = explain(match, context)
                return replace(failure.failure(), what=what, fix=fix)
    return failure.failure()


def _old_libc(match: re.Match[str], _: ErrorContext) -> tuple[str, str]:
    by = f" (required by {Path(match['by']).name})" if match["by"] else ""
    library = "glibc" if match["version"].startswith("GLIBC_") else "libstdc++"
    return (
        f"it needs {match['version']}, which this system's {library} does not have{by}",
        "it was built on a newer system than its tag promises; find it:  wheelkit verify-matrix @DIST@",
    )


def _other_architecture(_match: re.Match[str], _: ErrorContext) -> tuple[str, str]:
    return (
        "it contains a binary for another architecture than the interpreter's",
        "wheelkit inspect @WHEEL@   shows which one; the wheel's tag promises this architecture",
    )


def _other_libc(match: re.Match[str], _: ErrorContext) -> tuple[str, str]:
    return (
        f"it needs {match['library']}, which is glibc's, and this interpreter runs on musl",
        "build it on musl, or tag it manylinux;  wheelkit verify-matrix @WHEEL@   shows what it needs",
    )


def _missing_library(match: re.Match[str], context: ErrorContext) -> tuple[str, str]:
    library = match["library"]
    if match["path"] and Path(match["path"], library).is_file():
        # glibc reports a file for another processor as one that does not exist.
        return _other_architecture(match, context)
    for provider in context.known_providers:
        if matches(library, provider.linux, System.LINUX) or matches(library, provider.macos, System.MACOS):
            names = " or ".join(provider.distributions or (provider.name,))
            return (
                f"the library {library} was not found; {names} provides it",
                f"require {names} in dependencies, and import it first",
            )
    for path in _libraries(context.venv):
        if path.name == library:
            folder = _top_folder(path)
            return (
                f"the library {library} is in {folder}, where the loader does not search",
                f"import {folder} first, or set an rpath of $ORIGIN that leads to it",
            )
    return (
        f"the library {library} was not found, and no installed distribution contains it",
        "let repair copy it into the wheel:  wheelkit repair @WHEEL@",
    )


def _missing_symbol(match: re.Match[str], context: ErrorContext) -> tuple[str, str]:
    symbol = match["symbol"]
    if symbol.lstrip("_").startswith(("Py", "PyPy")):
        return (
            f"the interpreter does not have {symbol}, which the extension calls",
            "it was built for another Python than its tag promises:  wheelkit verify-matrix @DIST@",
        )
    exporters = sorted({_top_folder(path) for path in _libraries(context.venv) if _exports(path, symbol)})
    if exporters:
        names = ", ".join(exporters)
        return (
            f"the symbol {symbol} was not found, although {names} exports it",
            f"link against {names}, or import it first",
        )
    return _abi_mismatch(symbol, context) or (
        f"the symbol {symbol} was not found, and no installed distribution exports it",
        "link the source file or library that defines it, or build against the installed dependencies",
    )


def _abi_mismatch(symbol: str, context: ErrorContext) -> tuple[str, str] | None:
    """Explain a C++ symbol that the installed version of its provider does not export."""
    installed = installed_distributions(context.venv)
    provider = next((one for one in context.known_providers if belongs_to(symbol, one.name)), None)
    if provider is None:
        return None
    name = next((one for one in provider.distributions if one in installed), provider.name)
    version = installed[name].version if name in installed else ""
    pin = f"{'.'.join(version.split('.')[:2])}.*" if version else "X.Y.*"
    abi = ", with the same _GLIBCXX_USE_CXX11_ABI (the symbol uses std::__cxx11)" if "cxx11" in symbol else ""
    installed_name = f"{name} {version}".rstrip()
    return (
        f"ABI mismatch: the installed {installed_name} does not have the C++ symbol {symbol}",
        f'build against the version that users install{abi}, and pin it:  dependencies = ["{name}=={pin}"]',
    )


def _missing_dll(match: re.Match[str], context: ErrorContext) -> tuple[str, str]:
    """Explain a DLL or function that Windows, which does not name it, does not find."""
    module = match["module"].rpartition(".")[2]
    there = {path.name.lower() for path in _libraries(context.venv)}
    needed = _needed_dlls(context.venv, module)
    absent = [
        name for name in needed if name.lower() not in there and not of_windows(name) and not c_runtime(name)
    ]
    if match["kind"].lower() == "module" and absent:
        return (
            f"{match['module']} could not be loaded: {shorten_list(absent)} was not found",
            "let repair copy it into the wheel:  wheelkit repair @WHEEL@",
        )
    missing = "a DLL that it needs" if match["kind"].lower() == "module" else "a function in one of its DLLs"
    if needed and context.emulator == "wine":
        return (
            f"{match['module']} could not be loaded: {missing} is missing under wine",
            f"all are parts of Windows, and wine may lack one; try it there: {', '.join(needed)}",
        )
    return (
        f"{match['module']} could not be loaded: {missing} is missing (Windows does not say which)",
        "wheelkit inspect @WHEEL@   lists its DLLs",
    )


def _needed_dlls(venv: Path, module: str) -> list[str]:
    """Return the DLLs that the modules of a name need, without the interpreter's own."""
    names: dict[str, None] = {}
    for path in venv.rglob(f"{module}.*pyd"):
        with suppress(OSError, ValueError, _core.ScanError):
            scan = _core.scan(read_bytes(path, most=None))
            names |= (
                dict.fromkeys(library.name for slice_ in scan.slices for library in slice_.needed)
                if scan
                else {}
            )
    return [name for name in names if not name.lower().startswith("python3")]


def _missing_module(match: re.Match[str], context: ErrorContext) -> tuple[str, str]:
    module = match["module"]
    top = module.partition(".")[0]
    owners = [
        package
        for package in context.packages.values()
        if any(name == top or name.startswith(f"{top}.") for name in package.modules)
    ]
    installed = [owner for owner in owners if owner.key in installed_distributions(context.venv)]
    if installed:
        return (
            f"the module {module} is not in the wheel of {installed[0].name}",
            "the build leaves it out; check which files the build backend includes",
        )
    if owners:
        return (
            f"it imports {module}, and does not require {owners[0].name}, which provides it",
            f'dependencies = ["{owners[0].name}…"]',
        )
    return _only_with_extra(module, context) or (
        f"it imports {module}, and nothing that it requires provides it",
        "add what provides it to dependencies, or make the import optional",
    )


def _only_with_extra(module: str, context: ErrorContext) -> tuple[str, str] | None:
    """Explain a module whose distribution, if it has the same name, is required by an extra only."""
    distribution = normalise(module.partition(".")[0])
    for package in context.packages.values():
        for requirement in package.requires:
            extra = _EXTRA.search(str(requirement.marker))
            if extra and normalise(requirement.name) == distribution:
                return (
                    f"it imports {module}, which {package.name} requires only with extra {extra['extra']}",
                    "require it always, make the import optional, or exclude this module with imports = […]",
                )
    return None


# The patterns of each error, and what explains it: what happened and how to fix it. The first match counts.
_EXPLANATIONS: tuple[
    tuple[Sequence[re.Pattern[str]], Callable[[re.Match[str], ErrorContext], tuple[str, str]]], ...
] = (
    ((_TOO_OLD,), _old_libc),
    ((_OTHER_ARCHITECTURE,), _other_architecture),
    ((_GLIBC,), _other_libc),
    (_NO_LIBRARY, _missing_library),
    (_NO_SYMBOL, _missing_symbol),
    ((_NO_DLL,), _missing_dll),
    ((_NO_MODULE,), _missing_module),
)


def _libraries(venv: Path) -> Iterator[Path]:
    for pattern in _LIBRARIES:
        yield from venv.rglob(pattern)


def _top_folder(path: Path) -> str:
    """Return the top-level folder of a file below site-packages."""
    site = next((parent for parent in path.parents if parent.name == "site-packages"), path.parent)
    return path.relative_to(site).parts[0]


def _exports(path: Path, symbol: str) -> bool:
    try:
        scan = _core.scan(read_bytes(path, most=None))
    except (OSError, ValueError, _core.ScanError):
        return False
    names = {symbol, symbol.removeprefix("_")}
    return scan is not None and any(not names.isdisjoint(slice_.exports) for slice_ in scan.slices)


# The outermost namespaces of the providers' C++ APIs; by default, the provider's name.
_NAMESPACES: Mapping[str, tuple[str, ...]] = {
    "torch": ("torch", "at", "c10", "caffe2"),
    "tensorflow": ("tensorflow", "tsl"),
    "onnxruntime": ("onnxruntime", "Ort"),
    "openvino": ("ov",),
    "pyarrow": ("arrow", "parquet"),
}
# The start of a mangled nested name (Itanium C++ ABI, 5.1): _Z or, on macOS, __Z; what is special about it (a
# vtable, a guard variable); N with its qualifiers.
_NESTED_NAME = r"_{1,2}Z+(?:T[VTISHW]|G[VR])?N[rVKRO]*"


def belongs_to(symbol: str, provider: str) -> bool:
    """Return whether a provider's C++ namespace defines a symbol, rather than one that takes its types."""
    namespaces = _NAMESPACES.get(provider, (provider.replace("-", "_"),))
    names = "|".join(f"{len(name)}{name}" for name in namespaces)
    return re.match(f"{_NESTED_NAME}(?:{names})(?![a-z_])", symbol) is not None
