"""Why installers refuse a wheel, by what they print, to count refusals by kind."""

import re

# Not the wheel's fault: another interpreter or system could install it.
NOT_FOR_US = frozenset({"another platform", "another Python"})
_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "another platform",
        (
            "is not a supported wheel on this platform",
            "no wheels? with a matching",
            "not compatible with the current",
            "incompatible with the current platform",
        ),
    ),
    (
        "another Python",
        ("requires a different Python", r"Python version \(.*\) does not satisfy", "does not satisfy Python"),
    ),
    ("variant of a wheel", (r"Missing `variant\.json`",)),
    ("entry points", (r"in entry_points\.txt file",)),
    (
        "archive",
        (
            "multiple entries with different contents",
            "in directory .* and header .* differ",
            "ZIP file uses conflicting paths",
        ),
    ),
    ("no dist-info", (r"\.dist-info directory not found", r"No \.dist-info directory found")),
    ("two dist-infos", (r"[Mm]ultiple \.dist-info directories",)),
    ("dist-info of another name", ("does not start with",)),
    ("name differs", ("has inconsistent [Nn]ame", "metadata name `.*` does not match")),
    (
        "version differs",
        ("has inconsistent [Vv]ersion", "version `.*` does not match", "does not match filename"),
    ),
    ("METADATA missing", ("METADATA file not found", "METADATA'.*KeyError", "METADATA.*not found")),
    (
        "METADATA invalid",
        (
            "Metadata for `.*` could not be parsed",
            "has invalid metadata",
            "BadMetadata",
            "InvalidRequirement",
            "InvalidSpecifier",
            "InvalidVersion",
            "Invalid (?:requirement|specifier|version)",
            "Error decoding metadata",
            "expected string or bytes-like object, got 'NoneType'",  # pip 23.2, without a Name
        ),
    ),
    ("file name", ("is not a valid wheel filename", "wheel filename", "Invalid build number")),
    ("WHEEL missing", ("WHEEL'.*KeyError", "WHEEL`? file not found")),
    ("WHEEL invalid", ("Wheel-Version", "/WHEEL", "wheel major version")),
    ("entry points", ("script entry point", r"entry_points\.txt", "(?:console|gui) script", "distlib/")),
    ("name of an interpreter", ("reserved", "overwrite Python", "is not allowed because it")),
    (
        "unknown part of .data",
        ("Unknown scheme key", "Unexpected file in", "Unknown wheel data", "invalid entry"),
    ),
    (
        "path",
        (
            "outside (?:the )?target directory",
            "outside of the",
            "unacceptable filename",
            "empty filename",
            "escapes",
        ),
    ),
    ("path too long", ("File name too long", "os error 36")),
    (
        "file and folder",
        ("Is a directory", "Not a directory", r"os error (?:17|2[01])\b", "File exists", "FileExistsError"),
    ),
    ("RECORD", ("RECORD",)),
    ("compression method", ("compression method", "compression type", "[Cc]ompression not supported")),
    ("checksum", ("Bad CRC", "CRC-?32")),
    ("encrypted", ("[Ee]ncrypt", "password")),
    (
        "archive",
        (
            r"is invalid\.",
            "[Zz]ip",
            "ZIP",
            r"zlib\.error",
            "EOFError",
            "extra field",
            "central directory",
            "unexpected end of file",
            "deflate",
            "BufError",
            "Failed to extract",
            r"struct\.error",
            "NotImplementedError",
            "Invalid argument",
            "lzma|LZMA|bz2",
            "Invalid data stream",
            "Unicode(?:En|De)codeError",
            "null byte|nul byte",
        ),
    ),
)
_KINDS = tuple((kind, re.compile("|".join(patterns))) for kind, patterns in _ROWS)


def kind_of(output: str, wheel: str) -> str:
    """Return the kind of a refusal from an installer's output; ``wheel`` is the file name."""
    text = output.replace(wheel, "FILE.whl")
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), f"other: {last_line(text)}")


def last_line(output: str) -> str:
    """Return the end of the output, without what differs from run to run."""
    line = output.strip().rpartition("\n")[2]
    line = re.sub(r"\S*/wheelkit-compare-[^/]*/run/a/b/environment", "ENVIRONMENT", line)
    return re.sub(r"0x[0-9a-f]+|\d+", "N", line).strip()[:200]
