"""Facts about ELF, Mach-O and PE files, read from their bytes by the C core.

All results are tuples whose items have names. Text that is not UTF-8 shows its bytes as `\\xNN`.
"""

from typing import Literal, final

from typing_extensions import Buffer

class ScanError(ValueError):
    """A damaged ELF, Mach-O or PE file.

    The message tells the structure, what is wrong with it, and where. `what` is the structure alone, and `offset` is
    its place in the buffer.
    """

    what: str
    offset: int
    reason: Literal[
        "truncated",
        "bad-count",
        "bad-offset",
        "bad-address",
        "bad-value",
        "unsupported",
        "bad-string",
        "overlap",
        "loop",
        "too-complex",
    ]

def scan(buffer: Buffer, /) -> Scan | None:
    """Tell what is in an ELF, Mach-O or PE file, or None when the buffer holds another kind of file.

    Takes bytes, bytearray, memoryview, mmap and every other contiguous buffer, and reads it without the interpreter's
    lock. Raises ScanError when the file is damaged; MemoryError when the facts do not fit in memory.
    """

@final
class Library(tuple[object, ...]):
    """A library that a binary asks for."""

    @property
    def name(self) -> str:
        """As the binary asks for it: a soname, an install name or the name of a DLL."""
    @property
    def how(self) -> Literal["required", "weak", "reexport", "upward", "lazy", "delay"]:
        """ "required" and "delay" in PE, "required" alone in ELF."""

@final
class Rpath(tuple[object, ...]):
    """One directory of a search path that a binary carries."""

    @property
    def path(self) -> str:
        """With `$ORIGIN` or `@loader_path` as it stands in the file."""
    @property
    def how(self) -> Literal["rpath", "runpath"]:
        """ "runpath" only in ELF (DT_RUNPATH)."""

@final
class Version(tuple[object, ...]):
    """An ELF symbol version that a binary asks for."""

    @property
    def library(self) -> str: ...
    @property
    def version(self) -> str:
        """Such as "GLIBC_2.17"."""
    @property
    def symbol(self) -> str | None:
        """The first symbol that asks for it; None when none does, as for GLIBC_ABI_DT_RELR."""

@final
class Symbol(tuple[object, ...]):
    """An undefined dynamic symbol."""

    @property
    def name(self) -> str:
        """Without the leading underscore of Mach-O; "#123" for an ordinal of PE."""
    @property
    def library(self) -> str | None:
        """What must offer it; None where any library may."""
    @property
    def version(self) -> str | None:
        """ELF: the version that it must have."""
    @property
    def weak(self) -> bool:
        """Whether it may be missing when the binary is loaded."""

@final
class Slice(tuple[object, ...]):
    """Facts about one binary: a whole file, or one of the parts of a fat one."""

    @property
    def offset(self) -> int:
        """Where it begins in the buffer."""
    @property
    def size(self) -> int: ...
    @property
    def arch(self) -> str:
        """Such as "x86_64", "i686", "aarch64", "armv7l", "ppc64le"; "arm64" in Mach-O and PE; "unknown-0x1234" if not
        known.
        """
    @property
    def bits(self) -> Literal[32, 64]: ...
    @property
    def endian(self) -> Literal["little", "big"]: ...
    @property
    def kind(self) -> Literal["executable", "shared", "bundle", "object", "other"]: ...
    @property
    def name(self) -> str | None:
        """ELF DT_SONAME, Mach-O LC_ID_DYLIB, the name in a PE export directory."""
    @property
    def interpreter(self) -> str | None:
        """ELF PT_INTERP."""
    @property
    def needed(self) -> tuple[Library, ...]:
        """In the file's order."""
    @property
    def rpaths(self) -> tuple[Rpath, ...]: ...
    @property
    def versions(self) -> tuple[Version, ...]:
        """ELF only."""
    @property
    def imports(self) -> tuple[Symbol, ...]:
        """Undefined dynamic symbols; none in object files."""
    @property
    def exports(self) -> tuple[str, ...]:
        """Names of defined dynamic symbols that others can see; none in object files."""
    @property
    def min_os(self) -> str | None:
        """Mach-O: the oldest system it runs on, such as "11.0"."""
    @property
    def sdk(self) -> str | None:
        """Mach-O: what it was built with."""
    @property
    def os(self) -> str | None:
        """ELF: the OS ABI ("none", "gnu", "freebsd"); Mach-O: the platform ("macos"); PE: the subsystem ("gui",
        "console", "native", "unknown").
        """
    @property
    def signed(self) -> bool | None:
        """Whether it carries a code signature, which is not verified; None in ELF."""
    @property
    def executable_stack(self) -> bool | None:
        """ELF: what PT_GNU_STACK asks for; without that header, what glibc does on the processor. Mach-O:
        MH_ALLOW_STACK_EXECUTION. None in PE and in ELF objects.
        """
    @property
    def relro(self) -> Literal["partial", "full"] | None:
        """ELF only."""
    @property
    def writable_executable(self) -> int:
        """How many segments or sections are mapped both writable and executable."""
    @property
    def debug_bytes(self) -> int:
        """Bytes of the sections with debug information."""
    @property
    def symbol_bytes(self) -> int:
        """Bytes of a symbol table that could be stripped, with its strings; an estimate in Mach-O."""
    @property
    def code_bytes(self) -> int:
        """Bytes of executable content."""
    @property
    def data_bytes(self) -> int:
        """Bytes of other content that is mapped."""
    @property
    def flags(self) -> tuple[str, ...]:
        """Any of "pie", "static", "textrel", "hard-float", "zippered", "aslr", "high-entropy", "nx", "cfg", "dotnet"."""

@final
class Scan(tuple[object, ...]):
    """What is in one file."""

    @property
    def format(self) -> Literal["elf", "macho", "pe"]: ...
    @property
    def fat(self) -> bool:
        """Whether it is a fat (universal) Mach-O file."""
    @property
    def slices(self) -> tuple[Slice, ...]:
        """One unless the file is fat."""
