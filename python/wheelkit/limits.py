"""Bounds on everything that comes from outside: files, archives, and the answers of indexes and programs.

Each is decided from the data, by a declared size or a running total, and is far above what real projects
have; the comment says what that is. What exceeds a bound is refused in one message. docs/limits.md lists
them for users. How long programs may take is in machine/time_limits.py.
"""

from __future__ import annotations

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30

# --- indexes ---------------------------------------------------------------------------------------------

PAGE = 50 * MB
"""An index's answer that is read into memory. The largest project pages have some 30 MB."""
PAGE_FILES = 200_000
"""The files on a project page. The largest projects have some 60,000."""
DOWNLOAD = 8 * GB
"""A file that is downloaded, to the disk. torch's wheels have 2 GB."""
PAGE_TAGS = 1_500_000
"""The tags of a project page in HTML; it has three for each file."""
PAGE_QUOTES = 6_000_000
"""The quotes of such a page: a link has up to four attributes in quotes."""
TAG = 16 * KB
"""A tag of such a page, with the text behind it."""
HEAD = 256 * KB
"""Status line and headers of an answer, with everything before them such as ``100 Continue``."""
REQUEST_SECONDS = 120.0
"""Connecting, sending, waiting and receiving, in all attempts and redirects of one request."""
BYTES_PER_SECOND = 50_000
"""An answer gets more time by its size; one that arrives more slowly than this is given up."""

# --- wheels and sdists -----------------------------------------------------------------------------------

MEMBERS, SDIST_MEMBERS = 65_535, 40_000
"""Files and folders in a wheel and in an sdist. Real wheels have up to some 60,000, sdists up to 30,000."""
DIRECTORY = 64 * MB
"""The central directory of a zip archive."""
FOLDERS = 128 * MB
"""The paths of the folders of each file in an archive, in characters: checks look at each of them."""
NAMES = 8 * MB
"""The paths in an sdist, in characters."""
PATH = 4096
"""The characters of a path. Linux cannot create longer ones, and Windows and macOS much shorter ones."""
RATIO = 200
"""How far an archive or a member may expand. The densest real members are tables of zeros: ten times."""
SMALL_MEMBER, SMALL_WHEEL, SMALL_SDIST = 64 * MB, GB, 256 * MB
"""The sizes up to which a member, a wheel or an sdist may expand farther."""
DIST_INFO = {"RECORD": 16 * MB, "METADATA": 4 * MB, "WHEEL": MB, "entry_points.txt": 256 * KB}
"""The largest files in .dist-info. The largest RECORD known has 4 MB, the largest METADATA 0.5 MB."""
SBOM, SBOMS = 16 * MB, 64 * MB
"""A file in .dist-info/sboms, and all of them together. The largest known has 0.5 MB."""
HEADER_LINES, HEADER = 10_000, MB
"""Lines and bytes of METADATA or PKG-INFO before the description. The longest known have 1,500 lines."""
FIELDS = 300
"""Different fields in METADATA; there are some 40. packaging's parser takes quadratic time for them."""
VALUE, PARENTHESES = 2000, 20
"""Characters of a field that is parsed, and the parentheses of a requirement: parsers may take minutes."""
RECORD_LINES = 1000
"""The lines that RECORD may have beyond two for each member."""
PTH = 4 * MB
"""The .pth files of a wheel together; Python reads them at each start."""
SDIST_TEXT, SDIST_TEXTS = MB, 16 * MB
"""A PKG-INFO, pyproject.toml or meson.build in an sdist that is read, and all of them together."""
TAR_HEADER, TAR_HEADERS = 2 * MB, 80 * MB
"""What is read of one member before its contents, with extended headers, and of all members together."""

# --- files of a project, and what programs print ---------------------------------------------------------

TEXT = 16 * MB
"""A text file that is read whole: configuration, lock file, manifest, journal, build file."""
TOML = 2 * MB
"""A TOML file that is parsed: Python's parser takes a second and 100 MB for each megabyte."""
YAML, YAML_VALUES = MB, 200_000
"""A file of a CI service that is parsed, and its values, also by anchors. Large ones have 100 kB."""
DIGITS = 18
"""The digits of a number. No size, status, version or time has more; int() refuses thousands."""


def folder_characters(path: str) -> int:
    """Return about how many characters the paths of all folders have that a file is in.

    A path that no system can create is reported as such, and counts as one of the longest.
    """
    return min(path.count("/"), PATH // 2) * min(len(path), PATH) // 2
