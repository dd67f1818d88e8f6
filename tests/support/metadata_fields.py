"""Every metadata version, and a valid value for every field of the core metadata."""

VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
FIELDS = {
    "Platform": "any", "Supported-Platform": "any", "Summary": "A demo", "Keywords": "a,b",
    "Home-page": "https://example.org/", "Download-URL": "https://example.org/", "Author": "Me",
    "Author-email": "me@example.org", "Maintainer": "Me", "Maintainer-email": "me@example.org",
    "License": "MIT", "License-Expression": "MIT", "License-File": "LICENSE",
    "Classifier": "Typing :: Typed", "Requires-Dist": "six", "Requires-Python": ">=3",
    "Requires-External": "libc", "Project-URL": "Source, https://example.org/", "Provides-Extra": "x",
    "Provides-Dist": "a", "Obsoletes-Dist": "a", "Requires": "a", "Provides": "a", "Obsoletes": "a",
    "Dynamic": "Summary", "Description-Content-Type": "text/plain", "Import-Name": "demo",
    "Import-Namespace": "demo", "Description": "A demo.",
}  # fmt: skip


def metadata_of(field: str, version: str) -> str:
    """Return METADATA of a version with one more field."""
    body = "" if field == "Description" else "\nA demo.\n"
    return f"Metadata-Version: {version}\nName: demo\nVersion: 1.0\n{field}: {FIELDS[field]}\n{body}"
