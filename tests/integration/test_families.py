"""The example families pass build, verify-matrix and smoke from a clean checkout, and again after a bump."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit

from support.command import git_commit
from support.smoke_wheels import make, served, torch_stand_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.command import Wheelkit

    Checkout = Callable[[str], Path]


FAMILIES = Path(__file__).parents[1] / "families"
TAG = f"cp3{sys.version_info[1]}"
HOST = ("--builder", "host")
# An annotated tag needs a name.
IDENTITY = {
    f"GIT_{role}_{what}": "test@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}
# The distribution that is bumped, and the number of files that change: its own and those with a range on it.
CORES = {
    "native": ("orrery", 4),
    "format-runtime-meta": ("granule-format", 3),
    "core-scheduler-meta": ("ferry-core", 3),
    "single-pure": ("lantern-text", 2),
}
CASES = {"native": 6, "format-runtime-meta": 4, "core-scheduler-meta": 6, "single-pure": 1}

pytestmark = pytest.mark.network


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Check an example family out, on its own."""

    def copy(name: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(
            FAMILIES / name,
            folder,
            ignore=shutil.ignore_patterns("dist", "*.egg-info", "_built_with.py", "__pycache__"),
        )
        (folder / ".gitignore").write_text("/dist/\n")
        git_commit(folder)
        return folder

    return copy


def released(
    wheelkit: Wheelkit,
    folder: Path,
    *builder: str,
    env: Mapping[str, str] | None = None,
    third: tuple[str | Path, ...] = (),
) -> list[dict[str, Any]]:
    """Build, verify and smoke with the command in the family's README; returns the cases of the smoke test.

    ``builder`` and ``third``, where third parties come from, are what this machine adds.
    """
    (line,) = re.findall(r"wheelkit build && [^`\n]+", (folder / "README.md").read_text())
    steps = [command.split()[1:] for command in line.split(" && ")]
    assert [step[0] for step in steps] == ["build", "verify-matrix", "smoke"]
    more = {"build": builder, "smoke": ("--python", TAG, "--json", *third)}
    for step in steps:
        done = wheelkit(*step, *more.get(step[0], ()), cwd=folder, env=env)
        assert done.returncode == 0, done.stderr
    cases: list[dict[str, Any]] = json.loads(done.stdout)["cases"]
    return cases


def changed_lines(folder: Path) -> list[str]:
    diff = subprocess.run(
        ["git", "diff", "-U0", "--no-color"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    return [
        line for line in diff.splitlines() if line[:1] in {"+", "-"} and not line.startswith(("+++", "---"))
    ]


@pytest.mark.parametrize("name", CORES)
def test_a_family_is_built_verified_smoked_bumped_and_built_again(
    name: str, wheelkit: Wheelkit, checkout: Checkout
) -> None:
    folder = checkout(name)
    builder = HOST if name == "native" else ()
    if name == "native" and sys.platform != "linux":
        pytest.skip("the host builder is for Linux")
    assert wheelkit("version", "check", cwd=folder).returncode == 0
    first = released(wheelkit, folder, *builder)
    assert len(first) == CASES[name]

    core, files = CORES[name]
    done = wheelkit("version", "bump", "minor", core, "--json", cwd=folder)
    assert len(json.loads(done.stdout)["files"]) == files
    before, after = json.loads(done.stdout)["versions"][core].values()
    lines = changed_lines(folder)
    assert len(lines) >= 2 * files
    removed, added = ([line[1:] for line in lines if line[0] == sign] for sign in "-+")
    assert [strip(line) for line in removed] == [strip(line) for line in added]

    take_proposed_tags(wheelkit, folder)
    git_commit(folder)
    second = released(wheelkit, folder, *builder)
    shipped = {file for case in second for file in case["files"]}
    assert any(f"-{after}-" in file for file in shipped)
    assert not any(file.startswith(f"{core.replace('-', '_')}-{before}") for file in shipped)


def take_proposed_tags(wheelkit: Wheelkit, folder: Path) -> None:
    """Give members with different versions tags of their own: those that version check proposes."""
    done = wheelkit("version", "check", cwd=folder)
    proposed = re.findall(r'^ *\[([\w.-]+)\] tag = "(.+)"$', done.stdout + done.stderr, re.MULTILINE)
    assert (done.returncode, bool(proposed)) in {(0, False), (1, True)}
    for header, template in proposed:
        path = folder / ("pyproject.toml" if header.startswith("tool.") else "wheelkit.toml")
        document = tomlkit.parse(path.read_text())
        table: Any = document
        for key in header.split("."):
            table = table.setdefault(key, tomlkit.table())
        table["tag"] = template
        path.write_text(tomlkit.dumps(document))
    assert wheelkit("version", "check", cwd=folder).returncode == 0


def strip(line: str) -> str:
    """Remove versions from a line; the rest must not change."""
    return re.sub(r"\d+(\.\d+)+", "X", line)


@pytest.mark.skipif(
    (sys.platform, platform.machine(), TAG) != ("linux", "x86_64", "cp311"),
    reason="all that the project promises",
)
def test_an_extension_of_torch_is_built_beside_a_stand_in_with_the_versions_of_its_tags(
    wheelkit: Wheelkit, checkout: Checkout, tmp_path: Path
) -> None:
    folder = checkout("torch")
    torch_stand_in(folder, tmp_path / "third")
    env, third = {"UV_FIND_LINKS": str(tmp_path / "third")}, ("--find-links", tmp_path / "third")
    assert wheelkit("version", "check", cwd=folder).returncode == 1
    refused = wheelkit("version", "bump", "minor", cwd=folder)
    assert (refused.returncode, "wheelkit version tag spinor --as" in refused.stderr) == (2, True)
    for version in ("1.0.0", "1.1.0"):
        with (folder / "core.c").open("a") as stream:
            stream.write(f"/* {version} */\n")
        git_commit(folder)
        assert wheelkit("version", "tag", "--as", version, cwd=folder, env=IDENTITY).returncode == 0
        assert wheelkit("version", "check", cwd=folder).returncode == 0
        assert changed_lines(folder) == []
        (case,) = released(wheelkit, folder, *HOST, env=env, third=third)
        (file,) = case["files"]
        assert file.startswith(f"spinor-{version}-cp311-abi3-")
        shown = wheelkit("verify-matrix", "dist", "--json", cwd=folder)
        assert json.loads(shown.stdout)["findings"] == []


@pytest.mark.container
def test_the_native_family_goes_through_cibuildwheel(
    wheelkit: Wheelkit, checkout: Checkout, image: Mapping[str, str]
) -> None:
    folder = checkout("native")
    assert len(released(wheelkit, folder, "--builder", "cibuildwheel", env=image)) == CASES["native"]
    manifests = [
        json.loads(path.read_text()) for path in (folder / "dist").glob("orrery-0.4.0-manylinux*.json")
    ]
    assert [manifest["builder"] for manifest in manifests] == ["cibuildwheel"]


@pytest.fixture
def squatted(tmp_path: Path) -> Iterator[str]:
    """Serve a core of a higher version that the ranges admit."""
    folder = tmp_path / "squatted"
    make(folder, "ferry-core", "2.99.0", files={"ferry_core/__init__.py": "__version__ = '2.99.0'\n"})
    make(folder, "wk-gen", "1.99", files={"wk_gen/__init__.py": "number = 99\n"})
    with served(folder) as index:
        yield index.url


def built_with(folder: Path) -> str:
    (wheel,) = folder.glob("ferry_scheduler-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("ferry_scheduler/_built_with.py").decode().split('"')[-2]


def test_a_sibling_that_the_build_needs_is_never_the_squatted_one(
    wheelkit: Wheelkit, checkout: Checkout, squatted: str, tmp_path: Path
) -> None:
    folder = checkout("core-scheduler-meta")
    env = {"UV_INDEX": squatted}
    subprocess.run(
        ["uv", "build", "-q", "--wheel", "-o", tmp_path / "usual", "packages/scheduler"],
        cwd=folder,
        env={**wheelkit.env, **env},
        check=True,
    )
    assert built_with(tmp_path / "usual") == "2.99.0"
    (folder / "packages/scheduler/src/ferry_scheduler/_built_with.py").unlink()
    assert wheelkit("build", "--pure", cwd=folder, env=env).returncode == 0
    assert built_with(folder / "dist") == "2.3.0"
    for named in ("ferry-scheduler", "packages/scheduler"):
        shutil.rmtree(folder / "dist")
        assert wheelkit("build", "--pure", named, cwd=folder, env=env).returncode == 0
        assert [path.name for path in (folder / "dist").glob("*.whl")] == [
            "ferry_scheduler-2.3.0-py3-none-any.whl"
        ]
        assert built_with(folder / "dist") == "2.3.0"


SETUP = """from setuptools import Extension, setup
from wk_gen import number
setup(ext_modules=[Extension("wk_fast", ["fast.c"], define_macros=[("NUMBER", str(number))])])
"""
MODULE = """#include <Python.h>
static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "wk_fast", NULL, 0, NULL};
PyMODINIT_FUNC PyInit_wk_fast(void) {
    PyObject *m = PyModule_Create(&d);
    if (m) PyModule_AddIntConstant(m, "number", NUMBER);
    return m;
}
"""
PROJECT = """[build-system]
requires = {requires}
build-backend = "{backend}"
[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.11"
"""
GENERATED = {
    "wheelkit.toml": (
        'distributions = ["gen", "fast"]\n'
        '[matrix]\ntargets = ["manylinux_2_28_x86_64"]\ninterpreters = ["cp311"]\n'
    ),
    "gen/pyproject.toml": PROJECT.format(requires='["hatchling"]', backend="hatchling.build", name="wk-gen"),
    "gen/wk_gen/__init__.py": "number = 42\n",
    "fast/pyproject.toml": PROJECT.format(
        requires='["setuptools", "wk-gen>=1,<2"]', backend="setuptools.build_meta", name="wk-fast"
    )
    + 'dependencies = ["wk-gen>=1,<2"]\n',
    "fast/setup.py": SETUP,
    "fast/fast.c": MODULE,
    "fast/MANIFEST.in": "include fast.c\n",
}


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """Make a native distribution whose build, and whose test, need a pure sibling."""
    folder = tmp_path / "generated"
    for name, text in GENERATED.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    smoke = "python -c 'import wk_fast, wk_gen; assert wk_fast.number == wk_gen.number == 42, wk_gen'"
    (folder / "wheelkit.toml").write_text(
        f'{GENERATED["wheelkit.toml"]}[distribution.wk-fast]\nsmoke = ["{smoke}"]\n'
    )
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="the host builder is for Linux")
def test_a_native_build_takes_its_sibling_from_this_run_and_does_not_deliver_it(
    wheelkit: Wheelkit, generated: Path, squatted: str
) -> None:
    assert wheelkit("build", "--native", *HOST, cwd=generated, env={"UV_INDEX": squatted}).returncode == 0
    assert [path.name.split("-")[0] for path in (generated / "dist").glob("*.whl")] == ["wk_fast"]


@pytest.fixture(params=["build", "build[uv]"])
def squatted_image(request: pytest.FixtureRequest, image: Mapping[str, str], squatted: str) -> dict[str, str]:
    """Add the squatted sibling's index for pip and uv inside the container."""
    passed = "UV_INDEX PIP_EXTRA_INDEX_URL"
    indexes = {"UV_INDEX": squatted, "PIP_EXTRA_INDEX_URL": squatted, "CIBW_ENVIRONMENT_PASS_LINUX": passed}
    return {**image, **indexes, "CIBW_BUILD_FRONTEND": request.param}


@pytest.mark.container
def test_a_build_in_a_container_takes_its_sibling_from_this_run(
    wheelkit: Wheelkit, generated: Path, squatted_image: Mapping[str, str]
) -> None:
    """The same inside the container: the module asserts a number, which the squatted sibling changes."""
    assert wheelkit("build", "--builder", "cibuildwheel", cwd=generated, env=squatted_image).returncode == 0
    assert sorted(path.name.split("-")[0] for path in (generated / "dist").glob("*.whl")) == [
        "wk_fast",
        "wk_gen",
    ]


@pytest.mark.container
def test_cibuildwheel_alone_takes_the_squatted_sibling_in_the_container(
    wheelkit: Wheelkit, generated: Path, squatted_image: Mapping[str, str]
) -> None:
    """The container reaches the squatted index, without which the test above would be void."""
    env = {**wheelkit.env, **squatted_image}
    env["CIBW_TEST_COMMAND"] = (
        "python -c 'import wk_fast, wk_gen; "
        "assert wk_fast.number == wk_gen.number == 99, (wk_fast.number, wk_gen)'"
    )
    command = [
        sys.executable,
        "-m",
        "cibuildwheel",
        "--only",
        f"cp311-manylinux_{platform.machine()}",
        "fast",
    ]
    done = subprocess.run(command, cwd=generated, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


MISTAKEN = {
    "native": (
        "--native",
        *HOST,
        "is treated as native, but its wheel contains no binary: wk_gen-1.0-py3-none-any.whl",
    ),
    "pure": (
        "--pure",
        (
            "is treated as pure Python, but its wheel is for one platform: "
            "wk_fast-1.0-cp311-cp311-linux_x86_64.whl"
        ),
    ),
}


@pytest.mark.skipif(
    sys.platform != "linux" or TAG != "cp311",
    reason="the host builder is for Linux; the wheel is named for 3.11",
)
@pytest.mark.parametrize("kind", MISTAKEN)
def test_a_wheel_of_another_kind_than_its_distribution_is_an_error(
    kind: str, wheelkit: Wheelkit, generated: Path
) -> None:
    name, (*words, message) = {"native": "gen", "pure": "fast"}[kind], MISTAKEN[kind]
    text = GENERATED["wheelkit.toml"].replace(
        'distributions = ["gen", "fast"]', f'distributions = ["{name}"]'
    )
    (generated / "wheelkit.toml").write_text(f'{text}[distribution.wk-{name}]\nkind = "{kind}"\n')
    for file in ("fast/setup.py", "fast/pyproject.toml"):
        stand_alone = (
            (generated / file)
            .read_text()
            .replace("from wk_gen import number\n", "number = 1\n")
            .replace(', "wk-gen>=1,<2"', "")
        )
        (generated / file).write_text(stand_alone)
    done = wheelkit("build", *words, cwd=generated)
    assert done.returncode == 2
    assert message.replace("x86_64", platform.machine()) in done.stderr
    assert not (generated / "dist").exists()


def test_a_sibling_that_cannot_be_built_here_stops_the_build(wheelkit: Wheelkit, generated: Path) -> None:
    text = (generated / "gen/pyproject.toml").read_text()
    (generated / "gen/pyproject.toml").write_text(
        text.replace("wk-gen", "wk-gen").replace('version = "1.0"', 'version = "1.0"\nclassifiers = []')
    )
    (generated / "wheelkit.toml").write_text(
        GENERATED["wheelkit.toml"].replace("x86_64", "aarch64")
        + '[distribution.wk-gen]\nkind = "native"\n[distribution.wk-fast]\nkind = "pure"\n'
    )
    done = wheelkit("build", "--pure", cwd=generated)
    assert done.returncode == 2
    assert (
        "wk-fast needs wk-gen, of the same family, to be built, but this build has no wheel of it for"
        in done.stderr
    )
    assert not (generated / "dist").exists()
