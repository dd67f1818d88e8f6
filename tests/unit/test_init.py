from __future__ import annotations

import tomllib
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

import pytest

from wheelkit import config, init, matrix
from wheelkit.__main__ import main
from wheelkit.errors import OutputError, ProjectError, UsageError
from wheelkit.init import FileChange
from wheelkit.project import family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import projects_below

Capture = pytest.CaptureFixture[str]
MESON = """# keep this comment
[build-system]
requires = ["meson-python"]
build-backend = 'mesonpy'

[project]
name = "momentum"
version = "1.2.0"
requires-python = ">=3.10"
classifiers = [
    "Programming Language :: Python :: 3",
    "Programming Language :: Python :: 3.11",  # and its neighbour
    "Programming Language :: Python :: 3.12",
]
"""
SETUPTOOLS = """[project]
name = "spin"
version = "0.3"
[tool.setuptools]
ext-modules = [{ name = "spin._core", sources = ["core.c"] }]
"""
PURE = '[build-system]\nbuild-backend = "hatchling.build"\n[project]\nname = "words"\nversion = "1"\n'
COMMON = [*matrix.COMMON_TARGETS]
UNKNOWN = "nothing says what is built today, so the common targets are promised"


@pytest.fixture
def adopted(tmp_path: Path) -> Callable[[str], dict[str, list[str]]]:
    """Adopt a project by its pyproject.toml, and give the matrix that it then promises."""

    def adopt(text: str) -> dict[str, list[str]]:
        (tmp_path / "pyproject.toml").write_text(text)
        (tmp_path / "meson.build").write_text("project('momentum', 'c')\npython.extension_module('_core')\n")
        change = init.adopt(tmp_path)
        (tmp_path / "pyproject.toml").unlink()
        promised: dict[str, list[str]] = tomllib.loads(change.text)["tool"]["wheelkit"]["matrix"]
        return promised

    return adopt


def test_a_new_project_is_one_that_wheelkit_reads(tmp_path: Path) -> None:
    folder = tmp_path / "Momentum_Core"
    init.write(init.create(folder, init.name_of(folder, None), family=False))
    loaded = config.load(folder, validators=(matrix.validate,))
    (item,) = family.discover(loaded).distributions
    assert (item.name, item.version, item.kind, item.limited_api) == (
        "momentum-core",
        "0.1.0",
        Kind.NATIVE,
        True,
    )
    assert list(loaded.matrix.targets or ()) == COMMON
    assert (folder / "python/momentum_core/__init__.py").is_file()
    assert not [path for path in folder.rglob("*") if path.is_file() and "@" in path.read_text()]


def test_a_new_family_is_three_distributions_in_order(tmp_path: Path) -> None:
    init.write(init.create(tmp_path, "momentum", family=True))
    found = family.discover(config.load(tmp_path, validators=(matrix.validate,)))
    assert [(item.name, item.kind) for item in found.distributions] == [
        ("momentum", Kind.NATIVE),
        ("momentum-cli", Kind.PURE),
        ("momentum-all", Kind.META),
    ]


@pytest.mark.parametrize(("folder", "name"), [("9lives", None), ("good", "no/name"), ("class room", None)])
def test_a_name_has_to_be_importable(tmp_path: Path, folder: str, name: str | None) -> None:
    with pytest.raises(UsageError, match="is not a valid name for a distribution"):
        init.name_of(tmp_path / folder, name)
    assert init.name_of(tmp_path / folder, "Good.Name") == "good-name"


def test_existing_files_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "meson.build").write_text("mine")
    with pytest.raises(UsageError, match=r"already contains meson\.build"):
        init.create(tmp_path, "momentum", family=False)
    (tmp_path / "meson.build").unlink()
    (tmp_path / "README.md").write_text("mine")
    init.write(init.create(tmp_path, "momentum", family=False))
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_file_that_changed_since_it_was_shown_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("now")
    with pytest.raises(OutputError, match="was changed in the meantime"):
        init.write([FileChange(path=tmp_path / "a", text="then", before=b"before")])
    with pytest.raises(OutputError, match="cannot be written"):
        init.write([FileChange(path=tmp_path / "a", text="then")])
    init.write([FileChange(path=tmp_path / "a", text="then", before=b"now")])
    assert (tmp_path / "a").read_text() == "then"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_configuration_is_added_and_every_other_byte_stays(tmp_path: Path, ending: str) -> None:
    before = MESON.replace("\n", ending).encode()
    (tmp_path / "pyproject.toml").write_bytes(before)
    init.write([init.adopt(tmp_path)])
    after = (tmp_path / "pyproject.toml").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == after.count(ending.encode())
    assert config.load(tmp_path).matrix.interpreters == ("cp311", "cp312")


def test_only_lines_are_added_where_the_file_does_not_end_in_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(MESON.rstrip())
    change = init.adopt(tmp_path)
    changes = list(unified_diff(MESON.splitlines(), change.text.splitlines(), lineterm=""))[2:]
    assert not [line for line in changes if line.startswith("-")]


