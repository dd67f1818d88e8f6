from __future__ import annotations

from pathlib import Path

import pytest

from support.command import git_commit
from support.rows import rows
from support.sample_families import opened, put
from wheelkit.errors import ProjectError
from wheelkit.versions.model import Scheme, VersionedDistribution

HATCH = (
    '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[project]\n'
    'name = "my-core"\n'
)
STATIC = HATCH + 'version = "1.2.3"\n'
MESON = HATCH.replace("hatchling.build", "mesonpy") + 'dynamic = ["version"]\n'
SETUP = HATCH.replace("hatchling.build", "setuptools.build_meta")


def member(root: Path, *version_files: str) -> VersionedDistribution:
    document = {"distribution": {"my-core": {"version-files": list(version_files)}}} if version_files else {}
    return opened(root, {"distributions": ["."], **document})[1].members["my-core"]


def stated(root: Path, *version_files: str) -> list[tuple[str, str, str]]:
    return [
        (location.path.relative_to(root).as_posix(), location.where, location.text)
        for location in member(root, *version_files).locations
    ]


def backend(name: str, more: str = "") -> str:
    return HATCH.replace("hatchling.build", name) + 'dynamic = ["version"]\n' + more


LITERAL = '__version__ = "1.2.3"\n'
INIT = ("my_core/__init__.py", "__version__", "1.2.3")
IN_PYPROJECT = ("pyproject.toml", "[project] version", "1.2.3")
LOCK = (
    '[[package]]\nname = "a"\nversion = "1.2.3"\nsource = { registry = "x" }\n\n[[package]]\n'
    'name = "my-core"\nversion = "1.2.3"\n%s\n'
)
BACKENDS: list[tuple[dict[str, str], list[tuple[str, str, str]]]] = [
    (
        {"pyproject.toml": backend("flit_core.buildapi"), "my_core.py": LITERAL},
        [("my_core.py", "__version__", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": backend("flit_core.buildapi", '[tool.flit.module]\nname = "a.b"\n'),
            "src/a/b/__init__.py": "from .core import (\n  x,\n)\n"
            "from .data import __version__ as z\nfrom .meta import __version__, y\n",
            "src/a/b/data.py": '__version__ = "18"\n',
            "src/a/b/meta.py": LITERAL,
        },
        [("src/a/b/meta.py", "__version__", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": backend(
                "pdm.backend", '[tool.pdm.version]\nsource = "file"\npath = "x/v.py"\n'
            ),
            "x/v.py": LITERAL,
        },
        [("x/v.py", "__version__", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": backend(
                "scikit_build_core.build",
                "[tool.scikit-build.metadata.version]\n"
                'provider = "scikit_build_core.metadata.regex"\ninput = "CMakeLists.txt"\n'
                "regex = 'project\\([^)]*VERSION\\s+(?P<value>[0-9.]+)'\n",
            ),
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.15)\nproject(x\n"
            "  VERSION 1.2.3 LANGUAGES C)\n",
        },
        [("CMakeLists.txt", "version", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": backend("scikit_build_core.setuptools.build_meta"),
            "setup.py": "from setuptools import setup\nsetup(version='1.2.3', cmake_source_dir='.')\n",
        },
        [("setup.py", "setup(version=)", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": backend(
                "hatchling.build",
                "[tool.hatch.version]\npath = 'x.h'\npattern = 'V \"(?P<version>[^\"]+)\"'\n",
            ),
            "x.h": '#define V "1.2.3"\n',
        },
        [("x.h", "version", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": SETUP,
            "setup.cfg": "[metadata]\nversion = attr: other.data.number\n",
            "other/data.py": "number = '1.2.3'\n",
        },
        [("other/data.py", "number", "1.2.3")],
    ),
    (
        {"pyproject.toml": SETUP, "setup.cfg": "[metadata]\nversion = file: V.txt\n", "V.txt": "1.2.3\n"},
        [("V.txt", "the whole file", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": SETUP,
            "setup.py": "with open(join(here, 'a/version.py')) as f: exec(f.read())\n"
            "setup(version=__version__)\n",
            "a/version.py": LITERAL,
        },
        [("a/version.py", "__version__", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": SETUP,
            "setup.py": "exec(open(join(root, 'other', 'meta.py')).read())\n"
            "open('other/notes.txt')\nsetup(version=about['v'])\n",
            "other/meta.py": LITERAL,
            "other/notes.txt": "version 9\n",
        },
        [("other/meta.py", "__version__", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": SETUP,
            "setup.py": 'text = open("other/demo.h").read()\nsetup(version=re.search(PATTERN, text)[1])\n',
            "other/demo.h": '/* version 9 of the API */\n#define DEMO_VERSION "1.2.3"\n',
        },
        [("other/demo.h", "#define", "1.2.3")],
    ),
    ({"pyproject.toml": SETUP, "my_core/about.py": LITERAL}, [("my_core/about.py", "__version__", "1.2.3")]),
    (
        {"pyproject.toml": SETUP, "my/core/_version.py": 'VERSION = "1.2.3"\n'},
        [("my/core/_version.py", "VERSION", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": STATIC,
            "other/__init__.py": LITERAL,
            "other/_vendor/__init__.py": LITERAL,
            "other/sub/version.py": LITERAL,
        },
        [
            IN_PYPROJECT,
            ("other/__init__.py", "__version__", "1.2.3"),
            ("other/sub/version.py", "__version__", "1.2.3"),
        ],
    ),
    ({"pyproject.toml": STATIC + "[tool.setuptools_scm]\n"}, [IN_PYPROJECT]),
    (
        {"pyproject.toml": STATIC, "uv.lock": LOCK % 'source = { editable = "." }'},
        [IN_PYPROJECT, ("uv.lock", "my-core", "1.2.3")],
    ),
    (
        {"pyproject.toml": STATIC, "uv.lock": LOCK % 'source = { registry = "https://example.org/" }'},
        [IN_PYPROJECT],
    ),
    (
        {"pyproject.toml": STATIC, "uv.lock": LOCK.replace("1.2.3", "1.2") % 'source = { virtual = "." }'},
        [IN_PYPROJECT],
    ),
    (
        {
            "pyproject.toml": backend("maturin", '[tool.maturin]\nmanifest-path = "rust/Cargo.toml"\n'),
            "rust/Cargo.toml": '[package]\nname = "my-core"\nversion.workspace = true\n',
            "Cargo.toml": '[workspace.package]\nversion = "1.2.3"\n',
            "Cargo.lock": LOCK % 'dependencies = [\n "a",\n]',
        },
        [("Cargo.toml", "[workspace.package] version", "1.2.3"), ("Cargo.lock", "my-core", "1.2.3")],
    ),
    (
        {
            "pyproject.toml": STATIC.replace("hatchling.build", "maturin"),
            "Cargo.toml": '[package]\nname = "x"\nversion = "0.0.0"\n',
        },
        [IN_PYPROJECT],
    ),
]


@rows(
    ("files", "locations"),
    [
        ({"pyproject.toml": STATIC}, [("pyproject.toml", "[project] version", "1.2.3")]),
        (
            {
                "pyproject.toml": STATIC,
                "src/my_core/__init__.py": '"""x"""\n__version__: str = \'1.2.3\'  # y\n',
            },
            [
                ("pyproject.toml", "[project] version", "1.2.3"),
                ("src/my_core/__init__.py", "__version__", "1.2.3"),
            ],
        ),
        (
            {
                "pyproject.toml": MESON,
                "meson.build": "# project('x', version: '9')\nproject('x', 'c',\n  version : '1.2.3')",
            },
            [("meson.build", "project(version:)", "1.2.3")],
        ),
        (
            {
                "pyproject.toml": MESON,
                "meson.build": "project('x', 'c', version: files('VERSION'))",
                "VERSION": "1.2.3\n",
            },
            [("VERSION", "the whole file", "1.2.3")],
        ),
        (
            {
                "pyproject.toml": HATCH + '[tool.hatch.version]\npath = "a/b.py"\n',
                "a/b.py": 'VERSION = "1.2"\n',
            },
            [("a/b.py", "VERSION", "1.2")],
        ),
        (
            {
                "pyproject.toml": SETUP + '[tool.setuptools.dynamic]\nversion = {attr = "pkg.about.v"}\n',
                "src/pkg/about.py": "__version__ = '1.2'",
            },
            [("src/pkg/about.py", "__version__", "1.2")],
        ),
        (
            {
                "pyproject.toml": SETUP + '[tool.setuptools.dynamic]\nversion = {file = ["V.txt"]}\n',
                "V.txt": "1.2",
            },
            [("V.txt", "the whole file", "1.2")],
        ),
        (
            {"setup.cfg": "[metadata]\nname = my-core\nversion = 1.2.3\n", "pyproject.toml": SETUP},
            [("setup.cfg", "[metadata] version", "1.2.3")],
        ),
        (
            {"pyproject.toml": SETUP, "setup.py": "setup(name='x', version = '1.2.3')"},
            [("setup.py", "setup(version=)", "1.2.3")],
        ),
        (
            {
                "pyproject.toml": SETUP.replace('"setuptools.build_meta"', '"_own"\nbackend-path = ["."]'),
                "setup.py": "VERSION = '1.2.3'\nsetup(name='x',\n  version=VERSION,\n)\n",
            },
            [("setup.py", "VERSION", "1.2.3")],
        ),
        (
            {
                "pyproject.toml": HATCH.replace("hatchling.build", "maturin"),
                "Cargo.toml": '[package]\nname = "x"\nversion = "1.2.3"\n',
            },
            [("Cargo.toml", "[package] version", "1.2.3")],
        ),
        (
            {"pyproject.toml": STATIC, "my_core/__init__.py": "from x import __version__\n"},
            [("pyproject.toml", "[project] version", "1.2.3")],
        ),
        (
            {"pyproject.toml": STATIC, "other/__init__.py": '__version__ = "9"\n'},
            [("pyproject.toml", "[project] version", "1.2.3")],
        ),
        *BACKENDS,
    ],
)
def test_every_location_of_a_version_is_found(
    tmp_path: Path, files: dict[str, str], locations: list[tuple[str, str, str]]
) -> None:
    put(tmp_path, files)
    assert stated(tmp_path) == locations
    assert member(tmp_path).scheme is Scheme.FILES


def test_configured_files_replace_the_conventional_ones(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "pyproject.toml": STATIC,
            "VERSION": "9",
            "docs/conf.py": 'release = "1.2.3"\n',
            "c.cff": "cff-version: 1.2.0\nversion: 1.2.3\n",
        },
    )
    assert [location[0] for location in stated(tmp_path)] == ["pyproject.toml", "VERSION"]
    put(tmp_path, {"docs/conf.py": '__version__ = "1.2.3"\n', "x.toml": 'version = "1.2.3"'})
    assert stated(tmp_path, "docs/conf.py", "x.toml")[1:] == [
        ("docs/conf.py", "__version__", "1.2.3"),
        ("x.toml", "[] version", "1.2.3"),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nope.py", "does not exist"), ("empty.py", "states no version"), ("empty.toml", "states no version")],
)
def test_a_configured_file_without_a_version_is_a_mistake(tmp_path: Path, name: str, reason: str) -> None:
    put(tmp_path, {"pyproject.toml": STATIC, "empty.py": "x = 1\n", "empty.toml": "x = 1\n"})
    with pytest.raises(ProjectError, match=reason):
        member(tmp_path, name)


def test_a_name_that_setup_does_not_set_to_a_literal_states_no_version(tmp_path: Path) -> None:
    for text in (
        "from x import VERSION\nsetup(version=VERSION)\n",
        "VERSION = '1.2.3'\nsetup(version=read())\n",
    ):
        put(tmp_path, {"pyproject.toml": SETUP, "setup.py": text})
        assert stated(tmp_path) == []


POETRY_GIT = (
    '[tool.poetry]\nname = "my-core"\nversion = "0.0.0"\n[tool.poetry-dynamic-versioning]\nenable = true\n'
)
FROM_TAGS = [
    {"pyproject.toml": SETUP + 'dynamic = ["version"]\n[tool.setuptools_scm]\n'},
    {
        "pyproject.toml": SETUP.replace('"hatchling"', '"setuptools-scm>=8", "setuptools"')
        + 'dynamic = ["version"]\n'
    },
    {"pyproject.toml": HATCH + 'dynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"\n'},
    {"pyproject.toml": backend("pdm.backend", '[tool.pdm.version]\nsource = "scm"\n')},
    {
        "pyproject.toml": backend(
            "hatchling.build", '[tool.hatch.version]\nsource = "code"\npath = "v.py"\n'
        ).replace('"hatchling"', '"uv-dynamic-versioning"')
    },
    {"pyproject.toml": POETRY_GIT},
    {"setup.py": "setup(name='my-core', use_scm_version=True)\n"},
    {
        "setup.py": "import versioneer\nsetup(name='my-core', version=versioneer.get_version())\n",
        "my_core/__init__.py": "__version__ = get()\n",
    },
    {"setup.py": "setup(name='my-core')\n", "setup.cfg": "[versioneer]\nVCS = git\n"},
    {"pyproject.toml": SETUP + 'dynamic = ["version"]\n[tool.versioneer]\nVCS = "git"\n'},
    {
        "pyproject.toml": MESON,
        "meson.build": "project('x', 'c', version: run_command('git', 'describe', check: "
        "true).stdout().strip())\n",
    },
]


@rows("files", FROM_TAGS)
def test_a_version_from_git_tags_has_no_location(tmp_path: Path, files: dict[str, str]) -> None:
    put(tmp_path, files)
    assert (member(tmp_path).scheme, member(tmp_path).locations, member(tmp_path).version) == (
        Scheme.TAGS,
        (),
        None,
    )


def test_the_newest_tag_below_head_gives_the_version(tmp_path: Path) -> None:
    from wheelkit.machine.git import Repository

    put(tmp_path, FROM_TAGS[0])
    git_commit(tmp_path)
    repository = Repository(folder=tmp_path)
    for name in ("v1.9.0", "v1.10.0", "vendored", "other-v3.0"):
        assert repository.run("tag", name).returncode == 0
    assert member(tmp_path).version == "1.10.0"
    put(tmp_path, {"more.py": ""})
    git_commit(tmp_path)
    tagged = member(tmp_path).tagged
    assert tagged is not None
    assert (tagged.tag, tagged.version, tagged.commits) == ("v1.10.0", "1.10.1.dev1", 1)


def test_the_lock_of_an_outer_workspace_is_found_within_the_repository(tmp_path: Path) -> None:
    put(tmp_path, {"repo/a/pyproject.toml": STATIC, "uv.lock": LOCK % 'source = { editable = "repo/a" }'})
    assert member(tmp_path / "repo/a").locations[1].path == tmp_path / "uv.lock"
    (tmp_path / "repo/.git").mkdir()
    assert len(member(tmp_path / "repo/a").locations) == 1


def test_nested_projects_are_left_out(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "pyproject.toml": STATIC,
            "python/other/other/__init__.py": LITERAL,
            "lib/third/third/__init__.py": LITERAL,
        },
    )
    assert [location[0] for location in stated(tmp_path)][1:] == [
        "python/other/other/__init__.py",
        "lib/third/third/__init__.py",
    ]
    put(tmp_path, {"python/other/pyproject.toml": STATIC, "lib/third/setup.py": "setup()"})
    assert stated(tmp_path) == [IN_PYPROJECT]


def test_an_invalid_pattern_states_no_version(tmp_path: Path) -> None:
    for pattern in ("(", "V (.*)", "(?P<version>nothing)"):
        put(
            tmp_path,
            {
                "pyproject.toml": backend(
                    "hatchling.build", f"[tool.hatch.version]\npath = 'x'\npattern = '{pattern}'\n"
                ),
                "x": "V 1",
            },
        )
        assert member(tmp_path).scheme is Scheme.BUILD


def test_an_attribute_is_not_taken_for_a_pattern(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "pyproject.toml": SETUP + '[tool.setuptools.dynamic]\nversion = {attr = "m.v("}\n',
            "m.py": "v = '1'\n",
        },
    )
    assert member(tmp_path).scheme is Scheme.BUILD


def test_without_a_known_file_only_a_build_knows_the_version(tmp_path: Path) -> None:
    put(
        tmp_path, {"pyproject.toml": HATCH + 'dynamic = ["version"]\n[tool.hatch.version]\nsource = "code"\n'}
    )
    assert (member(tmp_path).scheme, member(tmp_path).version, member(tmp_path).editable) == (
        Scheme.BUILD,
        None,
        False,
    )
