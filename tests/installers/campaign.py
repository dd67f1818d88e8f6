"""Compare many generated wheels, and reduce each disagreement to the oddities that it needs."""

import importlib.util
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from installers.agreement import Disagreement, disagreements, is_mapped, opinion, refusal_kinds
from installers.drafts import Draft, generate, valid
from installers.run import Installers, installers
from support import corpus

OLD_PIP = "pip-23.2.1-py3-none-any.whl"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One wheel: what it is, why each installer refuses it, wheelkit's errors, and the disagreements.

    ``mapped`` tells whether all installed it and every file was compared with the map.
    """

    number: int
    wheel: str
    refusals: dict[str, str] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    mapped: bool = False
    disagreements: tuple[Disagreement, ...] = ()


def unpack_pips(folder: Path) -> dict[str, Path]:
    """Put the current pip and an old one into folders of their own, away from other distributions."""
    spec = importlib.util.find_spec("pip")
    assert spec is not None
    assert spec.origin is not None
    current, old = folder / "pip", folder / "pip 23.2"
    current.mkdir()
    (current / "pip").symlink_to(Path(spec.origin).parent)
    with zipfile.ZipFile(corpus.wheel(OLD_PIP)) as archive:
        archive.extractall(old)
    return {"pip": current, "pip 23.2": old}


def compare(
    numbers: Iterable[int], seed: int, folder: Path, *, keep: Path | None = None
) -> Iterator[Comparison]:
    """Compare the wheels with these numbers; ``keep`` is a folder for wheels that show a disagreement."""
    first = valid(Random(0)).write(folder)  # noqa: S311
    with installers(unpack_pips(folder), first) as ready:
        first.unlink()
        for number in numbers:
            comparison = compare_one(generate(number, seed), number, folder, ready)
            if comparison.disagreements:
                comparison = reduce(comparison, seed, folder, ready, keep)
            yield comparison


def compare_one(draft: Draft, number: int, folder: Path, ready: Installers) -> Comparison:
    """Install one wheel by all installers, and compare them with what wheelkit says."""
    try:
        path = draft.write(folder)
    except OSError:  # a name that no file can have
        return Comparison(number=number, wheel=f"{draft.describe()}: not a file name")
    try:
        return compare_file(path, number, draft.describe(), ready)
    finally:
        path.unlink()


def compare_file(path: Path, number: int, description: str, ready: Installers) -> Comparison:
    """Install a wheel file by all installers, and compare them with what wheelkit says."""
    outcomes, said = ready.install(path), opinion(path)
    return Comparison(
        number=number,
        wheel=description,
        refusals=refusal_kinds(outcomes, path.name),
        errors=said.errors,
        mapped=is_mapped(outcomes, said),
        disagreements=tuple(disagreements(outcomes, said, path.name)),
    )


def reduce(whole: Comparison, seed: int, folder: Path, ready: Installers, keep: Path | None) -> Comparison:
    """Leave out each oddity that the first disagreement does not need, and keep the wheel."""
    kind = whole.disagreements[0].kind
    places = frozenset(range(len(generate(whole.number, seed).oddities)))
    smallest = whole
    for place in sorted(places):
        fewer = compare_one(generate(whole.number, seed, keep=places - {place}), whole.number, folder, ready)
        if any(item.kind == kind for item in fewer.disagreements):
            places, smallest = places - {place}, fewer
    if keep is not None:
        place = keep / f"{seed}-{whole.number}"
        place.mkdir(parents=True, exist_ok=True)
        generate(whole.number, seed, keep=places).write(place)
    return smallest
