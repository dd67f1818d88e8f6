"""Every malformed wheel is reported by its code; the valid wheels that they are made from have no finding."""

import zlib
from pathlib import Path

import pytest

import malformed
from support.rows import rows
from support.severities import harms
from wheelkit import config, matrix
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution
from wheelkit.verification.contract import Contract, contract_of
from wheelkit.verification.run import verify
from wheelkit.wheel import inflate


def contract(folder: Path) -> Contract:
    if not (folder / "wheelkit.toml").exists():
        return Contract()
    loaded = config.load_file(folder / "wheelkit.toml", root=folder, validators=(matrix.validate,))
    demo = Distribution(name="demo", version="1.0", kind=Kind.NATIVE, source=folder)
    return contract_of(loaded, Family(root=folder, distributions=(demo,)))


def test_there_are_many() -> None:
    assert len(malformed.MALFORMED) >= 60


@pytest.mark.parametrize("filename", [malformed.LINUX, malformed.MACOS, malformed.WINDOWS, malformed.PURE])
def test_valid_wheels_have_no_finding(filename: str, tmp_path: Path) -> None:
    report = verify([malformed.valid_wheel(filename).write(tmp_path)], Contract())
    assert report.findings == ()
    assert report.rows


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@rows("name", malformed.MALFORMED)
def test_every_malformed_wheel_is_reported(name: str, tmp_path: Path) -> None:
    path = malformed.MALFORMED[name].write(tmp_path)
    report = verify([path], contract(tmp_path))
    code = malformed.MALFORMED[name].code
    severities = {str(finding.severity) for finding in report.findings if finding.code == code}
    assert severities == {harms()[code].severity}


@rows(
    "name",
    [name for name, one in malformed.MALFORMED.items() if one.code in {"WK101", "WK114", "WK115", "WK116"}],
)
def test_zlib_finds_the_same_damage(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "codec", zlib)
    monkeypatch.setattr(inflate, "_DAMAGED", zlib.error)
    report = verify([malformed.MALFORMED[name].write(tmp_path)], Contract())
    assert malformed.MALFORMED[name].code in {finding.code for finding in report.findings}
