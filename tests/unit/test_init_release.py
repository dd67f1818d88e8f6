"""The last release on the index: what its wheels promise, and what is said of those that are lost."""

from __future__ import annotations

import tomllib
from email.message import Message
from pathlib import Path

import pytest

from support.rows import rows
from wheelkit import init
from wheelkit.errors import IndexUnavailableError, UsageError
from wheelkit.init import losses
from wheelkit.init.last_release import LastRelease, release_of
from wheelkit.project import read
from wheelkit.publish.client import Response

PROJECT = """[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "momentum"
version = "1"
requires-python = ">=3.10"
"""
SETUP = "import setuptools\nsetuptools.setup(ext_modules=[setuptools.Extension('momentum', ['m.c'])])\n"


class Index:
    """Answers like an index with these files, or not at all."""

    def __init__(self, *tags: str, error: str = "", version: str = "1.0") -> None:
        self.names = [f"momentum-{version}-{tag}.whl" for tag in tags] + [f"momentum-{version}.tar.gz"]
        self.error = error
        self.asked: list[str] = []

    def __call__(self) -> init.IndexAccess:
        from wheelkit.publish.index import Index as Address

        address = Address(name="here", upload="http://127.0.0.1/", simple="http://127.0.0.1/simple/")
        return init.IndexAccess(index=address, client=self)  # type: ignore[arg-type]

    def get(self, url: str, *, accept: str = "") -> Response:
        assert accept
        self.asked.append(url)
        if self.error:
            raise IndexUnavailableError(self.error)
        if "momentum" not in url:
            return Response(status=404, url=url, body=b"", headers=Message())
        links = "".join(f'<a href="{name}">{name}</a>' for name in self.names)
        page = f'<html><meta name="pypi:repository-version" content="1.0"><body>{links}</body></html>'
        headers = Message()
        headers["Content-Type"] = "text/html"
        return Response(status=200, url=url, body=page.encode(), headers=headers)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "setup.py").write_text(SETUP)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def matrix(change: init.FileChange) -> dict[str, list[str]]:
    found: dict[str, list[str]] = tomllib.loads(change.text)["tool"]["wheelkit"]["matrix"]
    return found


def builds(*tags: str) -> dict[str, str]:
    release = release_of("momentum", "1.0", "here", [f"momentum-1.0-{tag}.whl" for tag in tags])
    return {build.identifier: build.target.tag for build in release.builds(None)}


@rows(
    ("tag", "expected"),
    [
        ("cp311-cp311-win_amd64", {"cp311-win_amd64": "win_amd64"}),
        ("cp314-cp314t-macosx_11_0_arm64", {"cp314t-macosx_arm64": "macosx_11_0_arm64"}),
        ("pp311-pypy311_pp73-win_amd64", {"pp311-win_amd64": "win_amd64"}),
        ("cp311-cp311-macosx_10_9_universal2", {"cp311-macosx_universal2": "macosx_10_9_universal2"}),
        (
            "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64",
            {"cp311-manylinux_x86_64": "manylinux_2_17_x86_64"},
        ),
        ("cp312-cp312-musllinux_1_2_riscv64", {"cp312-musllinux_riscv64": "musllinux_1_2_riscv64"}),
        ("cp313-abi3-win32", dict.fromkeys(("cp313-win32", "cp314-win32", "cp315-win32"), "win32")),
        ("py3-none-win_arm64", {f"cp3{n}-win_arm64": "win_arm64" for n in range(9, 16)}),
        ("cp313-cp313-ios_13_0_arm64_iphoneos", {"cp313-ios_arm64_iphoneos": "ios_13_0_arm64_iphoneos"}),
        ("cp38-cp38-win_amd64", {}),
        ("cp311-cp311-manylinux_2_36_loongarch64", {}),
        ("py3-none-any", {}),
    ],
)
def test_a_wheel_stands_for_the_builds_whose_users_install_it(tag: str, expected: dict[str, str]) -> None:
    found = builds(tag)
    if "none-win_arm64" in tag:  # cibuildwheel builds for Windows on ARM from 3.9 or 3.10 on
        assert set(found) <= set(expected)
        assert len(found) >= 5
    else:
        assert found == expected


