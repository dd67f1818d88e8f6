import io
import re
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.version import Version

import malformed
from support import wheels
from support.rows import rows
from wheelkit import manifest
from wheelkit.config import Config, DistributionConfig, MatrixConfig
from wheelkit.errors import UsageError
from wheelkit.matrix import Interpreter, Matrix, Target
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution
from wheelkit.verification.contract import Contract, Promise, contract_of
from wheelkit.verification.files import collect_files
from wheelkit.verification.model import Finding, Report, Severity
from wheelkit.verification.release import Dist, Release, ReleaseCollector
from wheelkit.verification.run import in_version_order, unreadable_wheel, verify, verify_facts
from wheelkit.wheel import Sdist, Wheel, read_all
from wheelkit.wheel import read as read_wheel
from wheelkit.wheel.sdist import read_sdist

ABI3 = "demo-1.0-cp311-abi3-manylinux_2_17_x86_64.whl"


def write_sdist(folder: Path, name: str = "demo", version: str = "1.0") -> Path:
    path = folder / f"{name}-{version}.tar.gz"
    texts = {
        "PKG-INFO": wheels.metadata(name, version),
        "pyproject.toml": f'[project]\nname = "{name}"\nversion = "{version}"\n',
    }
    with tarfile.open(path, "w:gz") as archive:
        for file, text in texts.items():
            info = tarfile.TarInfo(f"{name}-{version}/{file}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def promising(
    *, ignore: dict[str, str] | None = None, targets: tuple[str, ...] = ("manylinux_2_28_x86_64",)
) -> Contract:
    matrix = Matrix(
        targets=tuple(map(Target.parse, targets)), interpreters=(Interpreter.parse("cp311"),), declared=True
    )
    return Contract(
        promises={"demo": Promise(distribution="demo", kind=Kind.NATIVE, matrix=matrix, ignore=ignore or {})}
    )


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def test_a_whole_dist(tmp_path: Path) -> None:
    from wheelkit import _core

    own = Path(_core.__file__).read_bytes()
    name = ABI3.replace("2_17", "2_40")
    wheels.write_wheel(tmp_path, name, members={"demo/_core.abi3.so": own})
    write_sdist(tmp_path)
    report = verify([tmp_path], promising(targets=("manylinux_2_40_x86_64",)))
    assert [item for item in report.findings if item.severity is not Severity.NOTE] == []
    assert report.ok
    assert (report.wheels, report.sdists) == (1, 1)
    assert re.fullmatch(r"manylinux_2_\d+: glibc 2\.\d+", report.rows[0].needs)
    assert report.seconds > 0


def test_the_unnamed_distribution_has_its_promise(tmp_path: Path) -> None:
    write_sdist(tmp_path, "ru_demo")
    item = Distribution(name="checkout", version="1.0", kind=Kind.NATIVE, source=tmp_path, stated=False)
    contract = contract_of(
        Config(matrix=MatrixConfig(targets=("win_amd64",), interpreters=("cp311",))),
        Family(root=tmp_path, distributions=(item,)),
    )
    assert codes(verify([tmp_path], contract)) == ["WK801"]
    assert (
        codes(verify([tmp_path / "ru_demo-1.0.tar.gz"], contract)) == []
    )  # a file that was named can be anybody's
    write_sdist(tmp_path, "other")
    assert codes(verify([tmp_path], contract)) == []  # and of two nobody knows which it is


def test_findings_are_sorted_by_severity_and_mark_their_rows(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, wheels.PURE, record_text="")
    report = verify([tmp_path], promising())
    assert not report.ok
    assert codes(report) == ["WK108", "WK705"]
    assert report.rows[0].codes == ("WK108",)


def test_an_accepted_finding_stays_and_does_not_fail(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, wheels.PURE, record_text="")
    report = verify([tmp_path], promising(ignore={"WK108": "made by hand"}))
    assert report.ok
    assert (report.findings[0].code, report.findings[0].accepted) == ("WK108", "made by hand")
    assert report.rows[0].codes == ()


def test_a_missing_cell_can_be_accepted(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, "demo-1.0-cp312-abi3-manylinux_2_17_x86_64.whl")
    assert not verify([tmp_path], promising()).ok
    assert verify([tmp_path], promising(ignore={"WK801": "not yet"})).ok


