from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from support.command import OTHERS_FOLDER, git_commit
from wheelkit import config, doctor
from wheelkit.__main__ import main
from wheelkit.cli import doctor as cli_doctor
from wheelkit.doctor import CheckLine, LineState, access, machine, project, tools
from wheelkit.errors import ConfigError, MissingToolError, ProjectError
from wheelkit.project import family

linux = pytest.mark.skipif(sys.platform != "linux", reason="containers build on Linux only")
PROJECT = """[build-system]
build-backend = "mesonpy"
[project]
name = "momentum"
version = "1.2.0"
requires-python = ">=3.11"
[tool.meson-python]
limited-api = true
[tool.wheelkit.matrix]
targets = ["manylinux_2_28_x86_64", "macosx_10_13_x86_64"]
interpreters = ["cp311", "cp314t"]
"""
PYPI_UPLOAD = "pypi-AgEIcHlwaS5vcmcCJDU5"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on PATH; it is empty, as on a bare machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("CC", "CIBW_CONTAINER_ENGINE", "CONTAINERS_CONF"):
        monkeypatch.delenv(name, raising=False)
    return folder


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def engine(
    folder: Path, *, run: str = "exit 0", images: str = "echo pypa/manylinux_2_28_x86_64:latest"
) -> None:
    program(folder, "podman", f'case "$1" in\nversion) echo 4.3.1;;\nimages) {images};;\nrun) {run};;\nesac')


def facts(lines: object) -> list[tuple[str, str]]:
    assert isinstance(lines, CheckLine) or hasattr(lines, "__iter__")
    return [(line.name, line.state.value) for line in ([lines] if isinstance(lines, CheckLine) else lines)]


def test_a_bare_machine_has_no_compiler_and_the_line_says_how_to_get_one(path: Path) -> None:
    line = tools.compiler({"PATH": str(path)})
    assert line.state is LineState.MISSING
    assert "looked for $CC, cc, gcc, clang" in line.detail
    assert "apt install gcc libc6-dev" in line.fix


def test_the_headers_of_python_are_found_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    line = tools.headers()
    assert line.state is LineState.MISSING
    assert "apt install python3-dev" in line.fix
    (tmp_path / "Python.h").touch()
    line = tools.headers()
    assert (line.state, line.detail) == (LineState.FINE, str(tmp_path / "Python.h"))


def test_a_compiler_that_works_is_fine_and_a_broken_one_is_missing(path: Path) -> None:
    program(path, "cc", "echo cc 12.2")
    assert facts(tools.compiler({})) == [("C compiler", "fine")]
    program(path, "cc", "echo no licence >&2; exit 69")
    line = tools.compiler({})
    assert (line.state, line.detail) == (LineState.MISSING, "cc does not work: no licence")


@linux
def test_without_an_engine_the_host_builder_takes_over(path: Path) -> None:
    assert list(path.iterdir()) == []
    (line,) = machine.containers({})
    assert line.state is LineState.WARNING
    assert line.detail == "none, the host builder is used: docker is not installed; podman is not installed"
    assert line.fix == "apt install podman"


@linux
def test_an_engine_whose_daemon_is_down_says_so(path: Path) -> None:
    program(path, "docker", "echo Cannot connect to the Docker daemon >&2; exit 1")
    (line,) = machine.containers({"CIBW_CONTAINER_ENGINE": "docker"})
    assert line.state is LineState.WARNING
    assert "docker is installed but does not work: Cannot connect to the Docker daemon" in line.detail
    assert line.fix == "sudo systemctl start docker"
    program(path, "docker", "exit 1")
    program(path, "podman", "echo cannot clone: Operation not permitted >&2; exit 125")
    assert [one.fix for one in machine.containers({"CIBW_CONTAINER_ENGINE": "podman"})] == ["podman info"]


@linux
def test_a_container_is_really_started(path: Path) -> None:
    engine(path, run='shift; echo "$@" > "$0.ran"; exit 0')
    (line,) = machine.containers({})
    assert (line.state, line.detail) == (
        LineState.FINE,
        "podman 4.3.1 starts pypa/manylinux_2_28_x86_64:latest",
    )
    assert (
        path / "podman.ran"
    ).read_text() == "--rm --pull=never --network=none pypa/manylinux_2_28_x86_64:latest true\n"