def test_without_settings_the_last_release_is_promised(project: Path) -> None:
    index = Index("cp312-cp312-win_amd64", "cp313-cp313-win_amd64", "cp313-cp313-manylinux_2_28_x86_64")
    change = init.adopt(project, init.Evidence(ask=index))
    assert matrix(change) == {
        "targets": ["manylinux_2_28_x86_64", "win_amd64"],
        "interpreters": ["cp312", "cp313"],
        "skip": ["cp312-manylinux*"],
    }
    assert change.notes == ("3 wheels today (momentum 1.0 on here), 3 promised",)
    assert index.asked == ["http://127.0.0.1/simple/momentum/"]


def test_settings_of_cibuildwheel_run_on_the_machines_of_the_last_release(project: Path) -> None:
    own = '[tool.cibuildwheel]\nbuild = "cp313-*"\nskip = "*-musllinux*"\n'
    (project / "pyproject.toml").write_text(PROJECT + own)
    change = init.adopt(
        project, init.Evidence(ask=Index("cp313-cp313-manylinux_2_39_riscv64", "cp313-cp313-win32"))
    )
    assert matrix(change)["targets"] == ["manylinux_2_39_riscv64", "win32"]
    machines = "on the machines of momentum 1.0 on here: linux riscv64, windows x86"
    assert change.notes[0] == f"2 wheels today ([tool.cibuildwheel], {machines}), 2 promised"


LOSS = "1 wheel of momentum 1.0 on here not promised, "
LOST = {
    "cp38-cp38-win_amd64": f"{LOSS}cp38 (1): cibuildwheel no longer builds for their Python",
    "cp39-cp39-win_amd64": f'{LOSS}cp39 (1): requires-python = ">=3.10" excludes them',
    "cp313-cp313-manylinux_2_36_loongarch64": (
        f"{LOSS}manylinux_2_36_loongarch64 (1): cibuildwheel has no builds for their platform"
    ),
    "cp313-cp313-win_arm64": f"{LOSS}win_arm64 (1): no run of cibuildwheel here builds them",
    "cp314-cp314t-win_amd64": f"{LOSS}cp314t (1): no run of cibuildwheel here builds them",
}


@rows("tag", list(LOST))
def test_each_lost_wheel_has_its_reason(project: Path, tag: str) -> None:
    own = '[tool.cibuildwheel]\nbuild = "cp313-win_amd64 cp312-win_amd64"\n'
    (project / "pyproject.toml").write_text(PROJECT + own)
    tags = ("cp312-cp312-win_amd64", "cp313-cp313-win_amd64", tag)
    change = init.adopt(project, init.Evidence(ask=Index(*tags)))
    assert LOST[tag] in change.notes
    assert change.notes[0].endswith(", 2 promised")


def test_a_project_whose_name_only_a_build_tells_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(SETUP.replace("ext_modules", "name=''.join('mo'), ext_modules"))
    index = Index("cp313-cp313-win_amd64")
    why = "only a build tells the project's name, so it was not compared with a release"
    assert (
        f"{why}; name one:  wheelkit init --like NAME" in init.adopt(tmp_path, init.Evidence(ask=index)).notes
    )
    assert index.asked == []


def test_more_builds_than_the_last_release_has_are_counted(project: Path) -> None:
    (project / "pyproject.toml").write_text(f'{PROJECT}[tool.cibuildwheel]\nskip = "cp31[0-3]*"\n')
    change = init.adopt(project, init.Evidence(ask=Index("cp314-cp314-win_amd64")))
    assert "3 builds more than in momentum 1.0 on here: cp314t (1), cp315 (1), cp315t (1)" in change.notes