def test_unreadable_files_are_findings(tmp_path: Path) -> None:
    (tmp_path / wheels.LINUX).write_bytes(b"")
    (tmp_path / wheels.PURE).write_bytes(b"junk")
    (tmp_path / "demo-1.0.tar.gz").write_bytes(b"junk")
    report = verify([tmp_path], Contract())
    assert codes(report) == ["WK101", "WK101", "WK112"]
    assert [finding.what for finding in report.findings[:2]] == [
        "it is empty",
        "it cannot be opened: File is not a zip file",
    ]
    assert (report.wheels, report.sdists) == (2, 1)
    assert {finding.file for finding in report.findings} == {wheels.LINUX, wheels.PURE, "demo-1.0.tar.gz"}


def write_manifest(folder: Path, builder: str, **changes: str) -> None:
    """Write the manifest that a build would leave next to the wheel."""
    described = replace(manifest.describe(folder / ABI3, "wheel"), **changes)
    record = manifest.Manifest(
        distribution="demo",
        version="1.0",
        target="manylinux_2_28_x86_64",
        builder=builder,
        source="",
        commit="",
        dirty=False,
        created="2026-11-21T00:00:00+00:00",
        tools={},
        files=(described,),
    )
    (folder / record.filename).write_text(record.to_json())


def test_a_manifest_marks_cross_built_wheels(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path, ABI3)
    assert verify([tmp_path], promising()).cross == 0
    write_manifest(tmp_path, "cross")
    for paths in ([tmp_path], [path]):
        (row,) = verify(paths, promising()).rows
        assert row.cross == (ABI3,)
    write_manifest(tmp_path, "host")
    assert verify([tmp_path], promising()).cross == 0


def test_a_manifest_of_other_bytes_marks_nothing(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, ABI3)
    write_manifest(tmp_path, "cross", sha256="0" * 64)
    assert verify([tmp_path], promising()).cross == 0
    next(tmp_path.glob("*.wheelkit.json")).write_text('{"builder": "cross"')
    assert verify([tmp_path], promising()).cross == 0


def test_native_restricts_coverage(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, "demo-1.0-cp311-abi3-win_amd64.whl")
    contract = promising(targets=("manylinux_2_28_x86_64", "win_amd64"))
    assert "WK801" in codes(verify([tmp_path], contract))
    assert "WK801" not in codes(verify([tmp_path], contract, native=[Target.parse("win_amd64")]))


def test_shallow_reads_no_contents(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, wheels.PURE, record_text="")
    assert "WK108" in codes(verify([tmp_path], Contract()))
    assert codes(verify([tmp_path], Contract(), shallow=True)) == []


def test_without_contents_no_row_is_fine(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, wheels.PURE)
    for shallow, verdict in ((False, "fine"), (True, "names only")):
        report = verify([tmp_path], Contract(), shallow=shallow)
        assert [(row.verdict, row.codes, row.names_only) for row in report.rows] == [(verdict, (), shallow)]
        assert report.names_only is shallow


def test_an_unreadable_wheel_has_its_row_and_covers_its_cells(tmp_path: Path) -> None:
    """One cause is one finding: an installer picks the file by its name, and fails."""
    wheels.write_wheel(tmp_path, "demo-1.0-cp311-abi3-win_amd64.whl")
    (tmp_path / ABI3).write_bytes(b"")
    report = verify([tmp_path], promising())
    assert [item for item in codes(report) if item not in {"WK306", "WK803"}] == ["WK101", "WK705"]
    row = report.rows[0]
    assert (row.target, row.served, row.codes) == (
        "manylinux_2_28_x86_64",
        "abi3 wheel, unreadable",
        ("WK101",),
    )
    assert (row.files, row.unreadable, row.needs) == ((ABI3,), (ABI3,), "")
    accepted = verify([tmp_path], promising(ignore={"WK101": "known"})).rows[0]
    assert (accepted.codes, accepted.verdict) == ((), "unreadable")


def test_a_distribution_with_only_an_unreadable_wheel_is_not_absent(tmp_path: Path) -> None:
    (tmp_path / ABI3).write_bytes(b"")
    assert codes(verify([tmp_path], promising())) == ["WK101", "WK705"]