@linux
def test_an_engine_that_answers_and_starts_nothing_is_missing(path: Path) -> None:
    engine(path, run="echo setting rlimits: operation not permitted >&2; exit 126")
    (line,) = machine.containers({})
    assert line.state is LineState.MISSING
    assert line.detail.endswith("setting rlimits: operation not permitted")
    assert "--builder host" in line.fix


@linux
def test_without_an_image_nothing_is_fetched_to_try(path: Path) -> None:
    engine(path, run='touch "$0.ran"', images="echo docker.example/alpine:3")
    (line,) = machine.containers({})
    assert (line.state, "the first build downloads its image" in line.detail) == (LineState.FINE, True)
    assert not (path / "podman.ran").exists()


@linux
def test_the_image_set_for_cibuildwheel_is_started(path: Path) -> None:
    import platform

    engine(path, images="echo ours:latest; echo manylinux:1")
    (line,) = machine.containers({f"CIBW_MANYLINUX_{platform.machine().upper()}_IMAGE": "ours"})
    assert line.detail.endswith("starts ours")


def test_no_line_shows_a_credential(tmp_path: Path) -> None:
    (tmp_path / ".pypirc").write_text(
        f"[distutils]\nindex-servers = pypi\n[pypi]\nusername = __token__\npassword = {PYPI_UPLOAD}\n"
    )
    (tmp_path / ".pypirc").chmod(0o644)
    lines = list(access.credentials({"HOME": str(tmp_path), "TWINE_PASSWORD": PYPI_UPLOAD}))
    assert PYPI_UPLOAD not in repr(lines)
    assert lines[-1].detail == "$TWINE_PASSWORD, ~/.pypirc [pypi]"
    assert facts(lines) == [(".pypirc", "warning"), ("credentials", "fine")]
    assert lines[0].fix == f"chmod 600 {tmp_path / '.pypirc'}"
    (tmp_path / ".pypirc").chmod(0o600)
    assert facts(access.credentials({"HOME": str(tmp_path)})) == [("credentials", "fine")]


def test_a_broken_pypirc_is_reported_without_its_lines(tmp_path: Path) -> None:
    (tmp_path / ".pypirc").write_text(f"password = {PYPI_UPLOAD}\n")
    lines = list(access.credentials({"HOME": str(tmp_path)}))
    assert facts(lines)[0] == (".pypirc", "warning")
    assert PYPI_UPLOAD not in repr(lines)


def test_an_address_loses_its_password(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    program(
        path, "uv", f'echo "error: failed to fetch https://me:{PYPI_UPLOAD}@index.example/simple" >&2; exit 2'
    )
    monkeypatch.setattr(access, "find_tool", lambda _name: str(path / "uv"))
    line = access.index()
    assert (line.state, line.detail) == (
        LineState.MISSING,
        "unreachable: failed to fetch https://***@index.example/simple",
    )
    program(path, "uv", "exit 0")
    assert access.index().state is LineState.FINE


def test_without_uv_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_name: str) -> str:
        raise MissingToolError("uv is not installed")

    monkeypatch.setattr(access, "find_tool", find)
    line = access.index()
    assert (line.state, line.detail, line.fix) == (
        LineState.WARNING,
        "not checked: uv is missing",
        "pip install uv",
    )


def test_a_clock_behind_a_file_of_today_is_a_warning(tmp_path: Path) -> None:
    assert machine.clock(tmp_path, datetime(2020, 1, 1, tzinfo=UTC)).state is LineState.WARNING
    assert machine.clock(tmp_path, datetime(2120, 1, 1, tzinfo=UTC)).state is LineState.FINE


def repository(folder: Path, text: str = PROJECT) -> tuple[config.Config, family.Family]:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(text)
    loaded = config.load(folder)
    return loaded, family.discover(loaded)


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, "-C", folder, *arguments], check=True, capture_output=True)


