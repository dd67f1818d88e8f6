"""The commands, one module each: they read options, call the library, and render the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each command's line in --help. A module is imported only when its command runs, which keeps --help and
# --version fast.
COMMANDS: Mapping[str, str] = {
    "plan": "Show what is built here, what elsewhere and on which runner.",
    "build": "Build, repair, test and verify the wheels and sdists.",
    "repair": "Graft external libraries into wheels and retag them.",
    "inspect": "Show what is in a wheel, or what changed between two.",
    "verify-matrix": "Verify the wheels, and that none is missing.",
    "smoke": "Install the built files in fresh environments and test them.",
    "version": "Show, check, bump and tag the versions of the family.",
    "explain": "Explain a finding and how to fix it.",
    "publish": "Upload the family to an index, in dependency order.",
    "release": "Publish to staging, test, publish to production, test, tag.",
    "fetch-dist": "Bring the files of a release back into the dist folder.",
    "ci": "Write or check the CI workflows.",
    "doctor": "Check whether this machine and this project are ready.",
    "init": "Create a project, or configure an existing one.",
    "clean": "Remove what was built.",
}
