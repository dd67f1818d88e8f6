"""A zoo of malformed and lying wheels, each made from a good one by a few lines, with the code of the finding that must catch it.

`python tests/zoo.py` runs the command on each, as a user would, and prints what it took.
"""

import json
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import wheels
from binaries import elf, macho, pe

LINUX = "demo-1.0-cp311-abi3-manylinux_2_31_x86_64.whl"
MACOS = "demo-1.0-cp311-abi3-macosx_11_0_arm64.whl"
WINDOWS = "demo-1.0-cp311-abi3-win_amd64.whl"
PURE = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
SO, DYLIB, PYD = "demo/dx.abi3.so", "demo/dx.abi3.so", "demo/tiny.pyd"
CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


def so(**shape: object) -> bytes:
    """A good extension module for Linux: it needs glibc 2.29."""
    data = elf.tiny(elf.Shape(**shape)).data  # type: ignore[arg-type]
    return data.replace(b"tiny_call", b"PyInit_dx").replace(b":/opt/tiny", b":$ORIGIN/x")


def dylib(**shape: object) -> bytes:
    """A good extension module for macOS."""
    data = macho.tiny(macho.Shape(trie=False, **shape)).data  # type: ignore[arg-type]
    for old, new in (
        (b"_tiny_call", b"_PyInit_dx"),
        (b"@rpath/libagain.dylib", b"/usr/lib/liba.1.dylib"),
        (b"@rpath/libup.dylib", b"/usr/lib/lib.dylib"),
    ):
        assert len(old) == len(new)
        data = data.replace(old, new)
    return data


def pyd(**shape: object) -> bytes:
    """A good extension module for Windows."""
    return pe.tiny(pe.Shape(**shape)).data  # type: ignore[arg-type]


def fat_dylib() -> bytes:
    """A good extension module for both processors of macOS."""
    return macho.fat([(macho.X86_64, dylib(cpu=macho.X86_64)), (macho.ARM64, dylib())]).data