def test_uncommitted_files_are_listed_and_a_clean_checkout_is_fine(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    repository(folder)
    assert facts(project.checkout(folder)) == [("git", "warning")]
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "-m", "all of it")
    assert facts(project.checkout(folder)) == [("git", "fine")]
    (folder / "forgotten.c").write_text("")
    (line,) = project.checkout(folder)
    assert line.state is LineState.WARNING
    assert "1 uncommitted: forgotten.c" in line.detail


def test_git_is_that_of_the_repository_wherever_its_projects_are(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    repository(folder / "python")
    (folder / "wheelkit.toml").write_text('distributions = ["python"]\n')
    git_commit(folder)
    assert facts(project.checkout(folder, [folder / "python"])) == [("git", "fine")]
    (folder / "python/dist").mkdir()
    (folder / "python/dist/a.whl").write_text("")
    assert facts(project.checkout(folder, [folder / "python"])) == [("git", "fine")]
    (folder / "python/new file.c").write_text("")
    (line,) = project.checkout(folder, [folder / "python"])
    assert "1 uncommitted: python/new file.c" in line.detail
    assert line.fix == "git add -- 'python/new file.c' && git commit --message \"Prepare the release\""


def test_a_folder_of_another_user_has_the_command_that_trusts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path)
    git_commit(tmp_path)
    assert facts(project.checkout(tmp_path)) == [("git", "fine")]
    for name, value in OTHERS_FOLDER.items():
        monkeypatch.setenv(name, value)
    (line,) = project.checkout(tmp_path)
    assert (line.state, line.fix) == (
        LineState.WARNING,
        f"git config --global --add safe.directory {tmp_path}",
    )


def test_every_mistake_of_the_configuration_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.wheelkit]\nmatrx = 1\nzzz = 2\n")
    with pytest.raises(ConfigError) as error:
        config.load(tmp_path)
    lines = list(project.project(None, None, error.value))
    assert facts(lines) == [("configuration", "missing"), ("configuration", "missing")]
    assert 'did you mean "matrix"?' in lines[0].detail


def test_limited_api_beside_free_threading_is_explained(tmp_path: Path) -> None:
    loaded, found = repository(tmp_path)
    lines = list(project.project(loaded, found, None))
    assert facts(lines) == [("configuration", "fine"), ("meson-python", "fine")]
    loaded, found = repository(tmp_path, PROJECT.replace(', "cp314t"', ""))
    assert facts(project.project(loaded, found, None)) == [("configuration", "fine")]


def test_limited_api_on_a_free_threaded_python_cannot_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project.sysconfig, "get_config_var", lambda _name: 1)
    loaded, found = repository(tmp_path)
    line = list(project.project(loaded, found, None))[1]
    assert (line.name, line.state.value, line.fix) == (
        "meson-python",
        "missing",
        "run wheelkit with a regular Python",
    )
    assert line.detail.endswith("; this free-threaded Python cannot build its sdist")


def test_a_release_needs_a_workflow_and_a_registration_of_each_distribution(tmp_path: Path) -> None:
    loaded, found = repository(tmp_path)
    today = date(2026, 11, 21)
    git(tmp_path, "init", "--quiet")
    assert facts(project.release(loaded, found, today)) == [
        ("workflows", "warning"),
        ("trusted publishing", "warning"),
    ]
    git(tmp_path, "remote", "add", "origin", "git@github.com:acme/momentum.git")
    lines = list(project.release(loaded, found, today))
    assert facts(lines) == [("workflows", "warning"), ("momentum", "fine")]
    assert lines[1].detail == (
        "needs a trusted publisher with owner acme, repository momentum, workflow release-python.yml, "
        "environment testpypi and pypi"
    )


def test_the_workflows_are_fine_until_the_configuration_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["ci"]) == 0
    loaded, found = repository(tmp_path)
    assert facts(project.release(loaded, found, date(2026, 11, 21)))[0] == ("workflows", "fine")
    loaded, found = repository(tmp_path, PROJECT.replace(', "macosx_10_13_x86_64"', ""))
    (line, *_) = project.release(loaded, found, date(2026, 11, 21))
    assert (line.state, line.fix) == (LineState.WARNING, "wheelkit ci")