def test_without_any_settings_the_common_targets_are_promised(
    adopted: Callable[[str], dict[str, list[str]]],
) -> None:
    assert adopted(MESON) == {"targets": COMMON, "interpreters": ["cp311", "cp312"]}


def _kind(target: str) -> str:
    return "win" if target == "win32" else target.partition("_")[0].replace("musl", "many")


@pytest.mark.parametrize(
    ("classifiers", "settings", "systems"),
    [
        (["OS Independent"], "", ["manylinux", "macosx", "win"]),
        (["Microsoft :: Windows", "MacOS", "POSIX :: Linux"], "", ["manylinux", "macosx", "win"]),
        (["POSIX"], "", ["manylinux", "macosx"]),
        (["POSIX :: Linux", "MacOS :: MacOS X"], "", ["manylinux", "macosx"]),
        (["POSIX :: Linux"], "", ["manylinux"]),
        (["POSIX :: Linux"], '[tool.cibuildwheel.windows]\narchs = ["AMD64"]\n', ["manylinux", "win"]),
        (["POSIX :: BSD"], "", ["manylinux", "macosx", "win"]),
    ],
)
def test_the_systems_are_those_that_the_classifiers_name(
    adopted: Callable[[str], dict[str, list[str]]], classifiers: list[str], settings: str, systems: list[str]
) -> None:
    named = "".join(f'    "Operating System :: {one}",\n' for one in classifiers)
    promised = adopted(MESON.replace("classifiers = [\n", f"classifiers = [\n{named}") + settings)
    assert list(dict.fromkeys(_kind(target) for target in promised["targets"])) == systems


def test_systems_that_the_classifiers_leave_out_are_named(tmp_path: Path) -> None:
    for name, notes in (
        (
            "POSIX",
            ("no targets for Windows, which the classifiers do not name; add them if you ship its wheels",),
        ),
        ("OS Independent", ()),
    ):
        text = MESON.replace("classifiers = [\n", f'classifiers = [\n    "Operating System :: {name}",\n')
        (tmp_path / "pyproject.toml").write_text(text)
        assert init.adopt(tmp_path).notes == (UNKNOWN, *notes)


