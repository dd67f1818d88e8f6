"""Facts about ELF, Mach-O and PE files, read from their bytes by the C core.

All results are tuples with named items. In text that is not UTF-8, bytes become hexadecimal escapes.
"""

from typing import Final, Literal, final

from typing_extensions import Buffer

class ScanError(ValueError):
    """A damaged ELF, Mach-O or PE file.

    The message names the structure, the problem and the offset. `what` is the structure alone, and `offset`
    its position in the buffer.
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
    """Return the facts about an ELF, Mach-O or PE file, or None if the buffer holds another kind of file.

    Accepts bytes, bytearray, memoryview, mmap and every other contiguous buffer, and reads it without holding
    the GIL. Raises ScanError if the file is damaged, MemoryError if the facts do not fit in memory.
    """

@final
class Library(tuple[object, ...]):
    """A library that a binary needs."""

    __match_args__: Final = ("name", "how")

    @property
    def name(self) -> str:
        """The name in the binary: a soname, an install name or the name of a DLL."""
    @property
    def how(self) -> Literal["required", "weak", "reexport", "upward", "lazy", "delay"]:
        """Always "required" in ELF; "required" or "delay" in PE."""

@final
class Rpath(tuple[object, ...]):
    """One directory of a binary's library search path."""

    __match_args__: Final = ("path", "how")

    @property
    def path(self) -> str:
        """The path as in the file, with `$ORIGIN` or `@loader_path`."""
    @property
    def how(self) -> Literal["rpath", "runpath"]:
        """Always "rpath" in Mach-O; "runpath" is DT_RUNPATH of ELF."""

@final
class Version(tuple[object, ...]):
    """An ELF symbol version that a binary needs."""

    __match_args__: Final = ("library", "version", "symbol", "weak")

    @property
    def library(self) -> str: ...
    @property
    def version(self) -> str:
        """For example "GLIBC_2.17"."""
    @property
    def symbol(self) -> str | None:
        """The first symbol that needs it; None if none does, as for GLIBC_ABI_DT_RELR."""
    @property
    def weak(self) -> bool:
        """Whether the library may lack it: the loader only warns (VER_FLG_WEAK)."""

@final
class Symbol(tuple[object, ...]):
    """An undefined dynamic symbol."""

    __match_args__: Final = ("name", "library", "version", "weak")

    @property
    def name(self) -> str:
        """Without the leading underscore of Mach-O; "#123" for an ordinal of PE."""
    @property
    def library(self) -> str | None:
        """The library that must define it; None if any may."""
    @property
    def version(self) -> str | None:
        """ELF: its version."""
    @property
    def weak(self) -> bool:
        """Whether it may be undefined when the binary is loaded."""

@final
class Digest(tuple[object, ...]):
    """Bytes whose digests are in a Mach-O code signature: pages, or another part of the signature."""

    __match_args__: Final = ("algorithm", "offset", "size", "chunk", "digests", "length")

    @property
    def algorithm(self) -> Literal["sha1", "sha256", "sha384"]: ...
    @property
    def offset(self) -> int:
        """The position of the first byte in the slice."""
    @property
    def size(self) -> int: ...
    @property
    def chunk(self) -> int:
        """How many bytes each digest is of; the last may be of fewer."""
    @property
    def digests(self) -> int:
        """The position of the first digest in the slice; the others follow."""
    @property
    def length(self) -> int:
        """The size of each digest in bytes; digests may be cut off."""