def test_the_end_of_a_runner_is_a_warning_and_then_missing(tmp_path: Path) -> None:
    loaded, found = repository(tmp_path)
    assert facts(project.release(loaded, found, date(2027, 5, 1)))[0] != ("runners", "warning")
    assert facts(project.release(loaded, found, date(2027, 7, 1)))[0] == ("runners", "warning")
    assert facts(project.release(loaded, found, date(2027, 10, 1)))[0] == ("runners", "missing")


def test_a_family_registers_one_new_name_after_the_other(tmp_path: Path) -> None:
    repository(
        tmp_path / "cli",
        '[build-system]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "momentum-cli"\nversion = "1"\n',
    )
    text = PROJECT.replace(
        "[tool.wheelkit.matrix]", '[tool.wheelkit]\ndistributions = [".", "cli"]\n[tool.wheelkit.matrix]'
    )
    loaded, found = repository(tmp_path, text)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "https://github.com/acme/momentum")
    lines = list(project.release(loaded, found, date(2026, 11, 21)))
    assert [line.name for line in lines] == ["workflows", "momentum", "momentum-cli", "trusted publishing"]
    assert "one at a time" in lines[-1].detail


def test_the_command_prints_text_or_json_and_fails_where_something_is_missing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert list(path.iterdir()) == []
    assert main(["doctor", "--offline"]) == 1
    out = capsys.readouterr().out
    assert "  missing  C compiler" in out
    assert "apt install gcc libc6-dev" in out
    assert out.splitlines()[-1].endswith("to look at")
    assert main(["doctor", "--offline", "--json"]) == 1
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert {line["state"] for line in lines} == {"fine", "warning", "missing"}
    assert all(line["mend"] for line in lines if line["state"] != "fine")


def test_a_pure_project_needs_no_compiler_and_no_containers(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine(path, run="echo no; exit 1")
    place = tmp_path / "pure"
    place.mkdir()
    (place / "pyproject.toml").write_text(
        '[build-system]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "x"\nversion = "1"\n'
    )
    (place / "x.py").write_text("")
    monkeypatch.chdir(place)
    main(["doctor", "--offline", "--json"])
    names = {line["name"]: line["state"] for line in json.loads(capsys.readouterr().out)["lines"]}
    assert names["native tools"] == "fine"
    assert not names.keys() & {"C compiler", "cibuildwheel", "patchelf", "containers"}
    (place / "x.pyx").write_text("")
    (place / "setup.py").write_text("setup(ext_modules=cythonize('x.pyx'))\n")
    main(["doctor", "--offline", "--json"])
    names = {line["name"]: line["state"] for line in json.loads(capsys.readouterr().out)["lines"]}
    assert names["C compiler"] == "missing"
    assert "native tools" not in names


@pytest.mark.parametrize(("terminal", "longest"), [(True, 80), (False, 200)])
def test_a_terminal_gets_short_lines_and_commands_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, longest: int
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    command = "podman run --rm --pull=never --network=none localhost/an-image-of-a-long-name:of-today true"
    line = CheckLine(
        topic="machine",
        name="containers",
        state=LineState.MISSING,
        detail="it starts none " * 10,
        fix=command,
    )
    *texts, fix = cli_doctor._text(line, 12).splitlines()
    assert fix.strip() == command
    assert texts[0].startswith("  missing  containers    it starts none it")
    assert 60 < max(map(len, texts)) <= longest
    assert " ".join(" ".join(texts).split()) == f"missing containers {'it starts none ' * 10}".strip()


def test_the_doctor_of_an_empty_folder_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "wheelkit.doctor.tools.programs", lambda _backends: ()
    )  # asking them takes half a second, and is shown above
    context = doctor.DoctorContext(
        folder=tmp_path,
        now=datetime.now(UTC),
        trouble=ProjectError("nothing to build", hint="start one: wheelkit init"),
        online=False,
    )
    (line,) = [one for one in doctor.run_checks(context) if one.name == "configuration"]
    assert (line.state, line.fix) == (LineState.MISSING, "start one: wheelkit init")
