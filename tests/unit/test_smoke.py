"""What a smoke test plans, reads and says, without installing anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.rows import rows
from support.smoke_wheels import make, unpacked
from wheelkit import config, matrix
from wheelkit.__main__ import main
from wheelkit.cli.smoke import show_result
from wheelkit.errors import CheckFailedError, UsageError, WheelError
from wheelkit.machine.facts import Machine, own_target
from wheelkit.machine.interpreters import Python
from wheelkit.machine.process import Completed
from wheelkit.machine.progress import Progress
from wheelkit.machine.workspace import open_workspace
from wheelkit.manifest import BuiltFile, Manifest
from wheelkit.matrix import Interpreter, System, Target
from wheelkit.smoke import install, plan, probe, smoke, wheels
from wheelkit.smoke.environments import Environment, fixed_folder, open_environments, variables_to_unset
from wheelkit.smoke.install import Source
from wheelkit.smoke.installed import compare_installed
from wheelkit.smoke.model import Case, CaseResult, Failure, InstallMode, SmokeResult
from wheelkit.smoke.run import SmokeRequest

Capture = pytest.CaptureFixture[str]
LINUX = Target.parse("manylinux_2_28_x86_64")
CP311 = Interpreter.parse("cp311")
HERE = Python(interpreter=CP311, path=Path(sys.executable), version="3.11.9", headers=True)


def cases(tmp_path: Path, *family: str, commands: dict[str, list[str]] | None = None) -> list[Case]:
    found = tuple(wheels.read_package(path) for path in wheels.list_wheels(tmp_path))
    names = frozenset(one.key for one in found) | frozenset(family)
    return list(
        plan.plan_cases(
            plan.SmokeInputs(packages=found, family=names, target=LINUX, commands=commands or {}), [HERE]
        )
    )


# What a wheel says.


def test_a_wheel_lists_what_can_be_tested(tmp_path: Path) -> None:
    files = {
        "core/__init__.py": "",
        "core/inner/__init__.py": "",
        "core/_fast.cpython-311-x86_64-linux-gnu.so": b"",
        "core/_stable.abi3.so": b"",
        "core/libhelper.so": b"",
        "core.libs/libz-1234.so.1": b"",
        "space/plugin/__init__.py": "",
        "single.py": "",
        "data/table.txt": "",
        "core-1.0.data/purelib/late/__init__.py": "",
        "core-1.0.data/scripts/run.py": "",
    }
    entries = "[console_scripts]\nrun = core:main\n[acme.plugins]\nFile = space.plugin:Load [extra]\nx=core\n"
    one = wheels.read_package(
        make(
            tmp_path,
            "core",
            files=files,
            entries=entries,
            needs=('x>=1; extra == "all"', "y"),
            tag="cp311-abi3-manylinux_2_17_x86_64",
        )
    )
    assert one.modules == ("core", "space.plugin", "single", "late")
    assert one.extensions == ("core._fast", "core._stable")
    assert (one.scripts, one.extras, one.is_meta) == (("run",), ("all",), False)
    assert one.entry_points == (
        ("acme.plugins", "File", "space.plugin:Load [extra]"),
        ("acme.plugins", "x", "core"),
    )
    assert probe.probe_checks([one])[-1] == ("entry point", "acme.plugins:x", "core")
    assert wheels.read_package(make(tmp_path, "all", files={}, needs=("core",))).is_meta


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x-1.0-py3-none-any.whl", b"no zip", "cannot be opened"),
        ("x.whl", b"", "expected name-version"),
    ],
)
def test_a_file_that_is_not_a_wheel_is_rejected(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(WheelError, match=message):
        wheels.read_package(tmp_path / name)


def test_a_wheel_with_a_broken_requirement_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match="Requires-Dist: a b"):
        wheels.read_package(make(tmp_path, "x", needs=("a b",)))


def test_a_folder_without_wheels_is_wrong_usage(tmp_path: Path) -> None:
    for folder, message in ((tmp_path, "contains no wheels"), (tmp_path / "nowhere", "is not a folder")):
        with pytest.raises(UsageError, match=message):
            wheels.list_wheels(folder)


def test_a_file_that_changed_since_it_was_built_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "core")
    one = wheels.read_package(path)
    for digest, fine in ((one.sha256, True), ("0" * 64, False)):
        built = BuiltFile(file=path.name, sha256=digest, size=1, kind="wheel")
        facts: dict[str, Any] = {
            "builder": "pure",
            "source": "",
            "commit": "",
            "dirty": False,
            "created": "",
            "tools": {},
        }
        record = Manifest(distribution="core", version="1.0", target="any", files=(built,), **facts)
        (tmp_path / record.filename).write_text(record.to_json())
        if fine:
            wheels.require_unchanged(tmp_path, [one])
        else:
            with pytest.raises(CheckFailedError, match="changed since they were built") as caught:
                wheels.require_unchanged(tmp_path, [one])
            assert caught.value.detail == path.name


def test_the_wheel_that_an_installer_would_take_is_chosen(tmp_path: Path) -> None:
    for tag in (
        "cp311-cp311-manylinux_2_17_x86_64",
        "cp311-abi3-manylinux_2_17_x86_64",
        "cp311-cp311-win_amd64",
        "cp312-cp312-manylinux_2_17_x86_64",
    ):
        make(tmp_path, "core", tag=tag)
    make(tmp_path, "old", python=">=3.12")
    found = [wheels.read_package(path) for path in wheels.list_wheels(tmp_path)]
    chosen = wheels.choose_wheels(found, LINUX, CP311)
    assert {key: one.path.name for key, one in chosen.items()} == {
        "core": "core-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
    }
    assert set(wheels.choose_wheels(found, LINUX, Interpreter.parse("cp312"))) == {"core", "old"}


def test_one_version_is_tested_and_the_others_are_noted(tmp_path: Path) -> None:
    for version in ("1.9", "1.10"):
        make(tmp_path, "core", version)
    found = [wheels.read_package(path) for path in wheels.list_wheels(tmp_path)]
    kept, notes = wheels.select_versions(found, {})
    assert [one.version for one in kept] == ["1.10"]
    assert notes == ("core: testing 1.10; ignored: 1.9",)
    assert [one.version for one in wheels.select_versions(found, {"core": "1.9"})[0]] == ["1.9"]


@pytest.mark.parametrize(
    ("machine", "tag"),
    [
        (
            Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 36)),
            "manylinux_2_36_x86_64",
        ),
        (
            Machine(system=System.LINUX, arch="aarch64", libc="musllinux", libc_version=(1, 2)),
            "musllinux_1_2_aarch64",
        ),
        (Machine(system=System.WINDOWS, arch="amd64"), "win_amd64"),
    ],
)
def test_this_machine_is_a_target_of_its_own(machine: Machine, tag: str) -> None:
    assert own_target(machine).tag == tag


# What is planned.


@rows(
    ("document", "expected"),
    [
        ({}, "cp311 cp312 cp313 cp314 cp315"),
        ({"interpreters": ["cp312", "cp311"]}, "cp312 cp311"),
        ({"skip": "cp311-manylinux*"}, "cp312 cp313 cp314 cp315"),
        ({"skip": "cp311-win*"}, "cp311 cp312 cp313 cp314 cp315"),
        (
            {
                "targets": ["manylinux_2_28_x86_64", "musllinux_1_2_x86_64", "win_amd64"],
                "interpreters": ["cp312", "pp311"],
                "skip": "pp311-manylinux*",
                "override": [{"select": "cp312-win*", "interpreters": ["cp311"]}],
            },
            "cp312",
        ),
        ({"targets": ["win_amd64"], "interpreters": ["cp312", "pp311"]}, "cp312 pp311"),
    ],
)
def test_the_interpreters_are_those_that_are_promised_on_targets_like_this_machine(
    document: dict[str, Any], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux = Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 36))
    monkeypatch.setattr("wheelkit.smoke.smoke.facts.detect", lambda **_: linux)
    make(tmp_path, "core", python=">=3.11", tag="cp311-abi3-manylinux_2_17_x86_64")
    loaded = config.parse({"matrix": document}, source=None, root=tmp_path, validators=(matrix.validate,))
    request = SmokeRequest(dist=tmp_path, source=Source(index=""), config=loaded, family=None)
    packages = [wheels.read_package(path) for path in wheels.list_wheels(tmp_path)]
    assert " ".join(map(str, smoke._wanted_interpreters(request, packages))) == expected


def test_pure_wheels_are_tried_on_all_interpreters_that_are_listed(tmp_path: Path) -> None:
    make(tmp_path, "core")
    document = {"matrix": {"interpreters": ["cp37", "cp312"], "skip": "cp312-*"}}
    loaded = config.parse(document, source=None, root=tmp_path, validators=(matrix.validate,))
    request = SmokeRequest(dist=tmp_path, source=Source(index=""), config=loaded, family=None)
    packages = [wheels.read_package(path) for path in wheels.list_wheels(tmp_path)]
    assert " ".join(map(str, smoke._wanted_interpreters(request, packages))) == "cp37 cp312"


def family(folder: Path) -> None:
    make(folder, "core")
    make(folder, "cli", needs=("core[fast]>=1,<2",), entries="[console_scripts]\nrun = cli:main\n")
    make(folder, "adapter", needs=("core",), entries="[run.adapters]\na = adapter\n")
    make(folder, "all", files={}, needs=("cli", 'adapter; extra == "adapters"', 'requests; extra == "net"'))


def test_each_distribution_and_the_whole_family_and_the_tools_are_tried(tmp_path: Path) -> None:
    family(tmp_path)
    planned = cases(tmp_path, commands={"cli": ["run x"]})
    assert [(case.label, case.mode.value) for case in planned] == [
        ("core", "environment"),
        ("adapter", "environment"),
        ("cli", "environment"),
        ("all", "environment"),
        ("the family", "environment"),
        ("cli", "tool"),
    ]
    whole = planned[4]
    assert whole.requirements == ("core", "adapter", "cli", "all[adapters,net]")
    assert (whole.commands, whole.checked) == (("run x",), ("core", "adapter", "cli", "all"))
    assert planned[2].needed == {"cli": (), "core": ("fast",)}
    assert whole.needed == {"adapter": (), "all": ("adapters", "net"), "cli": (), "core": ("fast",)}
    assert not any(case.problem for case in planned)


def test_a_sibling_that_is_not_in_the_dist_is_never_asked_of_an_index(tmp_path: Path) -> None:
    family(tmp_path)
    (tmp_path / "core-1.0-py3-none-any.whl").unlink()
    planned = {case.label: case.problem for case in cases(tmp_path, "core")}
    assert planned["cli"] == "cli requires core, a member of the family, and no wheel of it here fits cp311"
    assert planned["all"] == "cli requires core, a member of the family, and no wheel of it here fits cp311"
    assert cases(tmp_path)[0].problem == ""


def test_a_wheel_for_other_systems_only_is_reported(tmp_path: Path) -> None:
    make(tmp_path, "core", tag="cp311-cp311-win_amd64")
    (case,) = cases(tmp_path)
    assert case.problem == "no wheel of core here fits cp311 on manylinux_2_28_x86_64"
    (tmp_path / "core-1.0-cp311-cp311-win_amd64.whl").unlink()
    make(tmp_path, "core", python=">=3.12")
    assert cases(tmp_path) == []


def test_markers_and_cycles_are_followed_as_far_as_they_apply(tmp_path: Path) -> None:
    make(tmp_path, "a", needs=('gone; python_version < "3.9"', 'b; extra == "x"', "b"))
    make(tmp_path, "b", needs=("a[x]",))
    assert [case.problem for case in cases(tmp_path, "gone")] == ["", "", ""]
    make(tmp_path, "a", needs=('gone; python_version > "3.9"',))
    assert all("a requires gone" in case.problem for case in cases(tmp_path, "gone"))


# How it is installed.


def case_of(tmp_path: Path) -> tuple[Case, Environment]:
    family(tmp_path)
    environment = Environment(folder=tmp_path / "case")
    case = cases(tmp_path)[2]
    environment.prepare(case)
    return case, environment


def test_the_family_is_tied_to_its_files_and_one_source_is_left(tmp_path: Path) -> None:
    case, environment = case_of(tmp_path)
    core = case.packages["core"]
    assert f"core @ {core.path.as_uri()}#sha256={core.sha256}\n" in environment.constraints.read_text()
    for command in (
        *install.uv_commands("uv", case, environment, Source(index="http://h/simple/")),
        *install.pip_commands(case, environment, Source()),
    ):
        assert not [word for word in command.argv if "extra-index" in word]
        assert command.timeout
        assert command.cwd == environment.work
    _, last = install.uv_commands("uv", case, environment, Source(index="http://h/simple/"))
    assert last.argv[-2:] == ("--no-build", "cli")
    assert last.env["UV_DEFAULT_INDEX"] == "http://h/simple/"
    _, last = install.pip_commands(case, environment, Source(index="http://h/simple/"))
    assert last.argv[-2:] == (case.packages["cli"].pinned(), core.pinned(("fast",)))
    assert last.argv[-4:-2] == ("--only-binary", ":all:")
    assert last.env["PIP_INDEX_URL"] == "http://h/simple/"


@pytest.mark.parametrize(
    ("source", "uv", "pip"),
    [
        (Source(), ["--no-build"], ["--only-binary", ":all:"]),
        (Source(sdists=True), [], []),
        (Source(offline=True), ["--no-build", "--offline"], ["--only-binary", ":all:", "--no-index"]),
        (
            Source(find_links=(Path("/x"),)),
            ["--no-build", "--no-index", "--find-links", "/x"],
            ["--only-binary", ":all:", "--no-index", "--find-links", "/x"],
        ),
    ],
)
def test_each_source_is_spelled_for_both_installers(
    tmp_path: Path, source: Source, uv: list[str], pip: list[str]
) -> None:
    case, environment = case_of(tmp_path)
    uv_words, pip_words = (
        install.uv_commands("uv", case, environment, source)[1].argv,
        install.pip_commands(case, environment, source)[1].argv,
    )
    assert list(uv_words[uv_words.index(str(environment.constraints)) + 1 : -1]) == uv
    assert list(pip_words[pip_words.index("--progress-bar=off") + 1 : -2]) == pip


def test_what_could_steer_an_installer_is_not_seen() -> None:
    environ = {
        "UV_INDEX": "x",
        "PIP_EXTRA_INDEX_URL": "x",
        "PYTHONPATH": "x",
        "VIRTUAL_ENV": "x",
        "UV_CACHE_DIR": "x",
        "PATH": "x",
        "SSL_CERT_FILE": "x",
    }
    assert set(variables_to_unset(environ)) == {
        "UV_INDEX",
        "PIP_EXTRA_INDEX_URL",
        "PYTHONPATH",
        "VIRTUAL_ENV",
    }
    assert (
        install.configured_index({"UV_INDEX": "http://extra/", "PIP_INDEX_URL": "http://own/"})
        == "http://own/"
    )
    assert install.configured_index({"UV_DEFAULT_INDEX": "mine=http://own/"}) == "http://own/"
    assert install.configured_index({}) == ""
    assert Source(index="http://me:s3cret@h/").secrets == ("s3cret",)
    assert Source(index="http://me:s%2Fcret@h/").secrets == ("s%2Fcret", "s/cret")
    assert Source(index="http://t0ken@h/").secrets == ("t0ken",)
    assert Source(index="http://h/").secrets == ()


def test_a_password_is_in_no_argument_of_an_installer(tmp_path: Path) -> None:
    case, environment = case_of(tmp_path)
    tool = cases(tmp_path)[-1]
    source = Source(index="https://me:s3cret@h.invalid/simple/")
    commands = (
        *install.uv_commands("uv", case, environment, source),
        *install.tool_commands("uv", tool, environment, source),
        *install.pip_commands(case, environment, source),
    )
    assert not [word for command in commands for word in command.argv if "s3cret" in word]
    assert sum("s3cret" in str(dict(command.env)) for command in commands) == 3
    offline = install.uv_commands("uv", case, environment, Source(index=source.index, offline=True))
    assert not [command for command in offline if "UV_DEFAULT_INDEX" in command.env]


# What was installed.


def test_what_was_installed_is_compared_with_its_file(tmp_path: Path) -> None:
    core = wheels.read_package(make(tmp_path / "di st", "core"))
    known, names = {"core": core}, frozenset({"core"})
    site = unpacked(tmp_path / "env", core, core.path.as_uri())
    assert list(compare_installed(tmp_path / "env", known, names)) == []
    (site / "core/__init__.py").write_text("other\n")
    (failure,) = compare_installed(tmp_path / "env", known, names)
    assert failure.check == "the installed files"
    assert failure.what == "files of core are missing or differ from RECORD: core/__init__.py"
    (site / "core/__init__.py").unlink()
    (failure,) = compare_installed(tmp_path / "env", known, names)
    assert failure.what.endswith("core/__init__.py")


@pytest.mark.parametrize(
    ("version", "url"),
    [
        ("1.0", None),
        ("9.0", None),
        ("1.0", "file:///other/core-1.0-py3-none-any.whl"),
        ("1.0", "http://h/x.whl"),
    ],
)
def test_a_squatter_in_the_environment_is_always_seen(tmp_path: Path, version: str, url: str | None) -> None:
    core = wheels.read_package(make(tmp_path / "dist", "core"))
    squat = wheels.read_package(make(tmp_path / "squat", "core", version))
    unpacked(tmp_path / "env", squat, url)
    (failure,) = compare_installed(tmp_path / "env", {"core": core}, frozenset({"core"}))
    assert failure.what.startswith(f"core {version} was installed from ")
    assert list(compare_installed(tmp_path / "env", {"core": core}, frozenset())) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "is not a folder"),
        (["--offline", "--index", "http://h/", "."], "exclude each other"),
        (["--offline", "--pip", "."], "which pip cannot use"),
        (["--python", "3.12", "."], 'unknown interpreter "3.12"'),
        (["--index", "staging", "."], '"staging" is neither a URL nor a configured index'),
        (["--timeout", "0", "."], "0.0 is not in the range"),
    ],
)
def test_wrong_usage_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["smoke", *words]) == 2
    assert message in capsys.readouterr().err


def test_tools_have_folders_of_their_own(tmp_path: Path) -> None:
    case, environment = case_of(tmp_path)
    (command,) = install.tool_commands("uv", case, environment, Source())
    assert command.env["UV_TOOL_DIR"].startswith(str(tmp_path))
    assert command.env["UV_TOOL_BIN_DIR"].startswith(str(tmp_path))
    assert case.mode is InstallMode.ENVIRONMENT


@pytest.mark.parametrize(
    ("imports", "tried"), [(None, ["cli", "cli._fast"]), ((), []), (("cli.main", "cli"), ["cli.main", "cli"])]
)
def test_the_project_may_say_what_is_imported(
    imports: tuple[str, ...] | None, tried: list[str], tmp_path: Path
) -> None:
    one = wheels.read_package(make(tmp_path, "cli", files={"cli/__init__.py": "", "cli/_fast.abi3.so": b""}))
    assert [name for _, name, _ in probe.probe_checks([replace(one, imports=imports)])] == tried
    assert not replace(one, imports=()).is_meta


# What is shown.


def test_a_failure_is_shown_once_whatever_the_number_of_interpreters(tmp_path: Path, capsys: Capture) -> None:
    make(tmp_path, "core")
    (case,) = cases(tmp_path)

    def failed(tag: str, what: str) -> CaseResult:
        python = replace(HERE, interpreter=Interpreter.parse(tag))
        failure = Failure(check="import core", what=what, detail=f"/env-{tag}/core.py")
        return CaseResult(case=replace(case, python=python), failures=(failure,), checks=2)

    results = (failed("cp311", "no"), failed("cp312", "no"), failed("cp313", "never"))
    show_result(SmokeResult(results=results, order=("core",)))
    shown = capsys.readouterr().out
    assert "  core on cp311, cp312\n    import core: no\n      /env-cp311/core.py\n" in shown
    assert "  core on cp313\n    import core: never\n" in shown
    assert shown.count("import core") == 2
    assert "3 environments, 6 checks · 3 failed" in shown


# Where it runs.


def test_a_run_has_a_folder_of_its_own_under_a_fixed_name_if_that_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first, second = fixed_folder(), fixed_folder()
    assert first != second
    first.rmdir()
    assert fixed_folder() == first


@pytest.mark.parametrize("keep", [False, True])
def test_environments_are_removed_unless_kept_and_what_they_link_to_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, keep: bool
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outside = tmp_path / "outside/file"
    outside.parent.mkdir()
    outside.write_text("")
    with (
        open_workspace(Progress(), "smoke") as workspace,
        open_environments(workspace, keep=keep) as environments,
    ):
        environment = Environment(folder=environments.folder / "case")
        environment.venv.mkdir(parents=True)
        (environment.venv / "lib64").symlink_to(outside.parent, target_is_directory=True)
        os.link(outside, environment.venv / "file")
        for _ in range(50):
            environments.finish(environment)
        assert environment.folder.exists() is keep
    assert environments.folder.exists() is keep
    assert outside.is_file()


@pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("cc") is None, reason="needs a C compiler that takes -shared"
)
@pytest.mark.parametrize(
    ("code", "problem"),
    [
        # What ctypes and cffi load, although it is named like an extension module, as in pycryptodome.
        ("int sum(int a, int b) { return a + b; }\n", ""),
        ("void *PyInit_other(void) { return 0; }\n", "does not define module export function"),
        ("void *PyInit__x(void) { return 0; }\n", "initialization"),
    ],
)
def test_a_library_that_is_named_like_a_module_is_not_imported(
    tmp_path: Path, code: str, problem: str
) -> None:
    (tmp_path / "x.c").write_text(code)
    module = tmp_path / f"_x{EXTENSION_SUFFIXES[0]}"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", module, tmp_path / "x.c"], check=True)
    command = [sys.executable, "-c", probe.SCRIPT, "import", "_x", ""]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    completed = Completed(returncode=0, output=done.stdout)
    problems = [failure.error for failure in probe.parse_report(completed) if failure.kind != "outside"]
    assert len(problems) == bool(problem)
    assert all(problem in text for text in problems)
