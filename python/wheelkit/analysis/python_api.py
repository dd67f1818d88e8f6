"""What binaries import of CPython, against its stable ABI (the list of abi3info, made from CPython's own)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import MissingToolError
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit._core import Slice, Symbol
    from wheelkit.wheel import Binary, FileName, Wheel


# How the names of CPython's functions and variables begin.
_PREFIXES = ("Py", "_Py")
# What stands before the underscore in CPython's names: its exports from 3.11 to 3.15, and earlier ones. Other
# libraries take such names too: PySideSignalInstance_TypeF belongs to PySide.
_FAMILIES = frozenset({
    "Py", "PyABIInfo", "PyAIter", "PyAST", "PyArena", "PyArg", "PyAsyncGen", "PyBaseObject", "PyBool",
    "PyBuffer", "PyByteArray", "PyByteArrayIter", "PyBytes", "PyBytesIter", "PyBytesWriter", "PyCFunction",
    "PyCMethod", "PyCObject", "PyCallIter", "PyCallable", "PyCapsule", "PyCell", "PyClass", "PyClassMethod",
    "PyClassMethodDescr", "PyCode", "PyCodec", "PyCompile", "PyComplex", "PyConfig", "PyContext",
    "PyContextToken", "PyContextVar", "PyCoro", "PyCriticalSection", "PyCriticalSection2", "PyDescr",
    "PyDict", "PyDictItems", "PyDictIterItem", "PyDictIterKey", "PyDictIterValue", "PyDictKeys",
    "PyDictProxy", "PyDictRevIterItem", "PyDictRevIterKey", "PyDictRevIterValue", "PyDictValues",
    "PyEllipsis", "PyEnum", "PyErr", "PyEval", "PyEvent", "PyExc", "PyException", "PyExceptionClass",
    "PyFile", "PyFilter", "PyFloat", "PyFrame", "PyFrameLocalsProxy", "PyFrozenDict", "PyFrozenSet",
    "PyFunction", "PyGC", "PyGILState", "PyGen", "PyGetSetDescr", "PyGrammar", "PyHash", "PyImport",
    "PyIndex", "PyInit", "PyInitConfig", "PyInstance", "PyInstanceMethod", "PyInt", "PyInterpreterGuard",
    "PyInterpreterState", "PyInterpreterView", "PyIter", "PyLazyImport", "PyList", "PyListIter",
    "PyListRevIter", "PyLong", "PyLongRangeIter", "PyLongWriter", "PyMap", "PyMapping", "PyMarshal",
    "PyMem", "PyMember", "PyMemberDescr", "PyMemoryView", "PyMethod", "PyMethodDescr", "PyModule",
    "PyModuleDef", "PyMonitoring", "PyMutex", "PyNode", "PyNumber", "PyODict", "PyODictItems",
    "PyODictIter", "PyODictKeys", "PyODictValues", "PyOS", "PyObject", "PyParser", "PyPickleBuffer",
    "PyPreConfig", "PyProperty", "PyRange", "PyRangeIter", "PyRefTracer", "PyReversed", "PyRun",
    "PySentinel", "PySeqIter", "PySequence", "PySet", "PySetIter", "PySignal", "PySlice", "PyState",
    "PyStaticMethod", "PyStatus", "PyStdPrinter", "PyString", "PyStructSequence", "PySuper", "PySymtable",
    "PySys", "PyThread", "PyThreadState", "PyTime", "PyToken", "PyTraceBack", "PyTraceMalloc", "PyTuple",
    "PyTupleIter", "PyType", "PyUnicode", "PyUnicodeDecodeError", "PyUnicodeEncodeError", "PyUnicodeIter",
    "PyUnicodeTranslateError", "PyUnicodeUCS2", "PyUnicodeUCS4", "PyUnicodeWriter", "PyUnstable",
    "PyVectorcall", "PyWeakref", "PyWideStringList", "PyWrapper", "PyWrapperDescr", "PyZip",
})  # fmt: skip
# Functions that only such builds of the interpreter have (CPython's Include/refcount.h,
# Include/internal/pycore_object.h).
THREADED_ONLY = frozenset({"_Py_DecRefShared", "_Py_DecRefSharedDebug", "_Py_MergeZeroLocalRefcount"})
DEBUG_ONLY = frozenset(
    {"_Py_NegativeRefcount", "_Py_INCREF_IncRefTotal", "_Py_DECREF_DecRefTotal", "PyModule_Create2TraceRefs"}
)
_FIRST_STABLE_ABI = (3, 2)  # PEP 384
_NEVER = (99, 0)
_CPYTHON_TAG = re.compile(r"cp(?P<major>3)(?P<minor>\d+)")
_LIBPYTHON = r"libpython3|/Python(?:3|T)?$"


@cache
def stable_abi() -> Mapping[str, tuple[int, int]]:
    """Return each symbol of the stable ABI and the version that added it; raises MissingToolError."""
    try:
        from abi3info import DATAS, FUNCTIONS
    except ImportError as error:
        message = "abi3info, the list of CPython's stable ABI, is not installed"
        raise MissingToolError(message, hint="pip install abi3info") from error
    members = (*FUNCTIONS.values(), *DATAS.values())
    return {item.symbol.name: (item.added.major, item.added.minor) for item in members}


class AbiViolation(Struct, frozen=True, kw_only=True):
    """An imported symbol that the stable ABI of a floor lacks; ``added`` is None if no version has it."""

    member: str
    symbol: str
    added: tuple[int, int] | None


def abi_violations(wheel: Wheel, floor: tuple[int, int]) -> tuple[AbiViolation, ...]:
    """Return what keeps the wheel from being an abi3 wheel for ``floor``, such as (3, 11)."""
    imports = tuple(_python_imports(wheel))
    known = stable_abi() if imports else {}
    return tuple(
        AbiViolation(member=binary.member, symbol=symbol, added=known.get(symbol))
        for binary, symbols in imports
        for symbol in symbols
        if known.get(symbol, _NEVER) > floor
    )


def declared_floor(name: FileName) -> tuple[int, int] | None:
    """Return the oldest Python that an abi3 wheel's name promises; None for a wheel that is not abi3."""
    if not name.stable:
        return None
    matches = filter(None, map(_CPYTHON_TAG.fullmatch, name.pythons))
    floors = [(int(match["major"]), int(match["minor"])) for match in matches]
    return min(floors, default=_FIRST_STABLE_ABI)


