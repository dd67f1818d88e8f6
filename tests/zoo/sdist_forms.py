"""Sdists in other formats of tar, with other folders and metadata, and with odd gzip and tar ends."""

import bz2
import io
import struct
import tarfile
import zipfile

from support import wheels
from zoo.raw_tar import BLOCK, Gzip, RawSdist, Record
from zoo.sdists import TOP, change, enter, file, folder, hard, link, sdist


def in_form(form: int, records: list[Record]) -> RawSdist:
    """Return a valid sdist in another format of tar, with more records."""
    raw = sdist()
    raw.records += records
    for record in raw.records:
        record.form = form
    return raw


for name, records in {
    "gnu": [],
    "gnu_long_name": [file("demo/" + "n" * 200)],
    "gnu_long_link": [link("l", "demo/" + "../demo/" * 30 + "data.txt")],
    "gnu_uid": [file("demo/more.txt", changes={"uid": 1 << 40})],
    "gnu_time": [file("demo/more.txt", changes={"mtime": 1 << 40})],
    "gnu_time_negative": [file("demo/more.txt", changes={"mtime": -1})],
    "gnu_not_utf8": [file("demo/\udce9.txt")],
    "gnu_real_sparse": [file("demo/more.txt", kind=tarfile.GNUTYPE_SPARSE)],
    "gnu_volume_label": [Record(name="label", kind=b"V")],
    "gnu_folder": [folder("sub")],
    "gnu_hard_link": [hard("h", f"{TOP}/demo/data.txt")],
}.items():

    def gnu(records: list[Record] = records) -> RawSdist:
        return in_form(tarfile.GNU_FORMAT, records)

    enter(f"sdist_{name}", gnu)


@change
def ustar(raw: RawSdist) -> None:
    for record in raw.records:
        record.form = tarfile.USTAR_FORMAT


@change
def colon(raw: RawSdist) -> None:
    raw.records.append(file("demo/a:b.txt"))


@change
def blank_behind(raw: RawSdist) -> None:
    raw.records.append(file("demo/more "))


@change
def pax_twice(raw: RawSdist) -> None:
    twice = file("demo/more.txt", pax={"comment": "hello"}).write()
    raw.records.append(Record(name="x", raw=twice[: 2 * BLOCK] + twice))


@change
def pax_record_twice(raw: RawSdist) -> None:
    data = file("demo/more.txt", pax={"comment": "hello", "uname": "hello1"}).write()
    raw.records.append(Record(name="x", raw=data.replace(b"uname=hello1", b"comment=hell")))


@change
def pax_global(raw: RawSdist) -> None:
    raw.records.insert(
        0, Record(name="x", raw=tarfile.TarInfo.create_pax_global_header({"comment": "0123abc"}))
    )


@change
def pax_global_path(raw: RawSdist) -> None:
    raw.records.insert(
        0, Record(name="x", raw=tarfile.TarInfo.create_pax_global_header({"path": "demo-1.0/all.txt"}))
    )


@change
def top_folder_entry(raw: RawSdist) -> None:
    raw.records.insert(0, Record(name=TOP, kind=tarfile.DIRTYPE, mode=0o755))


@change
def all_names_with_a_dot(raw: RawSdist) -> None:
    for record in raw.records:
        record.name = f"./{record.name}"


@change
def dot_entry(raw: RawSdist) -> None:
    raw.records.insert(0, Record(name=".", kind=tarfile.DIRTYPE, mode=0o755))


def _top(raw: RawSdist, name: str) -> None:
    for record in raw.records:
        record.name = record.name.replace(TOP, name, 1)


for name, top in {
    "other_top": "other",
    "other_version_top": "demo-2.0",
    "capital_top": "Demo-1.0",
    "blank_top": "demo 1.0",
    "deep_top": "a/demo-1.0",
}.items():

    def tops(top: str = top) -> RawSdist:
        raw = sdist()
        _top(raw, top)
        return raw

    enter(f"sdist_{name}", tops)


@change
def no_top(raw: RawSdist) -> None:
    for record in raw.records:
        record.name = record.name.removeprefix(f"{TOP}/")


for name, left_out in {"pkg_info": "PKG-INFO", "pyproject": "pyproject.toml"}.items():

    def without(left_out: str = left_out) -> RawSdist:
        raw = sdist()
        raw.records = [record for record in raw.records if not record.name.endswith(left_out)]
        return raw

    enter(f"sdist_no_{name}", without)

