"""Facts about ELF, Mach-O and PE files, read from their bytes by the C core.

All results are tuples whose items have names. In text that is not UTF-8, bytes show as hexadecimal escapes.
"""

from typing import Final, Literal, final

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

    __match_args__: Final = ("name", "how")

    @property
    def name(self) -> str:
        """As the binary asks for it: a soname, an install name or the name of a DLL."""
    @property
    def how(self) -> Literal["required", "weak", "reexport", "upward", "lazy", "delay"]:
        """Always "required" in ELF; "required" or "delay" in PE."""

@final
class Rpath(tuple[object, ...]):
    """One directory of a search path that a binary carries."""

    __match_args__: Final = ("path", "how")

    @property
    def path(self) -> str:
        """With `$ORIGIN` or `@loader_path` as it stands in the file."""
    @property
    def how(self) -> Literal["rpath", "runpath"]:
        """Always "rpath" in Mach-O; "runpath" is DT_RUNPATH of ELF."""

@final
class Version(tuple[object, ...]):
    """An ELF symbol version that a binary asks for."""

    __match_args__: Final = ("library", "version", "symbol")

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

    __match_args__: Final = ("name", "library", "version", "weak")

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

    __match_args__: Final = (
        "offset",
        "size",
        "arch",
        "bits",
        "endian",
        "kind",
        "name",
        "interpreter",
        "needed",
        "rpaths",
        "versions",
        "imports",
        "exports",
        "min_os",
        "sdk",
        "os",
        "signed",
        "executable_stack",
        "relro",
        "writable_executable",
        "debug_bytes",
        "symbol_bytes",
        "code_bytes",
        "data_bytes",
        "flags",
    )

    @property
    def offset(self) -> int:
        """Where it begins in the buffer."""
    @property
    def size(self) -> int: ...
    @property
    def arch(self) -> str:
        """As platform tags of Linux spell it: "x86_64", "i686", "aarch64", "armv7l", "ppc64le".

        Mach-O and PE keep "arm64". What is not known is "unknown-0x1234".
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
        """The OS ABI of ELF, the platform of Mach-O or the subsystem of PE.

        Such as "none", "gnu" and "freebsd"; "macos" and "ios"; "gui", "console", "native" and "unknown". None in Mach-O
        files that do not tell it.
        """
    @property
    def signed(self) -> bool | None:
        """Whether it carries a code signature, which is not verified; None in ELF."""
    @property
    def executable_stack(self) -> bool | None:
        """Whether it makes the stack executable; None in PE and in ELF objects.

        In ELF, PT_GNU_STACK tells; without that header it is what glibc does on the processor. In Mach-O it is
        MH_ALLOW_STACK_EXECUTION.
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

    __match_args__: Final = ("format", "fat", "slices")

    @property
    def format(self) -> Literal["elf", "macho", "pe"]: ...
    @property
    def fat(self) -> bool:
        """Whether it is a fat (universal) Mach-O file."""
    @property
    def slices(self) -> tuple[Slice, ...]:
        """One unless the file is fat."""