def _python_imports(wheel: Wheel) -> Iterator[tuple[Binary, list[str]]]:
    """Yield each binary with the sorted symbols that it needs of the interpreter, not of the wheel itself.

    A library of another wheel that is named for the stable ABI may define what that ABI lacks, as libshiboken
    does for PySide: the users of such a library are left out.
    """
    own = {name for _, slice_ in wheel.slices() for name in slice_.exports if name.startswith(_PREFIXES)}
    held = wheel.held
    for binary in wheel.binaries:
        needed = {library.name for slice_ in binary.slices for library in slice_.needed}
        if any(".abi3." in name and name not in held for name in needed):
            continue
        names = {symbol.name for slice_ in binary.slices for symbol in from_python(slice_)} - own
        if names:
            yield binary, sorted(names)


def from_python(slice_: Slice) -> Iterator[Symbol]:
    """Yield the imported symbols that may be the interpreter's; weak ones are optional and left out."""
    for symbol in slice_.imports:
        if symbol.name.startswith(_PREFIXES) and not symbol.weak:
            library = symbol.library
            # On Linux and macOS the running interpreter provides the symbols, so they name no library.
            if library is None:
                if symbol.name.startswith("_") or symbol.name.partition("_")[0] in _FAMILIES:
                    yield symbol
            elif python_dll(library) is not None or re.search(_LIBPYTHON, library):
                yield symbol
