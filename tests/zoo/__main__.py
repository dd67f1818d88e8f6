"""Ask the installers about each variant, and record what they do: python tests/zoo [wheels|sdists]."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from installers.agreement import comparable
from installers.campaign import unpack_pips
from installers.drafts import valid
from installers.run import Installers, Outcome, installers
from wheelkit.verification.contract import Contract
from wheelkit.verification.run import verify
from zoo import SDISTS, VARIANTS, Variant
from zoo.outcomes import INSTALLERS, REFUSED, Outcomes, write_outcomes
from zoo.outcomes import SDISTS as SDISTS_TABLE
from zoo.outcomes import WHEELS as WHEELS_TABLE
from zoo.sdists import SdistVariant

TABLES: Mapping[str, tuple[Path, Mapping[str, Variant | SdistVariant]]] = {
    "wheels": (WHEELS_TABLE, VARIANTS),
    "sdists": (SDISTS_TABLE, SDISTS),
}


def trees(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return a letter for each installed tree of files, in the order of ``INSTALLERS``."""
    by_installer = {item.installer: item for item in outcomes}
    seen: list[object] = []
    letters = []
    for name in INSTALLERS:
        outcome = by_installer[name]
        files = (comparable(outcome), outcome.outside)
        if not outcome.refused and files not in seen:
            seen.append(files)
        letters.append(REFUSED if outcome.refused else "ABCD"[seen.index(files)])
    return tuple(letters)


def record(variants: Iterable[Variant | SdistVariant], ready: Installers, folder: Path) -> list[Outcomes]:
    """Ask the installers about some variants."""
    recorded = []
    for variant in variants:
        path = variant.write(folder)
        outcomes = ready.install(path)
        codes = frozenset(item.code for item in verify([path], Contract(), threads=1).findings)
        recorded.append(Outcomes(name=variant.name, trees=trees(outcomes), codes=codes))
        path.unlink()
    return recorded


def main(*kinds: str) -> int:
    """Record the outcomes of wheels, of sdists, or of both."""
    started = time.monotonic()
    # The sdists build with nothing installed.
    os.environ |= {"PIP_NO_BUILD_ISOLATION": "0", "UV_NO_BUILD_ISOLATION": "1"}
    uv = subprocess.run(["uv", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    versions = f"pip {version('pip')}, pip 23.2.1, uv {uv}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = valid(Random(0)).write(folder)  # noqa: S311
        with installers(unpack_pips(folder), first) as ready:
            for kind in kinds or TABLES:
                table, variants = TABLES[kind]
                write_outcomes(table, record(variants.values(), ready, folder), versions)
                print(f"{len(variants)} {kind} after {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
