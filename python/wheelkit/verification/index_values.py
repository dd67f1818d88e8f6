"""What the public indexes accept as a URL, an e-mail address, a classifier or a platform tag.

The rules are those of warehouse in August 2026 (forklift/metadata.py, forklift/legacy.py, utils/http.py). Its
own libraries judge classifiers and odd URLs; their imports take 9 and 60 ms, so common values are known here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Values that surely are valid URLs; all others are for rfc3986 to judge.
_OF_PATH = r"[A-Za-z0-9_.~!$&'()*+,;=:@/-]*"
_PLAIN_URL = re.compile(
    rf"https?://[a-z0-9]+(?:[.-][a-z0-9]+)*(?:/{_OF_PATH})?(?:\?{_OF_PATH})?(?:#{_OF_PATH})?"
)
_SCHEMES = ("http", "https")
# RFC 5322's dot-atom, and host names (RFC 1123) whose last label ends with a letter, as all TLDs do.
_LOCAL_PART = re.compile(r"[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+(?:\.[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+)*")
_LABEL = r"(?!(?!xn)[a-z0-9-]{2}--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LONGEST_LOCAL_PART, _LONGEST_DOMAIN, _LONGEST_ADDRESS = 64, 253, 254
# Domains that cannot receive mail (RFC 6761 and others); email-validator has the same list.
_SPECIAL_DOMAINS = frozenset({"arpa", "invalid", "local", "localhost", "onion", "test"})
# Name and address as most projects write them, and no second address.
_ADDRESS = r"""[^<>\s,;:()\[\]"\\@]+(?:@[^<>\s,;:()\[\]"\\@]+)?"""
_NAMED_ADDRESS = re.compile(rf"""(?:"[^"\\<>]*"|[^"\\<>()\[\],;:@]*)<(?P<address>{_ADDRESS})>""")
_BARE_ADDRESS = re.compile(_ADDRESS)

# The classifiers of most projects, which need no look at the whole list.
_COMMON_CLASSIFIERS = frozenset({
    *(f"Programming Language :: Python :: 3.{minor}" for minor in range(6, 16)),
    *(f"Programming Language :: Python :: Implementation :: {name}" for name in ("CPython", "PyPy")),
    *(f"Programming Language :: {name}" for name in ("C", "C++", "Cython", "Python", "Rust")),
    "Programming Language :: Python :: 3", "Programming Language :: Python :: 3 :: Only",
    "Programming Language :: Python :: Free Threading",
    "Development Status :: 3 - Alpha", "Development Status :: 4 - Beta",
    "Development Status :: 5 - Production/Stable",
    *(f"Intended Audience :: {name}" for name in ("Developers", "Education", "Science/Research")),
    *(
        f"License :: OSI Approved :: {name}"
        for name in ("Apache Software License", "BSD License", "MIT License")
    ),
    *(f"Operating System :: {name}" for name in ("MacOS", "Microsoft :: Windows", "OS Independent", "POSIX")),
    "Operating System :: POSIX :: Linux", "Operating System :: Unix", "Operating System :: MacOS :: MacOS X",
    "Topic :: Scientific/Engineering", "Topic :: Software Development",
    "Topic :: Software Development :: Libraries",
    "Topic :: Software Development :: Libraries :: Python Modules", "Topic :: Utilities", "Typing :: Typed",
    "Environment :: Console", "Environment :: WebAssembly :: Emscripten", "Natural Language :: English",
})  # fmt: skip

# What platform tags begin with, and those of them that the index accepts. Wheels for other architectures and
# systems are refused whatever is in them.
_LINUX = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"
_MACOS = "ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2"
_ACCEPTED_PLATFORMS: Mapping[str, str] = {
    "any": "any",
    "win": "win32|win_(?:amd64|arm64|ia64)",
    "linux": "linux_armv[67]l",
    "manylinux": (
        r"manylinux(?:1|2010)_(?:x86_64|i686)"
        r"|manylinux2014_(?:x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)"
        rf"|manylinux_\d+_\d+_(?:{_LINUX}|ppc64)"
    ),
    "musllinux": rf"musllinux_\d+_\d+_(?:{_LINUX})",
    "macosx": rf"macosx_(?:10_\d+|(?:1[1-5]|26)_0)_(?:{_MACOS})",
    "ios": r"ios_\d+_\d+_(?:arm64|x86_64)_(?:iphoneos|iphonesimulator)",
    "android": r"android_\d+_(?:armeabi_v7a|arm64_v8a|x86|x86_64)",
    "pyemscripten": r"pyemscripten_\d+_\d+_wasm32",
}


def is_web_address(text: str) -> bool:
    """Return whether the index accepts this as a URL: http or https, with parts as RFC 3986 has them."""
    if _PLAIN_URL.fullmatch(text):
        return True
    from rfc3986 import uri_reference
    from rfc3986.exceptions import RFC3986Exception
    from rfc3986.validators import Validator

    validator = Validator().allow_schemes(*_SCHEMES).require_presence_of("scheme")
    try:
        validator.check_validity_of("scheme", "host", "port", "path", "query")
        validator.validate(uri_reference(text).normalize())
    except (RFC3986Exception, ValueError):
        return False
    return True


def email_problem(field: str) -> str:
    """Return why the index refuses an Author-email or Maintainer-email, empty where it does not.

    Of several addresses it validates none. Addresses that are not ASCII are not judged here.
    """
    parts = [part.strip(" ") for part in field.split(",")]
    if len(parts) > 1 and all(map(_is_plain_address, parts)):
        return ""
    match = _NAMED_ADDRESS.fullmatch(field)
    if match is None and _BARE_ADDRESS.fullmatch(field) is None:
        return _odd_email_problem(field)
    return _address_problem(match["address"] if match else field)


def _is_plain_address(text: str) -> bool:
    return bool(_NAMED_ADDRESS.fullmatch(text) or _BARE_ADDRESS.fullmatch(text))


def _odd_email_problem(field: str) -> str:
    """Judge a field with comments, quotes or several addresses by the parser that the index uses."""
    from email.utils import getaddresses

    try:
        addresses = [address for _, address in getaddresses([field])]
    except RecursionError:  # comments are nested
        return "it is nested too deeply"
    return _address_problem(addresses[0]) if len(addresses) == 1 and addresses[0] else ""


def _address_problem(address: str) -> str:
    if not address.isascii() or address.startswith('"'):
        return ""
    local, at, domain = address.rpartition("@")
    if not at:
        return f"{address} has no @"
    if not _LOCAL_PART.fullmatch(local) or len(local) > _LONGEST_LOCAL_PART:
        return f'"{local}", before the @ of {address}, is not valid'
    too_long = len(domain) > _LONGEST_DOMAIN or len(address) > _LONGEST_ADDRESS
    if too_long or not _receives_mail(domain.lower().split(".")):
        return f'"{domain}", the domain of {address}, cannot receive mail'
    return ""


def _receives_mail(labels: Sequence[str]) -> bool:
    """Return whether a domain of these labels, in lower case, can have a mail server."""
    top = labels[-1]
    is_top = len(labels) > 1 and top[-1:].isalpha() and top not in _SPECIAL_DOMAINS
    return is_top and all(re.fullmatch(_LABEL, label) for label in labels)


def classifier_problem(classifier: str) -> str:
    """Return why the index refuses a classifier, unknown or deprecated; empty where it does not."""
    if classifier in _COMMON_CLASSIFIERS:
        return ""
    from trove_classifiers import classifiers, deprecated_classifiers

    if classifier in classifiers:
        return ""
    if classifier not in deprecated_classifiers:
        return "unknown"
    successors = deprecated_classifiers[classifier]
    return f"replaced by {' or '.join(successors)}" if successors else "deprecated"


@cache
def is_accepted_platform(platform: str) -> bool:
    """Return whether the index accepts wheels with this platform tag (in lower case)."""
    system = platform.partition("_")[0].rstrip("0123456789")
    return system in _ACCEPTED_PLATFORMS and bool(re.fullmatch(_ACCEPTED_PLATFORMS[system], platform))
