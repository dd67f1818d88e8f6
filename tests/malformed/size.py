"""Wheels that are too large (WK6)."""

import zlib

from malformed.specs import WheelSpec, malformed


@malformed("WK601")
def over_the_budget(draft: WheelSpec) -> None:
    draft.members["demo/noise.bin"] = b"".join(
        zlib.crc32(bytes([n % 256, n // 256])).to_bytes(4, "big") for n in range(60_000)
    )
    draft.config = '[distribution.demo]\nmax-size = "100 kB"\n[matrix]\ntargets = ["manylinux_2_31_x86_64"]\n'


@malformed("WK605")
def links_packed_as_files(draft: WheelSpec) -> None:
    noise = b"".join(zlib.crc32(bytes([n % 256, n // 256])).to_bytes(4, "big") for n in range(60_000))
    draft.members |= {"demo/noise.bin": noise, "demo/noise.bin.1": noise}
