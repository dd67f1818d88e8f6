"""A stand-in for GitHub's command line, with the releases of one repository in a folder."""

from __future__ import annotations

from pathlib import Path

# Only what generated workflows call; anything else fails.
_SCRIPT = """#!/bin/bash
set -eu
releases={releases}
[ "${GH_TOKEN:-}" = token-of-the-job ] || { echo "gh: no token" >&2; exit 4; }
[ "$1 $2" = "release view" ] && { [ -d "$releases/$3" ]; exit; }
[ "$1 $2 $4 $5 $7" = "release create --verify-tag --title --notes-file" ] || { echo "gh: $*" >&2; exit 1; }
git rev-parse --verify --quiet "refs/tags/$3" > /dev/null || { echo "gh: no tag $3" >&2; exit 1; }
mkdir -p "$releases/$3/files"
cp "$8" "$releases/$3/notes.md"
echo "$6" > "$releases/$3/title"
tag=$3
shift 8
if [ "$1" = --prerelease ]; then touch "$releases/$tag/prerelease"; shift; fi
cp "$@" "$releases/$tag/files/"
"""


def install(programs: Path, releases: Path) -> None:
    """Write the program to a folder for PATH; its releases are folders with notes.md, title and files."""
    programs.mkdir(parents=True, exist_ok=True)
    program = programs / "gh"
    program.write_text(_SCRIPT.replace("{releases}", str(releases)))
    program.chmod(0o755)