def swapped(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace bytes by as many others, and insist that there are some."""
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new)


@dataclass(kw_only=True)
class Draft:
    """A wheel in the making: members by path, and what is done to RECORD, to each entry and to the finished bytes."""

    filename: str
    members: dict[str, bytes]
    edit_record: Callable[[str], str] = str
    edit_entry: Callable[[zipfile.ZipInfo], object] = bool
    edit_bytes: Callable[[bytearray], object] = bool
    unrecorded: list[tuple[str, bytes]] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    config: str = ""

    def write(self, folder: Path) -> Path:
        """Write it as a file."""
        path = folder / self.filename
        record = self.edit_record(wheels.record(self.members, INFO)).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in [*self.members.items(), *self.unrecorded, (f"{INFO}/RECORD", record)]:
                entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                self.edit_entry(entry)
                if name not in self.left_out:
                    archive.writestr(entry, data, entry.compress_type)
        data_ = bytearray(path.read_bytes())
        self.edit_bytes(data_)
        path.write_bytes(data_)
        if self.config:
            (folder / "wheelkit.toml").write_text(self.config)
        return path

    def text(self, name: str) -> str:
        return self.members[f"{INFO}/{name}"].decode()

    def swap(self, name: str, old: str, new: str) -> None:
        """Change a text of the dist-info folder."""
        assert old in self.text(name)
        self.members[f"{INFO}/{name}"] = self.text(name).replace(old, new).encode()

    def rename(self, filename: str) -> None:
        """Give the file another name, and let WHEEL agree."""
        self.filename = filename
        self.members[f"{INFO}/WHEEL"] = wheels.wheel_file(filename).encode()


def good(filename: str = LINUX) -> Draft:
    """The good wheel of a system."""
    binary = {LINUX: {SO: so()}, MACOS: {DYLIB: dylib()}, WINDOWS: {PYD: pyd()}, PURE: {}}[filename]
    texts = {
        "demo/__init__.py": "answer = 42\n",
        f"{INFO}/METADATA": wheels.metadata("demo", "1.0", "Requires-Python: >=3.11"),
        f"{INFO}/WHEEL": wheels.wheel_file(filename),
    }
    return Draft(filename=filename, members={name: text.encode() for name, text in texts.items()} | binary)


@dataclass(frozen=True, kw_only=True)
class Animal:
    """One bad wheel: what it is, the code that must catch it, and how it is made."""

    name: str
    code: str
    draft: Callable[[], Draft]

    def write(self, folder: Path) -> Path:
        return self.draft().write(folder)


ZOO: dict[str, Animal] = {}
Change = Callable[[Draft], object]


def animal(code: str, base: str = LINUX) -> Callable[[Change], Change]:
    """Put a change of a good wheel into the zoo, by its function's name."""

    def enter(change: Change) -> Change:
        def draft() -> Draft:
            made = good(base)
            change(made)
            return made

        name = getattr(change, "__name__", "")
        assert name not in ZOO
        ZOO[name] = Animal(name=name, code=code, draft=draft)
        return change

    return enter


# The archive


@animal("WK101")
def empty_file(draft: Draft) -> None:
    draft.edit_bytes = bytearray.clear


@animal("WK101")
def cut_off(draft: Draft) -> None:
    draft.edit_bytes = lambda data: data.__delitem__(slice(len(data) // 2, None))


@animal("WK101")
def no_zip_at_all(draft: Draft) -> None:
    draft.edit_bytes = lambda data: data.__setitem__(slice(None), b"<html>404 Not Found</html>")


def _patch(data: bytearray, signature: bytes, shift: int, value: bytes, number: int = 0) -> None:
    """Overwrite a field of the header of the entry with this number."""
    place = -1
    for _ in range(number + 1):
        place = data.index(signature, place + 1)
    data[place + shift : place + shift + len(value)] = value


@animal("WK101")
def encrypted(draft: Draft) -> None:
    draft.edit_bytes = lambda data: (_patch(data, CENTRAL, 8, b"\1\0"), _patch(data, LOCAL, 6, b"\1\0"))


@animal("WK101")
def packed_by_bzip2(draft: Draft) -> None:
    def edit(entry: zipfile.ZipInfo) -> None:
        entry.compress_type = zipfile.ZIP_BZIP2 if entry.filename == SO else zipfile.ZIP_DEFLATED

    draft.edit_entry = edit


@animal("WK101")
def packed_by_an_unknown_method(draft: Draft) -> None:
    draft.edit_bytes = lambda data: (_patch(data, CENTRAL, 10, b"\x63\0"), _patch(data, LOCAL, 8, b"\x63\0"))


@animal("WK101")
def wrong_checksum(draft: Draft) -> None:
    draft.edit_bytes = lambda data: (_patch(data, CENTRAL, 16, b"\1\2\3\4"), _patch(data, LOCAL, 14, b"\1\2\3\4"))


@animal("WK101")
def declares_less_than_it_holds(draft: Draft) -> None:
    draft.edit_bytes = lambda data: (_patch(data, CENTRAL, 24, b"\5\0\0\0"), _patch(data, LOCAL, 22, b"\5\0\0\0"))


@animal("WK101")
def declares_more_than_it_holds(draft: Draft) -> None:
    draft.edit_bytes = lambda data: (_patch(data, CENTRAL, 24, b"\0\1\0\0"), _patch(data, LOCAL, 22, b"\0\1\0\0"))


@animal("WK101")
def damaged_data(draft: Draft) -> None:
    def edit(data: bytearray) -> None:
        place = data.index(SO.encode()) + len(SO) + 5
        data[place : place + 20] = b"\xff" * 20

    draft.edit_bytes = edit


@animal("WK101")
def no_local_header(draft: Draft) -> None:
    draft.edit_bytes = lambda data: _patch(data, LOCAL, 0, b"____")


@animal("WK101")
def another_name_in_the_local_header(draft: Draft) -> None:
    draft.edit_bytes = lambda data: _patch(data, LOCAL, 30, b"Demo")


@animal("WK115")
def another_size_in_the_local_header(draft: Draft) -> None:
    draft.edit_bytes = lambda data: _patch(data, LOCAL, 22, b"\7\0\0\0")


@animal("WK115")
def another_method_in_the_local_header(draft: Draft) -> None:
    draft.edit_bytes = lambda data: _patch(data, LOCAL, 8, b"\0\0")


@animal("WK116")
def members_that_overlap(draft: Draft) -> None:
    """The first member claims the header of the second one, too, which is how small bombs are built."""

    def edit(data: bytearray) -> None:
        longer = (data[data.index(CENTRAL) + 20] + 40).to_bytes(1, "little")
        _patch(data, CENTRAL, 20, longer)
        _patch(data, LOCAL, 18, longer)

    draft.edit_bytes = edit


@animal("WK114")
def a_bomb(draft: Draft) -> None:
    """400 MB of zeros in 400 kB."""
    packer = zlib.compressobj(9, wbits=-15)
    megabyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)  # refers to nothing before it, so it can be repeated
    _raw_member(draft, "demo/zeros.bin", megabyte * 400 + packer.flush(), 400 << 20)


@animal("WK101")
def a_bomb_of_many(draft: Draft) -> None:
    """An archive that declares 40 GB in 40 kB."""
    for number in range(10):
        _raw_member(draft, f"demo/{number}.bin", bytes(4000), 0xF0000000)


def _raw_member(draft: Draft, name: str, packed: bytes, size: int) -> None:
    """Put a member in whose declared size is what we say: it is stored first, then both of its headers are changed."""
    draft.unrecorded.append((name, packed))
    before = draft.edit_bytes

    def stored(entry: zipfile.ZipInfo) -> None:
        entry.compress_type = zipfile.ZIP_STORED if any(entry.filename == own for own, _ in draft.unrecorded) else zipfile.ZIP_DEFLATED

    def edit(data: bytearray) -> None:
        before(data)
        for signature, shift, start in ((LOCAL, 8, 30), (CENTRAL, 10, 46)):
            place = data.index(signature)
            while bytes(data[place + start : place + start + len(name)]) != name.encode():
                place = data.index(signature, place + 1)
            data[place + shift : place + shift + 2] = b"\x08\0"
            data[place + shift + 14 : place + shift + 18] = size.to_bytes(4, "little")

    draft.edit_entry, draft.edit_bytes = stored, edit


@animal("WK103")
def absolute_path(draft: Draft) -> None:
    draft.members["/etc/cron.d/demo"] = b"x"


@animal("WK103")
def climbing_path(draft: Draft) -> None:
    draft.members["demo/../../up.py"] = b"x"


@animal("WK103")
def drive_letter(draft: Draft) -> None:
    draft.members["C:/Windows/demo.dll"] = b"x"


@animal("WK103")
def backslashes(draft: Draft) -> None:
    draft.members["demo\\sub\\mod.py"] = b"x"


@animal("WK103")
def nul_in_a_name(draft: Draft) -> None:
    draft.members["demo/good.pyXevil"] = b"x"

    def edit(data: bytearray) -> None:
        while (place := data.find(b"good.pyXevil")) >= 0:
            data[place + 7] = 0

    draft.edit_bytes = edit


@animal("WK103")
def control_characters(draft: Draft) -> None:
    draft.members["demo/\x1b[2J.py"] = b"x"


@animal("WK103")
def another_spelling_of_a_path(draft: Draft) -> None:
    draft.members["./demo/__init__.py"] = b"import os"


@animal("WK103")
def a_path_of_thirty_thousand_folders(draft: Draft) -> None:
    draft.members["a/" * 30_000 + "b.py"] = b"x"


@animal("WK104")
def a_member_twice(draft: Draft) -> None:
    draft.members |= {"demo/twinA.py": b"1", "demo/twinB.py": b"2"}
    draft.edit_record = lambda text: text.replace(wheels.row("demo/twinB.py", b"2") + "\n", "")
    draft.edit_bytes = lambda data: data.__setitem__(slice(None), data.replace(b"demo/twinB.py", b"demo/twinA.py"))


@animal("WK105")
def names_that_differ_in_case(draft: Draft) -> None:
    draft.members |= {"demo/Readme": b"x", "demo/README": b"y"}


@animal("WK105")
def names_that_differ_in_accents(draft: Draft) -> None:
    draft.members |= {"demo/caf\u00e9.txt": b"x", "demo/cafe\u0301.txt": b"y"}


@animal("WK106")
def a_pipe(draft: Draft) -> None:
    draft.members["demo/pipe"] = b""

    def edit(entry: zipfile.ZipInfo) -> None:
        entry.external_attr = (0o010644 if entry.filename.endswith("pipe") else 0o100644) << 16

    draft.edit_entry = edit


@animal("WK106")
def symbolic_link(draft: Draft) -> None:
    draft.members["demo/link.so"] = b"dx.abi3.so"

    def edit(entry: zipfile.ZipInfo) -> None:
        entry.external_attr = (0o120777 if entry.filename.endswith("link.so") else 0o100644) << 16

    draft.edit_entry = edit


@animal("WK118")
def a_file_and_a_folder(draft: Draft) -> None:
    draft.members |= {"demo/data": b"x", "demo/data/table.csv": b"y"}


@animal("WK117", PURE)
def a_name_that_windows_lacks(draft: Draft) -> None:
    draft.members["demo/aux.py"] = b"x"


@animal("WK113")
def something_behind_it(draft: Draft) -> None:
    draft.edit_bytes = lambda data: data.extend(b"and more")


@animal("WK113")
def a_script_before_it(draft: Draft) -> None:
    draft.edit_bytes = lambda data: data.__setitem__(slice(0, 0), b"#!/bin/sh\n")


@animal("WK113")
def a_folder_with_contents(draft: Draft) -> None:
    draft.unrecorded.append(("demo/folderX", b"what nobody unpacks"))
    draft.edit_bytes = lambda data: data.__setitem__(slice(None), data.replace(b"demo/folderX", b"demo/folder/"))


@animal("WK115")
def a_member_that_the_directory_leaves_out(draft: Draft) -> None:
    """Whoever unpacks while downloading installs it."""
    draft.unrecorded.append(("demo/hidden.py", b"import os"))

    def edit(data: bytearray) -> None:
        end = data.rindex(END)
        entry = data.rindex(b"demo/hidden.py") - 46
        del data[entry : entry + 46 + len("demo/hidden.py")]
        end -= 46 + len("demo/hidden.py")
        for shift in (8, 10):
            data[end + shift] -= 1
        size = int.from_bytes(data[end + 12 : end + 16], "little") - 46 - len("demo/hidden.py")
        data[end + 12 : end + 16] = size.to_bytes(4, "little")

    draft.edit_bytes = edit


@animal("WK115")
def another_name_in_an_extra_field(draft: Draft) -> None:
    """Info-ZIP's Unicode path, which some unpackers go by."""

    def edit(entry: zipfile.ZipInfo) -> None:
        if entry.filename == "demo/__init__.py":
            field = b"\1" + zlib.crc32(entry.filename.encode()).to_bytes(4, "little") + b"demo/other.py"
            entry.extra = b"\x75\x70" + len(field).to_bytes(2, "little") + field

    draft.edit_entry = edit


@animal("WK101")
def metadata_to_keep_readers_busy(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python", "Classifier: x\n" * 400_000 + "Requires-Python")


@animal("WK111")
def month_zero(draft: Draft) -> None:
    def edit(entry: zipfile.ZipInfo) -> None:
        entry.date_time = (1980, 0, 0, 0, 0, 0)

    draft.edit_entry = edit


# RECORD


@animal("WK102")
def changed_after_it_was_made(draft: Draft) -> None:
    before = draft.members["demo/__init__.py"]
    draft.edit_record = lambda text: text.replace(wheels.row("demo/__init__.py", before + b"#"), wheels.row("demo/__init__.py", before))
    draft.members["demo/__init__.py"] = before + b"#"


@animal("WK102")
def another_size_in_record(draft: Draft) -> None:
    draft.edit_record = lambda text: text.replace(",12\n", ",13\n")


@animal("WK107")
def no_record(draft: Draft) -> None:
    draft.left_out.add(f"{INFO}/RECORD")


@animal("WK107")
def record_that_is_no_table(draft: Draft) -> None:
    draft.edit_record = lambda _: "these are not\nthe rows,you are,looking,for\n"


@animal("WK108")
def a_file_that_record_lacks(draft: Draft) -> None:
    draft.unrecorded.append(("demo/stowaway.py", b"import os"))


@animal("WK108")
def a_row_without_hash(draft: Draft) -> None:
    draft.edit_record = lambda text: text.replace(wheels.row("demo/__init__.py", b"answer = 42\n"), "demo/__init__.py,,")


@animal("WK102")
def record_hashes_itself(draft: Draft) -> None:
    draft.edit_record = lambda text: text.replace("RECORD,,", "RECORD,sha256=AAAA,5")


@animal("WK109")
def a_row_without_file(draft: Draft) -> None:
    draft.edit_record = lambda text: text + wheels.row("demo/gone.py", b"x") + "\n"


@animal("WK110")
def md5_in_record(draft: Draft) -> None:
    draft.edit_record = lambda text: text.replace(
        wheels.row("demo/__init__.py", b"answer = 42\n"), wheels.row("demo/__init__.py", b"answer = 42\n", "md5")
    )


# Names and tags


@animal("WK201")
def no_wheel_name(draft: Draft) -> None:
    draft.filename = "demo.whl"


@animal("WK202")
def name_not_normalised(draft: Draft) -> None:
    draft.filename = LINUX.replace("demo", "Demo")


@animal("WK203")
def renamed_to_an_older_system(draft: Draft) -> None:
    draft.filename = LINUX.replace("2_31", "2_17")


@animal("WK203")
def renamed_to_an_older_python(draft: Draft) -> None:
    draft.filename = LINUX.replace("cp311", "cp38")


@animal("WK203")
def a_compressed_tag_set_half_listed(draft: Draft) -> None:
    draft.filename = LINUX.replace("manylinux_2_31", "manylinux_2_31_x86_64.manylinux_2_35")


@animal("WK204")
def metadata_of_another_project(draft: Draft) -> None:
    draft.swap("METADATA", "Name: demo", "Name: other")


@animal("WK204")
def metadata_of_another_version(draft: Draft) -> None:
    draft.swap("METADATA", "Version: 1.0\n", "Version: 2.0\n")


@animal("WK205")
def purelib_with_a_platform(draft: Draft) -> None:
    draft.swap("WHEEL", "Purelib: false", "Purelib: true")


@animal("WK205")
def purelib_that_is_neither(draft: Draft) -> None:
    draft.swap("WHEEL", "Purelib: false", "Purelib: perhaps")


@animal("WK205")
def a_module_installed_as_pure_python(draft: Draft) -> None:
    draft.members[f"demo-1.0.data/purelib/{SO}"] = draft.members.pop(SO)


@animal("WK203")
def tags_that_stand_for_millions(draft: Draft) -> None:
    sets = (".".join(f"{kind}{number}" for number in range(300)) for kind in ("cp", "abi", "linux_"))
    draft.swap("WHEEL", "Tag: ", f"Tag: {'-'.join(sets)}\nTag: ")


@animal("WK214")
def an_interpreter_and_the_abi_of_another(draft: Draft) -> None:
    draft.rename(LINUX.replace("abi3", "cp312"))


@animal("WK214")
def the_stable_abi_of_no_interpreter(draft: Draft) -> None:
    draft.rename(LINUX.replace("cp311", "py3"))


@animal("WK215", PURE)
def entry_points_that_are_no_table(draft: Draft) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"demo = demo:main\n"


@animal("WK215", PURE)
def a_script_that_calls_nothing(draft: Draft) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\ndemo = demo\n"


@animal("WK215", PURE)
def a_script_that_climbs(draft: Draft) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\n../../demo = demo:main\n"


@animal("WK216", PURE)
def a_script_of_a_module_that_is_not_there(draft: Draft) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\ndemo = demo.cli:main\n"


@animal("WK206")
def a_build_tag_that_wheel_lacks(draft: Draft) -> None:
    draft.rename(LINUX.replace("1.0-", "1.0-3-"))


@animal("WK207")
def no_wheel_file(draft: Draft) -> None:
    del draft.members[f"{INFO}/WHEEL"]


@animal("WK207")
def a_wheel_of_the_future(draft: Draft) -> None:
    draft.swap("WHEEL", "Wheel-Version: 1.0", "Wheel-Version: 2.0")


@animal("WK101")
def no_metadata(draft: Draft) -> None:
    del draft.members[f"{INFO}/METADATA"]


@animal("WK209")
def two_dist_infos(draft: Draft) -> None:
    draft.members["demo-0.9.dist-info/METADATA"] = wheels.metadata("demo", "0.9").encode()


@animal("WK209")
def a_second_dist_info_in_capitals(draft: Draft) -> None:
    draft.members["DEMO-1.0.DIST-INFO/NOTES"] = b"x"


@animal("WK210")
def a_data_folder_of_another_name(draft: Draft) -> None:
    draft.members["other-1.0.data/scripts/demo"] = b"#!python\n"


@animal("WK210")
def an_unknown_scheme(draft: Draft) -> None:
    draft.members["demo-1.0.data/etc/demo.conf"] = b"x"


@animal("WK217")
def tests_beside_the_package(draft: Draft) -> None:
    draft.members["tests/test_demo.py"] = b"import demo\n"


@animal("WK217", PURE)
def an_init_file_at_the_top(draft: Draft) -> None:
    draft.members["__init__.py"] = b""


@animal("WK217", PURE)
def a_module_of_the_standard_library(draft: Draft) -> None:
    draft.members["statistics.py"] = b"mean = 42\n"


@animal("WK218", PURE)
def metadata_and_nothing_else(draft: Draft) -> None:
    for name in [name for name in draft.members if not name.startswith(INFO)]:
        del draft.members[name]


@animal("WK219", PURE)
def bytecode_beside_its_source(draft: Draft) -> None:
    draft.members["demo/__pycache__/__init__.cpython-312.pyc"] = b"\xcb\r\r\n"


# Binaries against the platform tag


@animal("WK301")
def an_arm_binary_tagged_x86_64(draft: Draft) -> None:
    draft.members[SO] = so(machine=183)


@animal("WK302")
def a_windows_binary_tagged_linux(draft: Draft) -> None:
    draft.members["demo/tiny.pyd"] = pyd()


@animal("WK303")
def a_windows_program_tagged_linux(draft: Draft) -> None:
    draft.members["demo/tool.exe"] = pyd(dll=False, imports=False).replace(b"PyInit_tiny", b"tinytinytin")


@animal("WK304", PURE)
def a_binary_tagged_any(draft: Draft) -> None:
    draft.members[SO] = so()


@animal("WK305", PURE)
def a_library_tagged_any(draft: Draft) -> None:
    draft.members["demo/libtiny.so"] = elf.tiny(elf.Shape()).data


@animal("WK306")
def a_platform_without_a_binary(draft: Draft) -> None:
    del draft.members[SO]


@animal("WK307")
def tagged_plain_linux(draft: Draft) -> None:
    draft.rename(LINUX.replace("manylinux_2_31", "linux"))


@animal("WK308")
def a_binary_cut_off(draft: Draft) -> None:
    draft.members[SO] = so()[:900]


@animal("WK308")
def a_binary_of_noise(draft: Draft) -> None:
    draft.members[SO] = so()[:64] + bytes(range(256)) * 8


@animal("WK308")
def an_empty_module(draft: Draft) -> None:
    draft.members[SO] = b""


@animal("WK308")
def a_pointer_to_a_module(draft: Draft) -> None:
    draft.members[SO] = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"


@animal("WK302", MACOS)
def a_mac_binary_tagged_ios(draft: Draft) -> None:
    draft.rename("demo-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl")


@animal("WK301")
def a_binary_for_another_android(draft: Draft) -> None:
    draft.rename("demo-1.0-cp313-cp313-android_24_arm64_v8a.whl")


@animal("WK311")
def too_new_a_glibc(draft: Draft) -> None:
    draft.rename(LINUX.replace("2_31", "2_28"))


@animal("WK313")
def a_misspelt_platform(draft: Draft) -> None:
    draft.rename(LINUX.replace("manylinux", "manylinus"))


@animal("WK314")
def glibc_tagged_musl(draft: Draft) -> None:
    draft.rename(LINUX.replace("manylinux_2_31", "musllinux_1_2"))


@animal("WK316")
def an_executable_stack(draft: Draft) -> None:
    draft.members[SO] = so(stack=7)


@animal("WK321", MACOS)
def too_new_a_macos(draft: Draft) -> None:
    draft.rename(MACOS.replace("11_0_arm64", "10_9_x86_64"))
    draft.members[DYLIB] = dylib(cpu=macho.X86_64, build_version=False)


@animal("WK322", MACOS)
def half_a_universal2(draft: Draft) -> None:
    draft.rename(MACOS.replace("11_0_arm64", "10_13_universal2"))


@animal("WK323", MACOS)
def unsigned_on_arm64(draft: Draft) -> None:
    draft.members[DYLIB] = dylib(signed=False)


@animal("WK301", WINDOWS)
def a_32_bit_dll_tagged_amd64(draft: Draft) -> None:
    draft.members[PYD] = pyd(machine=pe.I386, wide=False)


@animal("WK331", WINDOWS)
def a_debug_runtime(draft: Draft) -> None:
    draft.members[PYD] = swapped(pyd(), b"WS2_32.dll", b"mfc14d.dll")


# ABI


@animal("WK401")
def outside_the_stable_abi(draft: Draft) -> None:
    draft.members[SO] = swapped(so(), b"PyLong_FromLong", b"_PyLong_Private")


@animal("WK402")
def newer_than_the_floor(draft: Draft) -> None:
    draft.members[SO] = swapped(so(), b"PyLong_FromLong", b"PyUnicode_Equal")


@animal("WK402", MACOS)
def newer_than_the_floor_on_macos(draft: Draft) -> None:
    draft.members[DYLIB] = swapped(dylib(), b"PyLong_FromLong", b"PyUnicode_Equal")


@animal("WK402", WINDOWS)
def newer_than_the_floor_on_windows(draft: Draft) -> None:
    draft.members[PYD] = swapped(pyd(), b"PyLong_FromLong", b"PyUnicode_Equal")


@animal("WK403", WINDOWS)
def bound_to_one_python(draft: Draft) -> None:
    draft.members[PYD] = swapped(pyd(), b"ADVAPI32.dll", b"python39.dll")


@animal("WK404")
def a_suffix_for_another_python(draft: Draft) -> None:
    draft.members["demo/dx.cpython-312-x86_64-linux-gnu.so"] = draft.members.pop(SO)


@animal("WK405")
def no_entry_point(draft: Draft) -> None:
    draft.members["demo/other.abi3.so"] = elf.tiny(elf.Shape()).data.replace(b":/opt/tiny", b":$ORIGIN/x")


@animal("WK406")
def compiled_for_free_threading(draft: Draft) -> None:
    draft.rename(LINUX.replace("abi3", "cp311"))
    names, others = b"PyLong_FromLong\0__gmon_start__\0", b"_Py_DecRefShared\0_gmon_start__\0"
    draft.members["demo/dx.cpython-311-x86_64-linux-gnu.so"] = swapped(draft.members.pop(SO), names, others)


@animal("WK408")
def a_module_of_another_python_left_over(draft: Draft) -> None:
    draft.rename(LINUX.replace("abi3", "cp311"))
    module = draft.members.pop(SO)
    draft.members |= {f"demo/dx.cpython-{version}-x86_64-linux-gnu.so": module for version in (311, 312)}


@animal("WK409")
def a_module_renamed(draft: Draft) -> None:
    draft.members["demo/dy.abi3.so"] = draft.members.pop(SO)


@animal("WK409", MACOS)
def half_a_universal2_without_symbols(draft: Draft) -> None:
    draft.rename(MACOS.replace("11_0_arm64", "11_0_universal2"))
    other = swapped(dylib(cpu=macho.X86_64), b"_PyInit_dx", b"_PyGone_dx")
    draft.members[DYLIB] = macho.fat([(macho.X86_64, other), (macho.ARM64, dylib())]).data


# Libraries


@animal("WK511")
def a_grafted_library_moved(draft: Draft) -> None:
    """The module looks in demo/x alone."""
    _needing_libq(draft, "demo.libs/libq.so.6")


@animal("WK511")
def a_grafted_library_renamed(draft: Draft) -> None:
    _needing_libq(draft, "demo/x/other.so.6")


@animal("WK512")
def a_library_beside_the_module_without_a_search_path(draft: Draft) -> None:
    _needing_libq(draft, "demo/libq.so.6")


def _needing_libq(draft: Draft, place: str) -> None:
    """Let the module need a library that lies at this place of the wheel."""
    draft.members[SO] = swapped(so(), b"libm.so.6", b"libq.so.6")
    draft.members[place] = elf.tiny(elf.Shape()).data.replace(b":/opt/tiny", b":$ORIGIN/x").replace(b"libtiny.so.1", b"libq.so.6\0\0\0")


@animal("WK501")
def a_library_that_nobody_brings(draft: Draft) -> None:
    draft.members[SO] = swapped(so(), b"libm.so.6", b"libq.so.6")


@animal("WK501", MACOS)
def a_library_of_the_build_machine(draft: Draft) -> None:
    draft.members[DYLIB] = swapped(dylib(), b"/usr/lib/liba.1.dylib", b"/opt/lib/liba.1.dylib")


@animal("WK508", WINDOWS)
def a_dll_that_nobody_brings(draft: Draft) -> None:
    draft.members[PYD] = swapped(pyd(), b"WS2_32.dll", b"OWN_32.dll")


@animal("WK502")
def linked_with_libpython(draft: Draft) -> None:
    draft.members[SO] = swapped(so(), b"libm.so.6\0$ORIGIN", b"libpython3.11.so\0")


@animal("WK503")
def an_excluded_library_grafted(draft: Draft) -> None:
    draft.members["demo.libs/libc10-1a2b3c4d.so"] = elf.tiny(elf.Shape()).data
    draft.config = '[exclude]\ntorch = ["libc10*"]\n'


@animal("WK506")
def a_search_path_of_the_build_machine(draft: Draft) -> None:
    draft.members[SO] = elf.tiny(elf.Shape()).data.replace(b"tiny_call", b"PyInit_dx")


@animal("WK507")
def one_library_twice(draft: Draft) -> None:
    for mark in ("1a2b3c4d", "5e6f7a8b"):
        draft.members[f"demo.libs/libtiny-{mark}.so.1"] = so()


# Size and metadata


@animal("WK601")
def over_the_budget(draft: Draft) -> None:
    draft.members["demo/noise.bin"] = b"".join(zlib.crc32(bytes([n % 256, n // 256])).to_bytes(4, "big") for n in range(60_000))
    draft.config = '[distribution.demo]\nmax-size = "100 kB"\n[matrix]\ntargets = ["manylinux_2_31_x86_64"]\n'


@animal("WK701")
def a_field_that_is_not_valid(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python: >=3.11", "Requires-Python: three")


@animal("WK701")
def a_requirement_that_is_none(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python", "Requires-Dist: six ==== 1\nRequires-Python")


@animal("WK702")
def requires_python_excludes_it(draft: Draft) -> None:
    draft.rename(LINUX.replace("abi3", "cp311"))
    draft.swap("METADATA", ">=3.11", ">=3.12")
    draft.members["demo/dx.cpython-311-x86_64-linux-gnu.so"] = draft.members.pop(SO)


@animal("WK702")
def requires_python_excludes_all_of_the_stable_abi(draft: Draft) -> None:
    draft.swap("METADATA", ">=3.11", ">=3.8,<3.11")


@animal("WK720")
def a_requirement_by_url(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python", "Requires-Dist: six @ https://example.org/six.whl\nRequires-Python")


@animal("WK703")
def a_local_version(draft: Draft) -> None:
    draft.filename = LINUX.replace("1.0", "1.0+local")


@animal("WK708")
def a_licence_that_is_not_there(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python", "License-File: LICENSE\nRequires-Python")


@animal("WK710")
def a_description_that_does_not_render(draft: Draft) -> None:
    draft.swap("METADATA", "A demo.", "Demo\n====\n\n.. nonsense::\n\n   x\n")
    draft.config = '[matrix]\ntargets = ["manylinux_2_31_x86_64"]\n'


@animal("WK718")
def a_description_in_no_markup(draft: Draft) -> None:
    draft.swap("METADATA", "Description-Content-Type: text/x-rst\n", "")
    draft.config = '[matrix]\ntargets = ["manylinux_2_31_x86_64"]\n'


@animal("WK715", PURE)
def more_dependencies_than_promised(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python", "Requires-Dist: numpy>=2\nRequires-Dist: six\nRequires-Python")
    draft.config = '[distribution.demo]\ndependencies = ["NumPy"]\n'


@animal("WK716", PURE)
def a_meta_with_code(draft: Draft) -> None:
    draft.config = '[distribution.demo]\nkind = "meta"\n'


# How the zoo is visited


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What the command said of one wheel, and what it took: seconds and the largest memory in MB."""

    exit_code: int
    out: str
    err: str
    seconds: float
    megabytes: float


# A process counts as its own what its parent had in memory when it was forked, so a small one stands between it and pytest.
_MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump([done.returncode, usage.ru_maxrss], file)
"""


def visit(path: Path, *, timeout: float = 60) -> Visit:
    """Run the command on a wheel as a user would; raise TimeoutExpired where it hangs."""
    with tempfile.TemporaryDirectory() as folder:
        measured = Path(folder, "measured.json")
        command = [sys.executable, "-m", "wheelkit", "verify-matrix", "--json", path.name]
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MEASURE, str(measured), *command],
            cwd=path.parent,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
        seconds = time.perf_counter() - started
        exit_code, peak = json.loads(measured.read_text())
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Visit(exit_code=exit_code, out=done.stdout, err=done.stderr, seconds=seconds, megabytes=peak / scale)


def main() -> int:
    """Visit every animal, and print what each took."""
    visits = []
    for name, one in ZOO.items():
        with tempfile.TemporaryDirectory() as folder:
            seen = visit(one.write(Path(folder)))
        caught = one.code in seen.out
        visits.append((seen, caught))
        print(f"{one.code}  {'caught' if caught else 'MISSED'}  {seen.seconds:5.2f} s  {seen.megabytes:4.0f} MB  {name}")
    worst = max(seen.seconds for seen, _ in visits), max(seen.megabytes for seen, _ in visits)
    print(f"{len(visits)} wheels, {sum(caught for _, caught in visits)} caught; at most {worst[0]:.2f} s and {worst[1]:.0f} MB")
    return 0 if all(caught for _, caught in visits) else 1


if __name__ == "__main__":
    sys.exit(main())
