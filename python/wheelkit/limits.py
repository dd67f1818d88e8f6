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
TAG = 16 * KB
"""A tag of such a page, with the text behind it."""
HEAD = 256 * KB
"""Status line and headers of an answer, with everything before them such as ``100 Continue``."""
REQUEST_SECONDS = 120.0
"""Connecting, sending, waiting and receiving, in all attempts and redirects of one request."""
BYTES_PER_SECOND = 50_000
"""An answer gets more time by its size; one that arrives more slowly than this is given up."""
