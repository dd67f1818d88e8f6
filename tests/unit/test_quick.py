"""The command lines that are read without click: the same as click's, and light."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import zoo
from command import loaded
from wheelkit.__main__ import main
from wheelkit.cli import COMMANDS, quick
from wheels import ABI3, LINUX, PURE, write_wheel

Capture = pytest.CaptureFixture[str]
# What proving a plain wheel has no use for; some of them take longer to load than all else.
IDLE = {
    "ast", "click", "cibuildwheel", "csv", "email", "inspect", "json", "logging", "packaging", "random", "rich", "shutil",
    "socket", "string", "subprocess", "tempfile", "tomlkit", "tomllib", "zipfile",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (LINUX, ABI3, PURE):
        write_wheel(tmp_path, name)
    (tmp_path / "--json").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        [], ["."], [LINUX], [LINUX, PURE], ["--json", ABI3], [ABI3, "--json", "--json"], [LINUX, "--shallow"], ["--shallow", "--json", "."],
        ["--native", "."], ["nowhere"], [LINUX, "nowhere"], [""], ["--jso", LINUX], ["--json=1", LINUX], ["--format", "markdown", LINUX],
        ["--no-fix-hint", "."], ["--", "--json"], ["-h"], ["--config", "nowhere"], ["--reference", LINUX, ABI3], ["*.whl"], ["--nonsense"],
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_whoever_reads_the_command_line_it_does_and_says_the_same(
    words: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outcome() -> tuple[int, list[str], list[str]]:
        code = main(["verify-matrix", *words])
        captured = capsys.readouterr()
        lines = captured.out.splitlines()
        timeless = [line.partition(" · ")[0] for line in lines if '"seconds"' not in line]
        return code, timeless, captured.err.splitlines()

    quickly = outcome()
    monkeypatch.setattr(quick, "_MODULES", {})
    assert outcome() == quickly


@pytest.mark.usefixtures("folder")
def test_paths_that_are_there_and_flags_are_told_apart() -> None:
    flags = import_module("wheelkit.cli.proving").FLAGS
    assert quick.read([LINUX, "--shallow", "."], flags) == ((Path(LINUX), Path()), {"shallow": True})
    for odd in ("nowhere", "", "--", "-", "--shall", "--reference", "*.whl", "~", "%TEMP%"):
        assert quick.read([LINUX, odd], flags) is None


def test_values_are_gathered_and_odd_ones_left_to_click() -> None:
    flags = import_module("wheelkit.cli.trying").FLAGS
    assert quick.read([".", "--python", "cp311", "--offline", "--python", "cp312"], flags) == (
        (Path(),),
        {"interpreters": ("cp311", "cp312"), "offline": True},
    )
    for odd in (["--python"], ["--python", ""], ["--python", "--offline"], ["--python=cp311"], ["--python", "cp3*"], ["--jobs", "2"]):
        assert quick.read([".", *odd], flags) is None


@pytest.mark.parametrize("words", [[], [".", "."], [".", "--python", "cp2"], [".", "--offline", "--pip"], [".", "--jobs", "0"], ["."]])
@pytest.mark.usefixtures("folder")
def test_a_smoke_test_is_refused_in_the_same_words(words: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("empty").mkdir()
    monkeypatch.chdir("empty")
    quickly = main(["smoke", *words]), capsys.readouterr()
    assert quickly[0] == 2
    monkeypatch.setattr(quick, "_MODULES", {})
    assert (main(["smoke", *words]), capsys.readouterr()) == quickly


@pytest.mark.skipif(sys.platform == "win32", reason="names with these signs are for other systems")
def test_what_windows_users_expect_to_be_expanded_is_left_to_click(folder: Path) -> None:
    (folder / "a[1].whl").write_bytes(b"")
    assert quick.read(["a[1].whl"], []) is None


def test_completion_is_left_to_click(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert quick.run(["verify-matrix", str(folder / PURE)]) == 0
    monkeypatch.setenv("_WHEELKIT_COMPLETE", "bash_complete")
    assert quick.run(["verify-matrix", str(folder / PURE)]) is None


@pytest.mark.parametrize("name", quick._MODULES)
def test_flags_and_defaults_are_those_of_click(name: str) -> None:
    command: click.Command = import_module(f"wheelkit.cli.{COMMANDS[name][0]}").command
    module = import_module(quick._MODULES[name])
    options = {word: one for one in command.params for word in one.opts}
    for flag in module.FLAGS:
        option = options[flag.word]
        assert isinstance(option, click.Option)
        assert (option.name, option.help) == (flag.field, flag.help)
        assert (option.is_flag, option.multiple, option.metavar or "") == (not flag.metavar, bool(flag.metavar), flag.metavar)
    field = command.params[0].name
    assert field is not None
    with command.make_context(name, ["."]) as context:
        params = {**context.params, field: None}
    assert module.Wish(**params) == module.Wish(**{field: None})


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_that_has_gone_ends_it_quietly_but_not_well(folder: Path) -> None:
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", "--json", str(folder / PURE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 1)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_every_encoding_gets_what_it_can_show(encoding: str, folder: Path) -> None:
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", str(folder / PURE)]
    done = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, check=True)
    assert done.stdout.decode(encoding).startswith("demo 1.0 ")


@pytest.mark.parametrize("options", [[], ["--shallow"]])
def test_a_plain_wheel_is_proven_with_few_modules(options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = zoo.good().write(tmp_path)
    monkeypatch.chdir(tmp_path)
    # msgspec loads typing_extensions where that is installed, and abi3info data classes; both load inspect, and that much else.
    libraries = "import sys, abi3info, msgspec; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", libraries], capture_output=True, text=True, check=True)
    own = loaded("verify-matrix", *options, str(wheel)) - loaded("--version") - {*done.stdout.split()}
    assert not own.intersection(IDLE)


def test_a_smoke_test_begins_with_few_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.good().write(tmp_path)
    monkeypatch.chdir(tmp_path)
    own = loaded("smoke", ".", "--python", "pp39", "--offline") - loaded("--version")  # which is looked for, and not here
    assert "wheelkit.smoke.packages" in own
    assert not own.intersection({"click", "email", "inspect", "packaging", "rich", "tomlkit", "zipfile"})