def test_projects_of_one_family_are_named_in_a_note(tmp_path: Path) -> None:
    for name, needs in (("cli", "Momentum>=1"), ("other", "momentums")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(
            f'{PURE.replace("words", name)}dependencies = ["{needs}"]\n'
        )
    (tmp_path / "pyproject.toml").write_text(MESON)
    assert init.adopt(tmp_path).notes == (
        UNKNOWN,
        'cli and momentum are a family; to release them together: distributions = [".", "cli"]',
    )


def test_settings_that_leave_no_wheel_are_an_error(adopted: Callable[[str], dict[str, list[str]]]) -> None:
    with pytest.raises(ProjectError, match="no wheel is left for momentum"):
        adopted(MESON + '[tool.cibuildwheel]\nskip = "*"\n')


def test_a_project_without_classifiers_promises_what_requires_python_admits(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(SETUPTOOLS.replace("[tool", 'requires-python = ">=3.14"\n[tool'))
    assert tomllib.loads(init.adopt(tmp_path).text)["tool"]["wheelkit"]["matrix"]["interpreters"] == [
        "cp314",
        "cp315",
    ]


@pytest.mark.parametrize(
    ("build_system", "interpreters"),
    [
        (
            "",
            ["cp313", "cp314", "cp315"],
        ),  # setup.py may build for the stable ABI without a word in pyproject.toml
        ('[build-system]\nbuild-backend = "scikit_build_core.build"\n', ["cp313"]),
    ],
)
def test_a_single_build_is_taken_for_the_stable_abi_where_nothing_denies_it(
    tmp_path: Path, build_system: str, interpreters: list[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        f'{build_system}{SETUPTOOLS}[tool.cibuildwheel]\nbuild = "cp313-*"\n'
    )
    assert (
        tomllib.loads(init.adopt(tmp_path).text)["tool"]["wheelkit"]["matrix"]["interpreters"] == interpreters
    )


def test_a_pure_project_owes_no_target(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PURE)
    init.write([init.adopt(tmp_path)])
    loaded = config.load(tmp_path)
    assert (loaded.distributions, loaded.matrix.targets, loaded.source) == (
        (".",),
        None,
        tmp_path / "pyproject.toml",
    )


def test_without_a_pyproject_the_configuration_is_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("setup(ext_modules=[Extension('a', ['a.c'])], name='a', version='1')")
    (change,) = [init.adopt(tmp_path)]
    assert (change.path, change.before) == (tmp_path / "wheelkit.toml", None)
    init.write([change])
    assert list(config.load(tmp_path).matrix.targets or ()) == COMMON
    with pytest.raises(UsageError, match="already configures wheelkit"):
        init.adopt(tmp_path)


def test_a_tool_table_that_no_header_extends_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("tool = { setuptools = { ext-modules = [] } }\n" + PURE)
    assert init.adopt(tmp_path).path == tmp_path / "wheelkit.toml"


def test_a_configured_project_is_never_configured_again(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(MESON + "[tool.wheelkit]\n")
    with pytest.raises(UsageError, match="already configures wheelkit"):
        init.adopt(tmp_path)


def test_nothing_is_written_where_nobody_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "pyproject.toml").write_text(MESON)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["init", "--offline"]) == 2
    shown = capsys.readouterr()
    assert '+interpreters = ["cp311", "cp312"]' in shown.out
    assert "wheelkit init --yes" in shown.err
    assert (tmp_path / "pyproject.toml").read_text() == MESON
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pyproject.toml"]
    assert main(["init", "--offline", "--yes"]) == 0
    assert main(["ci", "--check"]) == 0


def test_the_projects_own_workflow_is_left_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/ci.yml").write_text("name: mine\n")
    (tmp_path / "pyproject.toml").write_text(MESON)
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--offline", "--yes"]) == 0
    assert ".github/workflows/ci.yml is your own and was left unchanged" in capsys.readouterr().err
    assert (tmp_path / ".github/workflows/ci.yml").read_text() == "name: mine\n"
    assert (tmp_path / ".github/workflows/release-python.yml").is_file()


def test_the_flags_of_a_new_project_do_not_fit_one_that_is_there(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "pyproject.toml").write_text(MESON)
    assert main(["init", str(tmp_path), "--family"]) == 2
    assert "already contains a project" in capsys.readouterr().err


def repository(root: Path, *folders: str, text: str = MESON, **files: str) -> Path:
    for folder in folders:
        (root / folder).mkdir(parents=True)
        (root / folder / "pyproject.toml").write_text(text.replace("momentum", folder.rpartition("/")[2]))
    for name, more in files.items():
        (root / name.replace("__", ".")).write_text(more)
    return root


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["core", "cli"], ["cli", "core"]),
        (["packages/core", "packages/cli", "app"], ["app", "packages/*"]),
        (["packages/core", "app"], ["app", "packages/core"]),
        (["core", "core/vendored", "tests/demo", "docs/example", ".venv/x"], ["core"]),
    ],
)
def test_the_projects_of_a_repository_are_named(
    tmp_path: Path, folders: list[str], expected: list[str]
) -> None:
    root = repository(tmp_path, *folders, text=MESON)
    change = init.adopt_members(root, init.members(root))
    assert change.path == root / "wheelkit.toml"
    document = tomllib.loads(change.text)
    assert document["distributions"] == expected
    assert document["matrix"]["targets"][0] == COMMON[0]
    init.write([change])
    assert {item.source for item in family.discover(config.load(root)).distributions} == set(
        projects_below(root)
    )


def test_a_workspace_keeps_its_pyproject(tmp_path: Path) -> None:
    settings = '[tool.uv.workspace]\nmembers = ["core"]\n'
    root = repository(tmp_path, "core", pyproject__toml=settings)
    change = init.adopt_members(root, init.members(root))
    assert change.path == root / "pyproject.toml"
    assert change.text.startswith(settings)
    assert tomllib.loads(change.text)["tool"]["wheelkit"]["distributions"] == ["core"]


def test_members_promise_what_all_of_them_keep(tmp_path: Path) -> None:
    root = repository(tmp_path, "core", "more", text=MESON)
    (root / "more/pyproject.toml").write_text(MESON.replace(">=3.10", ">=3.12").replace("momentum", "more"))
    matrix = tomllib.loads(init.adopt_members(root, init.members(root)).text)["matrix"]
    assert matrix["interpreters"][0] == "cp312"
    (root / "more/pyproject.toml").write_text(MESON + '[tool.cibuildwheel]\nbuild = "pp*"\n')
    with pytest.raises(ProjectError):
        init.adopt_members(root, init.members(root))


@pytest.mark.parametrize("own", ["pyproject.toml", "setup.py", "wheelkit.toml"])
def test_a_project_of_its_own_has_no_members(tmp_path: Path, own: str) -> None:
    root = repository(tmp_path, "core")
    assert init.members(root) == (root / "core",)
    (root / own).write_text(SETUPTOOLS)
    assert init.members(root) == ()


def test_a_repository_of_projects_is_not_taken_for_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    root = repository(tmp_path, "core", "cli", text=MESON)
    monkeypatch.chdir(root)
    assert main(["plan"]) == 2
    assert (
        "there are projects in cli, core; to add them to the configuration:  wheelkit init"
        in capsys.readouterr().err
    )
    (root / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert main(["plan"]) == 2
    assert "describes no project" in capsys.readouterr().err
    assert main(["init", "--offline", "--yes"]) == 0
    assert not (root / "meson.build").exists()
    assert main(["plan"]) == 0
    assert main(["init", "--offline", "--yes"]) == 2
    assert "already configures wheelkit" in capsys.readouterr().err
