"""A report with a matrix and findings, and how it is shown."""

from wheelkit.verification.model import CellCover, Cover, Finding, Report, Row, Severity
from wheelkit.verification.report.text import Screen, render

TAGS = ("cp311", "cp312", "cp313", "cp314")


def row(
    target: str,
    label: str = "abi3 wheel",
    cover: Cover = Cover.WHEEL,
    needs: str = "glibc 2.17",
    codes: tuple[str, ...] = (),
) -> Row:
    """Return the row of a target, with one wheel for all interpreters or none."""
    files_of = (f"daggerml-0.4.0-cp311-abi3-{target}.whl",) if cover is Cover.WHEEL else ()
    cells = tuple(CellCover(interpreter=tag, cover=cover, file="".join(files_of) or None) for tag in TAGS)
    size = 84_000 if files_of else 0
    return Row(
        distribution="daggerml",
        version="0.4.0",
        target=target,
        label=label,
        cells=cells,
        files=files_of,
        needs=needs if files_of else "",
        size=size,
        codes=codes,
    )


MISSING = Finding(
    code="WK801",
    severity=Severity.ERROR,
    where="macosx_10_13_x86_64",
    distribution="daggerml",
    what="macosx_10_13_x86_64 has no wheel; users there would build from the sdist",
    fix="build it on macos-15-intel:  python -m wheelkit build --native",
)


ABI = Finding(
    code="WK402",
    severity=Severity.ERROR,
    file="daggerml-0.4.0-cp311-abi3-win_amd64.whl",
    member="daggerml/_core.pyd",
    what="daggerml/_core.pyd imports PyType_GetName, in the stable ABI since 3.12, but the tag promises 3.11",
    fix="raise the floor to cp312, or avoid the call",
)


REPORT = Report(
    rows=(
        row("manylinux_2_28_x86_64"),
        row("macosx_10_13_x86_64", "missing", Cover.SDIST, codes=("WK801",)),
        row("win_amd64", needs="python3.dll", codes=("WK402",)),
    ),
    findings=(MISSING, ABI),
    wheels=2,
    sdists=1,
    seconds=0.214,
)


def shown(
    report: Report,
    width: int | None = 120,
    *,
    encoding: str = "utf-8",
    colour: bool = False,
    fixes: bool = True,
) -> str:
    """Return a report as text."""
    return render(report, Screen(width=width, colour=colour, encoding=encoding, fixes=fixes))


def note(number: int, severity: Severity = Severity.NOTE) -> Finding:
    """Return one of many findings of a code."""
    return Finding(
        code="WK603",
        severity=severity,
        what=f"{number} kB of x are debug sections",
        fix="strip",
        file=f"{number}.whl",
    )
