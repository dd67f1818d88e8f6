"""Archives with data descriptors, as writers make them that cannot seek."""

from zoo.raw_zip import WIDE, Entry, RawZip, zip64
from zoo.variants import EMPTY, PACKED, SIZE, TABLE, archive, change, enter

for name, (member, form, wrong) in {
    "signed": (TABLE, "<4sLLL", {}),
    "unsigned": (TABLE, "<LLL", {}),
    "signed_64": (TABLE, "<4sLQQ", {}),
    "unsigned_64": (TABLE, "<LQQ", {}),
    "wrong_crc": (TABLE, "<4sLLL", {"crc": 5}),
    "wrong_size": (TABLE, "<4sLLL", {"size": 5}),
    "wrong_packed": (TABLE, "<4sLLL", {"packed": 5}),
    "zeros": (TABLE, "<4sLLL", {"crc": 0, "size": 0, "packed": 0}),
    "swapped": (TABLE, "<4sLLL", {"size": PACKED, "packed": SIZE}),
    "empty_member": (EMPTY, "<4sLLL", {}),
    "unsigned_wrong_crc": (TABLE, "<LLL", {"crc": 5}),
}.items():
    for kind in ("deflated", "stored"):

        def streamed(
            kind: str = kind, member: str = member, form: str = form, wrong: dict[str, int] = wrong
        ) -> RawZip:
            raw = archive()
            entry = raw.entry(member)
            entry.method = 8 if kind == "deflated" else 0
            entry.streamed(form, **wrong)
            return raw

        enter(f"descriptor_{name}_{kind}", streamed)


@change
def descriptor_of_all(raw: RawZip) -> None:
    for entry in raw.entries:
        entry.streamed()


@change
def descriptor_with_sizes_in_the_header(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed()
    entry.local = {}


@change
def descriptor_with_wrong_sizes_in_the_header(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed()
    entry.local = {"size": 5, "packed": 5, "crc": 5}


@change
def descriptor_with_a_crc_in_the_header(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed()
    del entry.local["crc"]


@change
def descriptor_64_with_the_field(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed("<4sLQQ")
    entry.local |= {"size": WIDE, "packed": WIDE, "extra": zip64(0, 0)}


@change
def descriptor_64_with_a_zero_field(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed("<4sLQQ")
    entry.local |= {"extra": zip64(0, 0)}


@change
def descriptor_32_with_the_field(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed()
    entry.local |= {"size": WIDE, "packed": WIDE, "extra": zip64(0, 0)}


@change
def descriptor_missing(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed()
    entry.descriptor = b""


@change
def descriptor_without_the_flag(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed()
    entry.both, entry.local = {}, {}


@change
def descriptor_flag_only_central(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed()
    entry.both, entry.local, entry.central = {}, {}, {"flags": 8}


@change
def descriptor_flag_only_local(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.streamed()
    entry.central = {"flags": 0}


@change
def descriptor_of_a_folder(raw: RawZip) -> None:
    entry = Entry(name=b"demo/sub/", data=b"", method=0)
    entry.streamed()
    raw.entries.insert(0, entry)


@change
def descriptor_of_a_deflated_folder(raw: RawZip) -> None:
    entry = Entry(name=b"demo/sub/", data=b"")
    entry.streamed()
    raw.entries.insert(0, entry)