def test_older_systems_that_wheels_serve_are_named(project: Path) -> None:
    (project / "pyproject.toml").write_text(f'{PROJECT}[tool.cibuildwheel]\nbuild = "cp314-many*"\n')
    change = init.adopt(project, init.Evidence(ask=Index("cp314-cp314-manylinux2014_x86_64")))
    served = "wheels of momentum 1.0 on here also serve manylinux_2_17_x86_64"
    assert f"{served}; the promise is what the images serve" in change.notes


@rows(
    ("index", "note"),
    [
        (Index(error="127.0.0.1 is down"), "not compared with the last release: 127.0.0.1 is down"),
        (Index(), None),
    ],
)
def test_an_index_that_is_down_or_has_no_wheels_is_no_error(
    project: Path, index: Index, note: str | None
) -> None:
    change = init.adopt(project, init.Evidence(ask=index))
    common = "nothing says what is built today, so the common targets are promised"
    assert change.notes == (common, note) if note else (common,)


def test_what_the_workflows_do_not_show_comes_from_the_last_release(project: Path) -> None:
    path = project / ".github/workflows/wheels.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "on: push\njobs:\n"
        "  a: {runs-on: windows-2022, steps: [{run: cibuildwheel --only cp313-win_amd64}]}\n"
        "  b: {runs-on: ubuntu-latest, strategy: {matrix: '${{ fromJSON(needs.x.outputs.y) }}'},\n"
        "      steps: [{run: 'cibuildwheel --only ${{ matrix.only }}'}]}\n"
    )
    index = Index("cp313-cp313-win_amd64", "cp313-cp313-musllinux_1_2_s390x")
    change = init.adopt(project, init.Evidence(ask=index))
    assert matrix(change)["targets"] == ["musllinux_1_2_s390x", "win_amd64"]
    assert change.notes[:3] == (
        "2 wheels today (1 run of cibuildwheel in .github/workflows/wheels.yml), 2 promised",
        ".github/workflows/wheels.yml, job b: another job makes its matrix",
        "taken from momentum 1.0 on here, since the workflows do not show them: cp313-musllinux_s390x",
    )


def test_like_takes_the_wheels_of_a_release_alone(project: Path) -> None:
    (project / "pyproject.toml").write_text(f'{PROJECT}[tool.cibuildwheel]\nskip = "*"\n')
    tags = ("cp311-abi3-win_amd64", "cp314-cp314t-win_amd64", "cp38-cp38-win_amd64")
    evidence = init.Evidence(ask=Index(*tags), like="momentum==1.0")
    change = init.adopt(project, evidence)
    assert matrix(change) == {
        "targets": ["win_amd64"],
        "interpreters": ["cp311", "cp312", "cp313", "cp314", "cp314t", "cp315"],
    }
    assert change.notes == (
        "3 wheels today (momentum 1.0 on here), 2 promised",
        LOST["cp38-cp38-win_amd64"],
    )


@rows(
    ("like", "index", "error", "message"),
    [
        ("momentum==2.0", Index("cp311-cp311-win32"), UsageError, "here has no version 2.0 of momentum"),
        ("other==1.0", Index("cp311-cp311-win32"), UsageError, "here has no project other"),
        ("momentum==x", Index(), UsageError, '"momentum==x" is not a release'),
        ("momentum==1.0", Index(), UsageError, "momentum 1.0 on here has no wheel with native code"),
        ("momentum==1.0", Index(error="it is down"), IndexUnavailableError, "it is down"),
    ],
)
def test_a_release_that_cannot_be_had_is_an_error(
    project: Path, like: str, index: Index, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message.replace("(", r"\(")):
        init.adopt(project, init.Evidence(ask=index, like=like))


def test_nothing_is_lost_of_a_release_that_is_promised_whole(project: Path) -> None:
    release: LastRelease = release_of("momentum", "1.0", "here", ["momentum-1.0-cp311-cp311-win_amd64.whl"])
    assert list(losses.released(release, ["cp311-win_amd64"], read.read(project))) == []