@final
class Slice(tuple[object, ...]):
    """Facts about one binary: a whole file, or one slice of a fat one."""

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
        "refusal",
        "digests",
        "definitions",
        "page_size",
        "alignment",
        "tls_bytes",
        "isa",
        "faults",
    )

    @property
    def offset(self) -> int:
        """The position of its first byte in the buffer."""
    @property
    def size(self) -> int: ...
    @property
    def arch(self) -> str:
        """The architecture as in platform tags of Linux: "x86_64", "i686", "aarch64", "armv7l", "ppc64le".

        "arm64" in Mach-O and PE; an unknown one is "unknown-0x1234".
        """
    @property
    def bits(self) -> Literal[32, 64]: ...
    @property
    def endian(self) -> Literal["little", "big"]: ...
    @property
    def kind(self) -> Literal["executable", "shared", "bundle", "object", "other"]: ...
    @property
    def name(self) -> str | None:
        """ELF DT_SONAME, Mach-O LC_ID_DYLIB, or the name in a PE export directory."""
    @property
    def interpreter(self) -> str | None:
        """ELF PT_INTERP."""
    @property
    def needed(self) -> tuple[Library, ...]:
        """The needed libraries, in the order of the file."""
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
        """Names of visible defined dynamic symbols; none in object files."""
    @property
    def min_os(self) -> str | None:
        """Mach-O: the oldest system that it runs on, for example "11.0"."""
    @property
    def sdk(self) -> str | None:
        """Mach-O: the version of the SDK that it was built with."""
    @property
    def os(self) -> str | None:
        """The OS ABI of ELF, the platform of Mach-O or the subsystem of PE.

        For example "none", "gnu" and "freebsd"; "macos" and "ios"; "gui", "console", "native" and "unknown".
        None if a Mach-O file does not name one.
        """
    @property
    def signed(self) -> bool | None:
        """Whether it has a code signature, valid or not; None in ELF."""
    @property
    def executable_stack(self) -> bool | None:
        """Whether it makes the stack executable; None in PE and in ELF objects.

        In ELF this is PT_GNU_STACK, or glibc's default for the processor without that header; in Mach-O,
        MH_ALLOW_STACK_EXECUTION.
        """
    @property
    def relro(self) -> Literal["partial", "full"] | None:
        """ELF only."""
    @property
    def writable_executable(self) -> int:
        """The number of segments or sections that are both writable and executable."""
    @property
    def debug_bytes(self) -> int:
        """The size of the sections with debug information."""
    @property
    def symbol_bytes(self) -> int:
        """The size of the strippable symbol table and its strings; an estimate in Mach-O."""
    @property
    def code_bytes(self) -> int:
        """The size of executable content."""
    @property
    def data_bytes(self) -> int:
        """The size of other mapped content."""
    @property
    def flags(self) -> tuple[str, ...]:
        """Properties of the binary.

        Any of "pie", "static", "textrel", "hard-float", "zippered", "aslr", "high-entropy", "nx", "cfg",
        "dotnet", "chained-fixups", "fixed-base", "static-tls", "nodeflib".
        """
    @property
    def refusal(self) -> str | None:
        """Why the loader refuses the binary although it is readable; completes "NAME is not loaded: …"."""
    @property
    def digests(self) -> tuple[Digest, ...]:
        """Mach-O: what the code signature has digests of; nothing tells whether they are right."""
    @property
    def definitions(self) -> tuple[str, ...]:
        """ELF: the symbol versions that it provides, without the one that names the file."""
    @property
    def page_size(self) -> int:
        """ELF: the largest memory pages that its segments can be mapped with; 0 without load segments.

        Offsets and addresses of a segment have to agree modulo the size of a page.
        """
    @property
    def alignment(self) -> int:
        """ELF: the smallest alignment that a load segment declares (p_align), at least 1."""
    @property
    def tls_bytes(self) -> int:
        """ELF: the size of its thread-local storage."""
    @property
    def isa(self) -> Literal[0, 1, 2, 3, 4]:
        """ELF for x86: the level of x86-64 that the GNU property note asks for; 0 without one."""
    @property
    def faults(self) -> tuple[str, ...]:
        """What keeps glibc's loader from loading it as a library, or what other tools read differently.

        ELF, refused: "ident", "no-segments", "no-dynamic", "order", "program", "noopen", "versions",
        "tables", "hash", "numbers", "relr"; before glibc 2.35 also "alignment". Read differently:
        "sections", "counts", "offset", "overlap".
        """

@final
class Scan(tuple[object, ...]):
    """Facts about one file."""

    __match_args__: Final = ("format", "fat", "slices")

    @property
    def format(self) -> Literal["elf", "macho", "pe", "wasm"]: ...
    @property
    def fat(self) -> bool:
        """Whether it is a fat (universal) Mach-O file."""
    @property
    def slices(self) -> tuple[Slice, ...]:
        """The binaries; more than one only if the file is fat."""
