"""The commands, thin: each parses, calls the library, and renders what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Name -> (module, its line in --help). The module is imported only when its command runs, so that --help and --version stay light.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "plan": ("plan", "what is built here, what elsewhere and on which runner"),
    "build": ("build", "build the wheels and sdists that this machine can build, tested and proven"),
    "repair": ("repair", "auditwheel, delocate or delvewheel by the wheel's platform, one exclude list"),
    "inspect": ("inspect", "what is in a wheel: tags, binaries, needed libraries, versions, sizes"),
    "verify-matrix": ("verify_matrix", "prove that each wheel is what it claims and that none is missing"),
    "smoke": ("smoke", "install the family from its files in fresh environments, run its checks"),
    "version": ("version", "show, check, bump, stamp and tag the versions of the family; ranges follow"),
    "explain": ("explain", "what a finding means, why it matters, how to mend it"),
    "publish": ("publish", "upload the family in dependency order: the same bytes, resumable, or nothing"),
    "release": (
        "release",
        "the staging index, smoke from there, production with the same bytes, and the tags",
    ),
    "ci": ("ci", "write the CI workflows that follow from the configuration, or check them"),
    "doctor": ("doctor", "is this machine ready, and is the project"),
    "init": ("init", "start a project or a family, or bring wheelkit into one that is there"),
    "clean": ("clean", "remove what was built"),
}