for name, text in {
    "other_name": wheels.metadata("other", "1.0"),
    "other_version": wheels.metadata("demo", "2.0"),
    "blank_first_line": "\n" + wheels.metadata(),
    "no_name": "Metadata-Version: 2.1\nVersion: 1.0\n",
    "lone_cr": wheels.metadata("demo", "1.0", "Summary: a\rRequires-Dist: x"),
    "dynamic_version": wheels.metadata("demo", "1.0", "Dynamic: Version"),
    "empty": "",
    "requires_python": wheels.metadata("demo", "1.0", "Requires-Python: >=9"),
    "requires_dist_invalid": wheels.metadata("demo", "1.0", "Requires-Dist: six ==== 1"),
    "requires_python_invalid": wheels.metadata("demo", "1.0", "Requires-Python: three"),
    "metadata_version_1_0": wheels.metadata().replace("2.4", "1.0"),
}.items():

    def informed(text: str = text) -> RawSdist:
        raw = sdist()
        raw.record("PKG-INFO").data = text.encode()
        return raw

    enter(f"sdist_pkg_info_{name}", informed)

for name, gzip in {
    "gzip_crc": Gzip(crc=1),
    "gzip_size": Gzip(size=1),
    "gzip_cut": Gzip(cut=8),
    "gzip_cut_more": Gzip(cut=20),
    "gzip_cut_four": Gzip(cut=4),
    "gzip_zeros": Gzip(after=bytes(100)),
    "gzip_bytes": Gzip(after=b"more"),
    "gzip_magic_behind": Gzip(after=b"\x1f\x8b"),
    "gzip_text_behind": Gzip(after=b"more than a header of gzip"),
    "gzip_empty_member": Gzip(after=Gzip().wrap(b"")),
    "gzip_second_member": Gzip(after=Gzip().wrap(b"more")),
    "gzip_second_tar": Gzip(after=Gzip().wrap(RawSdist(records=[file("demo/second.txt")]).tar())),
    "gzip_name": Gzip(flags=8, fields=b"demo.tar\0"),
    "gzip_comment": Gzip(flags=16, fields=b"hello\0"),
    "gzip_extra": Gzip(flags=4, fields=b"\4\0abcd"),
    "gzip_header_crc": Gzip(flags=2, fields=b"\0\0"),
    "gzip_text": Gzip(flags=1),
    "gzip_reserved_flags": Gzip(flags=0xE0),
    "gzip_name_open": Gzip(flags=8, fields=b""),
}.items():

    def zipped(gzip: Gzip = gzip) -> RawSdist:
        raw = sdist()
        raw.gzip = gzip
        return raw

    enter(f"sdist_{name}", zipped)

for name, end in {
    "tar_no_end": b"",
    "tar_half_end": bytes(BLOCK),
    "tar_padded_end": bytes(20 * BLOCK),
    "tar_bytes_behind": bytes(2 * BLOCK) + b"more",
    "tar_zeros_uneven": bytes(2 * BLOCK + 7),
    "tar_garbage_for_end": b"garbage " * 64,
    "tar_second_tar": bytes(2 * BLOCK) + RawSdist(records=[file("demo/second.txt")]).tar(),
    "tar_second_after_one_block": bytes(BLOCK) + RawSdist(records=[file("demo/second.txt")]).tar(),
    "tar_cut_header": file("demo/cut.txt").write()[:300],
    "tar_cut_data": file("demo/cut.txt", b"x" * 5000).write()[:1500],
    "tar_cut_padding": file("demo/cut.txt", b"x" * 5).write()[:517],
}.items():

    def ended(end: bytes = end) -> RawSdist:
        raw = sdist()
        raw.end = end
        return raw

    enter(f"sdist_{name}", ended)


@change
def in_two_gzip_members(raw: RawSdist) -> None:
    tar = raw.tar()
    raw.whole = Gzip().wrap(tar[:1000]) + Gzip().wrap(tar[1000:])


@change
def plain_tar(raw: RawSdist) -> None:
    raw.whole = raw.tar()


@change
def bzip2_inside(raw: RawSdist) -> None:
    raw.whole = bz2.compress(raw.tar())


@change
def zip_inside(raw: RawSdist) -> None:
    raw.whole = _zip(raw)


@change
def empty_file(raw: RawSdist) -> None:
    raw.whole = b""


@change
def no_members(raw: RawSdist) -> None:
    raw.records = []


@change
def stored_deflate(raw: RawSdist) -> None:
    tar = raw.tar()
    blocks = [tar[place : place + 60000] for place in range(0, len(tar), 60000)]
    packed = b"".join(
        struct.pack("<BHH", block is blocks[-1], len(block), len(block) ^ 0xFFFF) + block for block in blocks
    )
    good = Gzip().wrap(tar)
    raw.whole = good[:10] + packed + good[-8:]


def _zip(raw: RawSdist) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for record in raw.records:
            archive.writestr(record.name, record.data)
    return out.getvalue()
