"""Write every tiny binary to a folder, and run a program on all of them if one is given.

python tests/binaries/make.py FOLDER [PROGRAM]
"""

import shutil
import subprocess
import sys
from pathlib import Path

# As a script, this module has to find its own package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from binaries import elf, macho, pe
from binaries.layout import Binary

PROGRAMS = {
    "compiled.so": (
        "int tiny_call(int x) { return x + 1; }",
        ["-shared", "-fPIC", "-Wl,-soname,libtiny.so.1"],
    ),
    "compiled.o": ("int tiny_call(int x) { return x + 1; }", ["-c", "-g"]),
    "compiled.exe": ('#include <stdio.h>\nint main(void) { return puts("tiny"); }', ["-Wl,-z,now"]),
}


def assembled() -> dict[str, Binary]:
    """Return the binaries that need no compiler."""
    return {**_elf(), **_macho(), **_pe()}


def compiled(folder: Path) -> dict[str, bytes]:
    """Return small compiled binaries; empty without a C compiler."""
    binaries = {}
    compiler = shutil.which("cc")
    for name, (source, options) in PROGRAMS.items() if compiler else ():
        output = folder / name
        command = [str(compiler), "-x", "c", "-", *options, "-o", str(output)]
        subprocess.run(command, input=source, text=True, check=True)
        binaries[name] = output.read_bytes()
        output.unlink()
    return binaries


def _elf() -> dict[str, Binary]:
    shapes = {
        "x86_64": elf.Shape(),
        "i686": elf.Shape(wide=False, machine=3),
        "aarch64": elf.Shape(machine=183, stack=None, gnu_hash=True),
        "armv7l": elf.Shape(wide=False, machine=40, flags=0x5000400),
        "ppc64": elf.Shape(machine=21, order="big", stack=None),
        "s390x": elf.Shape(machine=22, order="big", long_hash=True),
        "mips": elf.Shape(machine=8, wide=False, order="big"),
        "stripped": elf.Shape(sections=False),
        "stripped-gnu-hash": elf.Shape(sections=False, gnu_hash=True),
        "interpreter": elf.Shape(interpreter=True, stack=7),
        "properties": elf.Shape(isa=0b1100, tls=600, defines="TINY_1", load_flags=7),
        "properties-32": elf.Shape(isa=0b10, wide=False, machine=3),
    }
    return {f"elf-{name}": elf.tiny(shape) for name, shape in shapes.items()}


def _macho() -> dict[str, Binary]:
    thin = {
        "arm64": macho.tiny(macho.Shape()),
        "x86_64": macho.tiny(macho.Shape(cpu=macho.X86_64, build_version=False, signed=False)),
        "i386": macho.tiny(macho.Shape(cpu=macho.X86, wide=False, trie=False)),
        "ppc": macho.tiny(macho.Shape(cpu=macho.PPC, wide=False, order="big", kind=8)),
    }
    slices = [(macho.X86_64, thin["x86_64"].data), (macho.ARM64, thin["arm64"].data)]
    both = {"fat": macho.fat(slices), "fat64": macho.fat(slices, wide=True)}
    return {f"macho-{name}": binary for name, binary in (thin | both).items()}


def _pe() -> dict[str, Binary]:
    shapes = {
        "amd64": pe.Shape(),
        "i386": pe.Shape(machine=pe.I386, wide=False),
        "arm64": pe.Shape(machine=pe.ARM64, signed=True),
        "mingw": pe.Shape(symbols=True),
        "addresses-only": pe.Shape(names=False),
        "program": pe.Shape(dll=False, imports=False),
    }
    return {f"pe-{name}": pe.tiny(shape) for name, shape in shapes.items()}


def main(folder: Path, *program: str) -> int:
    """Write the binaries and print how many; returns the program's exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: binary.data for name, binary in assembled().items()} | compiled(folder)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    print(f"{len(files)} binaries in {folder}", flush=True)
    command = [*program, *(str(folder / name) for name in files)]
    return subprocess.run(command, check=False).returncode if program else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
