"""What installers did with each variant, as recorded in two tables: python tests/zoo records them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WHEELS, SDISTS = (Path(__file__).with_name(f"{kind}.tsv") for kind in ("wheels", "sdists"))
INSTALLERS = ("pip", "pip 23.2", "uv", "uv download")
REFUSED = "-"


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """The outcome of each installer, a letter for each tree of files that was installed, and the codes."""

    name: str
    trees: tuple[str, ...]
    codes: frozenset[str]

    @property
    def refusing(self) -> frozenset[str]:
        """The installers that refuse it: pip or uv, of any version and in any way."""
        pairs = zip(INSTALLERS, self.trees, strict=True)
        return frozenset(name.partition(" ")[0] for name, tree in pairs if tree == REFUSED)

    @property
    def differing(self) -> bool:
        """Whether installers install different files."""
        return len({*self.trees} - {REFUSED}) > 1


def read_outcomes(path: Path) -> dict[str, Outcomes]:
    """Return the recorded outcomes by name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {
        name: Outcomes(name=name, trees=tuple(trees), codes=frozenset(codes.split()))
        for name, *trees, codes in rows
    }


def write_outcomes(path: Path, outcomes: Sequence[Outcomes], versions: str) -> None:
    """Record outcomes; ``versions`` says by which installers."""
    head = [
        f"# {versions}",
        "# variant, what each installed (the same letter for the same files, - if it refuses), our findings",
    ]
    rows = ["\t".join((item.name, *item.trees, " ".join(sorted(item.codes)))) for item in outcomes]
    path.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
