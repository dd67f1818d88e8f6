from wheelkit.builders.verify import _warnings
from wheelkit.verification.findings import finding
from wheelkit.verification.model import Report


def report(*findings: tuple[str, str, str]) -> Report:
    made = tuple(finding(code, what=what, file=file) for code, file, what in findings)
    return Report(rows=(), findings=made, wheels=0, sdists=0, seconds=0.0)


def test_one_warning_about_several_files_is_one_line() -> None:
    told = _warnings(
        report(
            ("WK718", "a.whl", "no markup"),
            ("WK718", "b.whl", "no markup"),
            ("WK718", "c.whl", "another"),
            ("WK709", "", "too old"),
            ("WK711", "a.whl", "a note"),
        )
    )
    assert told == ["WK718  a.whl and 1 more: no markup", "WK718  c.whl: another", "WK709  too old"]