@pytest.mark.parametrize(
    ("name", "distribution", "version", "target"),
    [
        ("other-2.0-py3-none-any.whl", "other", "2.0", "any"),
        ("other-2.0-cp313-cp313-android_24_arm64_v8a.whl", "other", "2.0", "android_24_arm64_v8a"),
        ("other.whl", "other", "", "no tag"),
    ],
)
def test_every_unreadable_wheel_has_a_row(
    tmp_path: Path, name: str, distribution: str, version: str, target: str
) -> None:
    (tmp_path / name).write_bytes(b"junk")
    report = verify([tmp_path], Contract())
    assert [(row.distribution, row.version, row.target, row.codes) for row in report.rows] == [
        (distribution, version, target, ("WK101",))
    ]
    assert report.findings[0].distribution == distribution


def test_rows_are_in_the_order_of_versions(tmp_path: Path) -> None:
    plain = ["1.2", "1.9", "1.10", "1.10.1", "2.0"]
    others = ["1!0.1", "1.0rc1", "1.0", "1.0.post1", "1.0.1+local.1", ""]
    for number, versions in enumerate((plain, others)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for version in versions:
            name = f"demo-{version}-py3-none-any.whl" if version else "demo.whl"
            (folder / name).write_bytes(b"")
    first, second = (verify([tmp_path / number], Contract()).rows for number in "01")
    assert [row.version for row in first] == plain
    assert [row.version for row in second] == ["", "1.0rc1", "1.0", "1.0.post1", "1.0.1+local.1", "1!0.1"]
    assert in_version_order(second[::-1]) == list(second)


@rows(
    ("wheel", "sdist", "same"),
    [
        ("1.0", "1.0", True),
        ("1.0.0", "1.0", True),
        ("1.0rc1", "1.0.0-rc.1", True),
        ("0", "0.0", True),
        ("1!1.0", "1!1", True),
        ("1.10", "1.1", False),
        ("1.0", "1.0rc1", False),
        ("1.0.post1", "1.0", False),
    ],
)
def test_equal_versions_are_one_release(tmp_path: Path, wheel: str, sdist: str, *, same: bool) -> None:
    """As packaging compares them, and so do installers."""
    assert (Version(wheel) == Version(sdist)) is same
    made = read_wheel(wheels.write_wheel(tmp_path, f"demo-{wheel}-py3-none-any.whl"))
    source = read_sdist(write_sdist(tmp_path, "demo", sdist))
    releases = Dist(wheels=(made,), sdists=(source,)).releases
    assert len(releases) == (1 if same else 2)
    assert wheel in {item.version for item in releases}


@pytest.mark.parametrize(
    ("contract", "single", "judged", "unjudged"),
    [
        (Contract(), False, (), ("demo",)),
        (promising(), False, ("demo",), ()),
        (promising(), True, (), ("demo",)),
    ],
)
def test_whose_coverage_was_judged(
    tmp_path: Path, contract: Contract, judged: tuple[str, ...], unjudged: tuple[str, ...], *, single: bool
) -> None:
    path = wheels.write_wheel(tmp_path, ABI3)
    report = verify([path if single else tmp_path], contract)
    assert (report.judged, report.unjudged, report.whole) == (judged, unjudged, not single)
    assert report.coverage == ("judged" if judged else "not judged")
    assert [row.judged for row in report.rows] == [bool(judged)]
    if not single:
        wheels.write_wheel(tmp_path, "other-1.0-py3-none-any.whl")
        both = verify([tmp_path], contract)
        assert both.unjudged == (*unjudged, "other")
        assert both.coverage == ("partly judged" if judged else "not judged")


def test_the_least_severity_that_fails(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, wheels.PURE)
    report = verify([tmp_path], promising(targets=()), fail_on=Severity.NOTE)
    assert {item.severity for item in report.findings} == {Severity.NOTE}
    assert not report.ok
    assert report.rows[0].codes == ("WK803",)
    for fail_on in (Severity.WARNING, Severity.ERROR):
        other = verify([tmp_path], promising(targets=()), fail_on=fail_on)
        assert (other.ok, other.rows[0].codes) == (True, ())
    note = report.findings[0]
    warned = replace(report, findings=(replace(note, severity=Severity.WARNING),))
    assert [replace(warned, fail_on=severity).ok for severity in Severity] == [True, False, False]
    known = replace(warned, findings=(replace(note, accepted="known"),))
    assert [replace(known, fail_on=severity).ok for severity in Severity] == [True, True, True]


def test_single_files(tmp_path: Path) -> None:
    first = wheels.write_wheel(tmp_path, wheels.PURE)
    wheels.write_wheel(tmp_path, wheels.LINUX)
    assert collect_files([first, first]) == (first,)
    assert verify([first], Contract()).wheels == 1
    assert len(collect_files([tmp_path])) == 2


def test_distributions_of_other_kinds_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, wheels.PURE)
    for name in ("SHA256SUMS", "wheelkit.json", "demo-1.0.tar.gz.asc", "notes.txt"):
        (tmp_path / name).write_text("x")
    assert "WK153" not in {item.code for item in verify([tmp_path], Contract()).findings}
    names = {"demo-1.0.zip", "demo-1.0.tar.bz2", "demo-1.0-py3.11.egg"}
    for name in names:
        (tmp_path / name).write_text("x")
    report = verify([tmp_path], Contract())
    assert {item.file for item in report.findings if item.code == "WK153"} == names
    assert (report.ok, report.wheels, report.sdists) == (True, 1, 0)


