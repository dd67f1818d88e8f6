"""What wheelkit says about each variant of the zoo agrees with what installers did, as recorded."""

from pathlib import Path

from support.rows import rows
from wheelkit.verification.contract import Contract
from wheelkit.verification.findings import finding_kinds
from wheelkit.verification.model import Finding, Severity
from wheelkit.verification.run import verify
from zoo import SDISTS, VARIANTS
from zoo import outcomes as recorded
from zoo.outcomes import Outcomes, read_outcomes

RECORDED = read_outcomes(recorded.WHEELS) | read_outcomes(recorded.SDISTS)
ALL = {**VARIANTS, **SDISTS}
# Variants that installers refuse and that are no fault of the file, and those that they install differently
# by intention.
NOT_JUDGED = {
    "name_unicode_unassigned": "which characters are assigned depends on the version of Unicode",
    "points_pip_name": "both make launchers of pip for the running Python, each in its own way",
    "points_pip3_name": "as above",
    "points_pip311_name": "as above",
    "points_pip399_name": "as above",
    "points_easy_install_name": "as above",
    "sdist_pyproject_twice": "the last one names a backend that is nowhere, which only a build shows",
}


def findings(name: str, folder: Path) -> tuple[Finding, ...]:
    return verify([ALL[name].write(folder)], Contract(), threads=1).findings


def test_each_variant_is_recorded() -> None:
    assert list(RECORDED) == list(ALL)


@rows("name", ALL, parts=8)
def test_the_verdict_agrees_with_the_installers(name: str, tmp_path: Path) -> None:
    outcome = RECORDED[name]
    found = findings(name, tmp_path)
    assert {item.code for item in found} == outcome.codes
    if name not in NOT_JUDGED:
        assert disagreement(outcome, found) == ""


def disagreement(outcome: Outcomes, found: tuple[Finding, ...]) -> str:
    """Return how findings contradict what the installers did."""
    errors = [item for item in found if item.severity is Severity.ERROR]
    told = " ".join(f"{item.what} {finding_kinds()[item.code].why}" for item in errors)
    silent = [name for name in sorted(outcome.refusing) if name not in told and "nstaller" not in told]
    if silent:
        return f"{' and '.join(silent)} refuse it, and no error says so"
    if outcome.differing and not any(item.severity is not Severity.NOTE for item in found):
        return "installers install different files, and nothing says so"
    return ""


def test_a_missing_verdict_would_show() -> None:
    refused = next(outcome for outcome in RECORDED.values() if outcome.refusing == {"uv"})
    assert disagreement(refused, ()) == "uv refuse it, and no error says so"
    differing = next(item for item in RECORDED.values() if item.differing and not item.refusing)
    assert disagreement(differing, ()) == "installers install different files, and nothing says so"


def test_the_valid_files_have_no_finding() -> None:
    for name in ("valid", "sdist_valid"):
        assert RECORDED[name].codes == frozenset()
        assert RECORDED[name].trees == ("A", "A", "A", "A")