@pytest.mark.parametrize(
    ("name", "words"),
    [("gone", "does not exist"), ("note.txt", "neither a folder nor"), ("empty", "contains no wheel")],
)
def test_nothing_to_verify(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "note.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=words) as caught:
        verify([tmp_path / name], Contract())
    assert caught.value.hint


def test_the_contract_of_a_project(tmp_path: Path) -> None:
    from wheelkit.project.read import Distribution

    item = Distribution(
        name="Demo",
        version="1.0",
        kind=Kind.NATIVE,
        source=tmp_path,
        backend="mesonpy",
        requires_python=">=3.11",
        dependencies=(),
        build_requires=(),
        limited_api=True,
        cibuildwheel={},
    )
    settings = DistributionConfig(max_size=5, ignore={"WK603": "wanted"})
    config = Config(
        matrix=MatrixConfig(targets=("win_amd64",)), distribution={"demo": settings}, runner={"win_*": "mine"}
    )
    contract = contract_of(config, Family(root=tmp_path, distributions=(item,)))
    promise = contract.promise("demo")
    assert promise is not None
    assert (promise.max_size, promise.ignore, promise.matrix.declared) == (5, {"WK603": "wanted"}, True)
    assert promise.matrix.interpreters[0].tag == "cp311"
    assert contract.runners == {"win_*": "mine"}
    assert contract.promise("other") is None


def test_fails_is_what_ok_counts() -> None:
    error = Finding(code="WK101", severity=Severity.ERROR, what="x", fix="y")
    base = Report(rows=(), findings=(), wheels=1, sdists=0, seconds=0.1)
    assert not replace(base, findings=(error,)).ok
    assert replace(base, findings=(replace(error, accepted="known"),)).ok
    assert replace(base, findings=(replace(error, severity=Severity.WARNING),)).ok


def test_dropping_contents_of_checked_wheels_changes_no_finding(tmp_path: Path) -> None:
    """Wheels lose members and symbols before their release is checked; whole wheels give the same report."""
    for number, name in enumerate(
        (malformed.LINUX, malformed.MACOS, malformed.WINDOWS, malformed.PURE, *list(malformed.MALFORMED)[::7])
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = (
            malformed.MALFORMED[name].write(folder)
            if name in malformed.MALFORMED
            else malformed.valid_wheel(name).write(folder)
        )
        (whole,) = read_all([path])
        if isinstance(whole, Wheel):
            report = verify([path], Contract())
            again = verify_facts(Dist(wheels=(whole,), sdists=(), whole=False), (), Contract())
            assert (report.rows, report.findings) == (again.rows, again.findings), name


def collector_of(folder: Path, names: list[str], *sdists: Sdist) -> tuple[ReleaseCollector, list[Wheel]]:
    read = [read_wheel(wheels.write_wheel(folder, name)) for name in names]
    return ReleaseCollector(names, sdists), read


def release_files(releases: Iterable[Release]) -> list[tuple[str, str, list[str]]]:
    return [
        (
            release.distribution,
            release.version,
            [file.filename for file in (*release.wheels, *release.sdists)],
        )
        for release in releases
    ]


def test_a_release_is_complete_once_its_last_wheel_is_there(tmp_path: Path) -> None:
    names = ["Demo-1.0-cp311-abi3-win_amd64.whl", ABI3, "demo-2.0-py3-none-any.whl"]
    collector, (first, second, other) = collector_of(tmp_path, names)
    collector.add(1, second)
    assert release_files(collector.complete()) == []
    collector.add(2, other)
    assert release_files(collector.complete()) == [("demo", "2.0", names[2:])]
    assert release_files(collector.complete()) == []  # each is yielded once
    collector.add(0, first)
    assert release_files(collector.complete()) == [("demo", "1.0", names[:2])]  # in the order of the files
    assert release_files(collector.rest()) == []


def test_an_unreadable_wheel_completes_its_release(tmp_path: Path) -> None:
    names = [ABI3, wheels.PURE]
    collector, (first, _) = collector_of(tmp_path, names)
    collector.add(0, first)
    assert release_files(collector.complete()) == []
    collector.add(1, unreadable_wheel(tmp_path / names[1]))
    (release,) = collector.complete()
    assert release_files([release]) == [("demo", "1.0", [ABI3])]
    assert [wheel.filename for wheel in release.unreadable] == [wheels.PURE]


def test_a_wheel_with_an_invalid_name_can_belong_to_any_release(tmp_path: Path) -> None:
    invalid = "invalid.whl"
    first = read_wheel(wheels.write_wheel(tmp_path, ABI3))
    unnamed = replace(first, path=tmp_path / invalid, name=None, name_problem="expected")
    collector = ReleaseCollector([ABI3, invalid], ())
    collector.add(0, first)
    assert release_files(collector.complete()) == []
    collector.add(1, unnamed)
    assert release_files(collector.complete()) == [("demo", "1.0", [ABI3, invalid])]


def test_sdists_are_yielded_with_their_wheels_or_at_the_end(tmp_path: Path) -> None:
    own, other = (read_sdist(write_sdist(tmp_path, "demo", version)) for version in ("1.0", "3.0"))
    collector, (first,) = collector_of(tmp_path, [ABI3], own, other)
    collector.add(0, first)
    assert release_files(collector.complete()) == [("demo", "1.0", [ABI3, own.filename])]
    assert release_files(collector.rest()) == [("demo", "3.0", [other.filename])]


def test_checking_releases_one_by_one_gives_the_same_report(tmp_path: Path) -> None:
    """More wheels than are read at a time, with an unreadable file, an invalid name and an sdist."""
    for number in range(70):
        wheels.write_wheel(
            tmp_path,
            f"part{number % 40}-{number // 40}.0-py3-none-any.whl",
            record_text="" if number % 9 == 0 else None,
        )
    for name in ("demo-1.0-cp311-abi3-win_amd64.whl", ABI3, wheels.PURE):
        wheels.write_wheel(tmp_path, name)
    (tmp_path / wheels.PURE).rename(tmp_path / "invalid.whl")
    (tmp_path / "part1-9.0-py3-none-any.whl").write_bytes(b"")
    write_sdist(tmp_path)
    contract = promising(
        ignore={"WK803": "for later"}, targets=("manylinux_2_28_x86_64", "macosx_11_0_arm64")
    )
    report = verify([tmp_path], contract)
    facts = [one for one in read_all(sorted(tmp_path.glob("*.whl"))) if isinstance(one, Wheel)]
    sdists = (read_sdist(tmp_path / "demo-1.0.tar.gz"),)
    unreadable = [item for item in report.findings if item.code == "WK101"]
    broken = (unreadable_wheel(tmp_path / "part1-9.0-py3-none-any.whl"),)
    dist = Dist(wheels=tuple(facts), sdists=sdists, unreadable=broken)
    whole = verify_facts(dist, unreadable, contract)
    assert (report.rows, report.findings) == (whole.rows, whole.findings)
    assert (report.wheels, report.sdists) == (74, 1)
    assert {"WK101", "WK108", "WK801", "WK803"} <= set(codes(report))
    assert [(row.distribution, row.version) for row in report.rows] == sorted(
        (row.distribution, row.version) for row in report.rows
    )
    assert {row.codes for row in report.rows if row.distribution == "part9"} == {("WK108",), ()}


def test_what_is_known_of_a_file_is_about_its_distribution(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path, ABI3)
    known = Finding(
        code="WK108", severity=Severity.ERROR, what="it was seen elsewhere", fix="look", file=ABI3
    )
    for contract in (Contract(), promising(ignore={"WK108": "known"})):
        (item,) = (one for one in verify([path], contract, known=[known]).findings if one.code == "WK108")
        assert (item.distribution, item.accepted) == ("demo", "known" if contract.promises else "")
