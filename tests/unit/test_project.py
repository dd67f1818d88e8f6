from __future__ import annotations

from pathlib import Path

import pytest

from support.kind_shapes import SHAPES, write
from support.rows import rows
from support.sdists import MESON, PKG_INFO, sdist
from wheelkit.errors import ProjectError
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution, read


def folder(tmp_path: Path, **files: str) -> Path:
    place = tmp_path / "project"
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / name.replace("__", ".").replace("PKG_INFO", "PKG-INFO")).write_text(text)
    return place


def pyproject(tmp_path: Path, text: str, **files: str) -> Distribution:
    return read(folder(tmp_path, pyproject__toml=text, **files))


def test_a_folder_says_what_pyproject_states(tmp_path: Path) -> None:
    item = pyproject(
        tmp_path,
        '[build-system]\nrequires = ["setuptools>=77", "cython"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "My_Pkg"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
        'dependencies = ["numpy>=2"]\n'
        '[tool.cibuildwheel]\nskip = "pp*"\n',
    )
    assert (item.name, item.key, item.version, item.requires_python) == ("My_Pkg", "my-pkg", "1.0", ">=3.11")
    assert (item.dependencies, item.build_requires) == (("numpy>=2",), ("setuptools>=77", "cython"))
    assert (item.cibuildwheel, item.kind, item.stated, item.from_sdist) == (
        {"skip": "pp*"},
        Kind.NATIVE,
        True,
        False,
    )


def test_dependencies_in_a_table_are_refused_with_the_list_to_write(tmp_path: Path) -> None:
    table = '[project.dependencies]\naetherflow-core = ">=2.3.0,<3.0.0"\nnumpy = "*"\n'
    with pytest.raises(ProjectError, match=r"pyproject.toml: \[project.dependencies\] is a table") as caught:
        pyproject(tmp_path, f'[project]\nname = "x"\nversion = "1"\n{table}')
    line = caught.value.hint.partition(":  ")[2]
    assert line == 'dependencies = ["aetherflow-core>=2.3.0,<3.0.0", "numpy"]'
    item = pyproject(tmp_path, f'[project]\nname = "x"\nversion = "1"\n{line}\n')
    assert item.dependencies == ("aetherflow-core>=2.3.0,<3.0.0", "numpy")


def test_an_unpacked_sdist_says_what_pkg_info_states(tmp_path: Path) -> None:
    item = pyproject(tmp_path, MESON, PKG_INFO=PKG_INFO)
    assert (item.name, item.key, item.version, item.requires_python) == (
        "Mo.mentum",
        "mo-mentum",
        "1.2",
        ">=3.11",
    )


def test_setup_cfg_and_setup_py_alone_are_projects_too(tmp_path: Path) -> None:
    item = read(folder(tmp_path, setup__cfg="[metadata]\nname = old%style\n"))
    assert (item.name, item.stated, item.backend, item.kind) == (
        "old%style",
        True,
        "setuptools.build_meta",
        Kind.PURE,
    )
    item = read(
        folder(tmp_path, setup__cfg="no section\n", setup__py="setup(ext_modules=[Extension('x', ['x.c'])])")
    )
    assert (item.name, item.stated, item.kind, item.version) == ("project", False, Kind.NATIVE, None)


@rows(
    ("text", "version"),
    [
        ("project('x', 'c', version: '1.2')", "1.2"),
        ("project('x', 'c',\n  meson_version: '>=1.3',\n  version : '1.2')", "1.2"),
        ("project(\n  'x',\n  ['c', 'cpp'],\n  license: 'MIT (expat)',\n  version\n:\n'1.2',\n)", "1.2"),
        ("# project('x', version: '0.1')\nproject('x', 'c', # version: '0.2'\n version: '1.2')", "1.2"),
        ("project('x # y', 'c', version: '1.2')", "1.2"),
        ("project('x', 'c', meson_version: '>=1.3')", None),
        ("project('x', 'c', version: files('VERSION'))", None),
        ("project('x', 'c', version: run_command('v', check: true).stdout().strip())", None),
        ("project('x', 'c')\ndependency('y', version: '3')\nsubproject('z', version: '4')", None),
        ("", None),
    ],
)
def test_the_literal_version_of_meson_build_is_read(tmp_path: Path, text: str, version: str | None) -> None:
    assert pyproject(tmp_path, MESON, meson__build=text).version == version


@pytest.mark.parametrize(
    ("setup", "name"),
    [
        ("from setuptools import setup\nsetup(version='1', name='mo.mentum')\n", "mo.mentum"),
        ("import setuptools\nsetuptools.setup(name='momentum', **more)\n", "momentum"),
        ("setup(name=NAME)\n", None),
        ("Extension(name='momentum._core')\nsetup()\n", None),
        ("words = dict(name='momentum')\nsetup(**words)\n", None),
        ("setup(name='momentum'\n", None),
        ("setup(name=3)\n", None),
    ],
)
def test_the_name_that_setup_py_states(tmp_path: Path, setup: str, name: str | None) -> None:
    item = read(folder(tmp_path, setup__py=setup))
    assert (item.name, item.stated) == (name or "project", name is not None)


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"setup__py": "setup(name='x', python_requires='>=3.11')\n"}, ">=3.11"),
        ({"setup__py": "setup(name='x', python_requires=floor())\n"}, None),
        (
            {"setup__py": "words = dict(name='y', python_requires='>=3.11')\nsetup(name='x', **words)\n"},
            ">=3.11",
        ),
        ({"setup__py": "setup(name='x')\n", "setup__cfg": "[options]\npython_requires = >=3.11\n"}, ">=3.11"),
        (
            {
                "setup__py": "setup(python_requires='>=3.11')\n",
                "pyproject__toml": "[project]\nname = 'x'\ndynamic = ['requires-python']\n",
            },
            ">=3.11",
        ),
        (
            {
                "setup__py": "setup(python_requires='>=3.11')\n",
                "pyproject__toml": "[project]\nname = 'x'\nversion = '1'\n",
            },
            None,
        ),
        (
            {
                "setup__py": "setup(python_requires='>=3.11')\n",
                "pyproject__toml": "[project]\nname = 'x'\nrequires-python = '>=3.12'\n",
            },
            ">=3.12",
        ),
    ],
)
def test_the_pythons_that_setup_states(tmp_path: Path, files: dict[str, str], wanted: str | None) -> None:
    assert read(folder(tmp_path, **files)).requires_python == wanted


SKBUILD = '[build-system]\nbuild-backend = "scikit_build_core.build"\n'


@pytest.mark.parametrize(
    ("table", "source", "kind"),
    [
        ('[build-system]\nbackend-path = ["."]\n', "x/_x.pyx", Kind.NATIVE),
        ('[build-system]\nbackend-path = ["."]\n', "x/x.py", Kind.PURE),
        ('[build-system]\nbackend-path = ["."]\n', "tests/x.c", Kind.PURE),
        ("[build-system]\n", "x/_x.pyx", Kind.PURE),
        ("[tool.hatch.build.targets.wheel.hooks.cython]\n", "x/_x.pyx", Kind.NATIVE),
        ('[tool.hatch.build.hooks.vcs]\nversion-file = "x.py"\n', "x/_x.c", Kind.PURE),
        ('[tool.poetry]\nbuild = "build.py"\n', "x/_x.c", Kind.NATIVE),
        ("[tool.pdm.build]\nrun-setuptools = true\n", "x/_x.c", Kind.NATIVE),
        ("[tool.hatch.build.targets.wheel.hooks.mypyc]\nenable-by-default = false\n", "x/x.py", Kind.PURE),
        (
            "[tool.hatch.build.targets.wheel.hooks.mypyc]\n[tool.cibuildwheel]\nskip = 'cp39-*'\n",
            "x/x.py",
            Kind.NATIVE,
        ),
        ("[tool.hatch.build.hooks.scikit-build]\nexperimental = true\n", "x/x.py", Kind.NATIVE),
        (f"{SKBUILD}[tool.scikit-build]\nminimum-version = '0.11'\n", "x/x.py", Kind.NATIVE),
        (f"{SKBUILD}[tool.scikit-build]\nwheel.platlib = false\n", "x/x.py", Kind.PURE),
        (f"{SKBUILD}[tool.scikit-build]\nwheel.cmake = false\n", "x/x.py", Kind.PURE),
    ],
)
def test_code_of_the_project_that_takes_part_in_its_build(
    tmp_path: Path, table: str, source: str, kind: Kind
) -> None:
    text = f'[project]\nname = "x"\nversion = "1"\n{table}'
    root = folder(tmp_path, pyproject__toml=text)
    (root / source).parent.mkdir(parents=True, exist_ok=True)
    (root / source).write_text("")
    assert read(root).kind is kind
    members = {"x-1/PKG-INFO": PKG_INFO.encode(), "x-1/pyproject.toml": text.encode(), f"x-1/{source}": b""}
    assert read(sdist(tmp_path / "x-1.tar.gz", members)).kind is kind


def test_the_file_that_meson_build_names_holds_the_version(tmp_path: Path) -> None:
    item = pyproject(
        tmp_path,
        MESON,
        meson__build="project('x', 'c', version: files('VERSION'), license: 'MIT')",
        VERSION="1.2\n",
    )
    assert item.version == "1.2"


def test_meson_build_is_not_asked_under_another_backend(tmp_path: Path) -> None:
    item = pyproject(
        tmp_path, MESON.replace("mesonpy", "hatchling.build"), meson__build="project('x', version: '9')"
    )
    assert item.version is None


@rows(
    ("backend", "more", "kind"),
    [
        ("mesonpy", {}, Kind.NATIVE),
        ("mesonpy", {"meson__build": "project('x')\npy.extension_module('y', 'y.c')"}, Kind.NATIVE),
        ("mesonpy", {"meson__build": "project('x')\nsubdir('src')"}, Kind.NATIVE),
        ("mesonpy", {"meson__build": "project('x')\npy.install_sources('x.py', subdir: 'x')"}, Kind.PURE),
        ("maturin", {}, Kind.NATIVE),
        ("scikit_build_core.build", {}, Kind.NATIVE),
        ("setuptools.build_meta", {}, Kind.PURE),
        ("setuptools.build_meta", {"setup__py": "setup(cffi_modules=['b.py:ffi'])"}, Kind.NATIVE),
        ("hatchling.build", {}, Kind.PURE),
        ("flit_core.buildapi", {}, Kind.PURE),
    ],
)
def test_the_kind_follows_what_the_project_builds(
    tmp_path: Path, backend: str, more: dict[str, str], kind: Kind
) -> None:
    assert (
        pyproject(
            tmp_path, f'[build-system]\nbuild-backend = "{backend}"\n[project]\nname = "x"\n', **more
        ).kind
        is kind
    )


@rows("shape", SHAPES)
def test_each_way_to_build_native_code_is_found_and_its_twin_is_not(tmp_path: Path, shape: str) -> None:
    files, native = SHAPES[shape]
    wanted = Kind.NATIVE if native else Kind.PURE
    assert read(write(tmp_path / "x", files)).kind is wanted
    members = {
        "x-1/PKG-INFO": PKG_INFO.encode(),
        **{f"x-1/{name}": text.encode() for name, text in files.items()},
    }
    assert read(sdist(tmp_path / "x-1.tar.gz", members)).kind is wanted


@rows(
    ("setup", "kind"),
    [
        ("setup(ext_modules=modules)", Kind.NATIVE),
        ("setup(ext_modules=modules if compiles else [])", Kind.NATIVE),
        ("setup(ext_modules=None)", Kind.PURE),
        ("words = {'ext_modules': modules}", Kind.NATIVE),
        ("words = {'ext_modules': []}", Kind.PURE),
        ("self.root_is_pure = False", Kind.NATIVE),
        ("self.root_is_pure = True", Kind.PURE),
        ("setup(has_ext_modules=lambda: True)", Kind.NATIVE),
        ("dist.has_ext_modules()", Kind.PURE),
        ("dist.has_ext_modules = lambda: True", Kind.NATIVE),
        ("setup(keywords='Extension(')", Kind.PURE),
        ("Extension", Kind.PURE),
        ("RustExtension('x')", Kind.NATIVE),
        ("torch.utils.CUDAExtension('x', [])", Kind.NATIVE),
        ("link(libraries=names)", Kind.NATIVE),
        ("libraries = names", Kind.PURE),
        ("import skbuild", Kind.NATIVE),
        ("import skbuild_none", Kind.PURE),
        ("x = " + "(" * 500, Kind.PURE),
    ],
)
def test_the_words_of_setup_py_count_where_they_are_code(tmp_path: Path, setup: str, kind: Kind) -> None:
    assert read(folder(tmp_path, setup__py=f"{setup}\n")).kind is kind


@rows("name", ["x.C", "x.F90", "src/x.zig", "x.txt", "docs/x.c", "src/_vendor/x.c", "templates/x.pyx"])
def test_sources_count_with_a_compiling_requirement_and_a_setup_py_that_may_use_it(
    tmp_path: Path, name: str
) -> None:
    native = name in {"x.C", "x.F90", "src/x.zig"}
    text = "[build-system]\nrequires = ['cmake>=3']\nbuild-backend = 'setuptools.build_meta'\n"
    files = {"pyproject.toml": text, "setup.py": "import subprocess\nsetup()\n", name: ""}
    assert (read(write(tmp_path / "a", files)).kind is Kind.NATIVE) is native
    files["setup.py"] = "from setuptools import setup\nsetup()\n"
    assert read(write(tmp_path / "a", files)).kind is Kind.PURE
    files |= {"setup.py": "import subprocess\nsetup()\n", "pyproject.toml": text.replace("cmake", "wheel")}
    assert read(write(tmp_path / "a", files)).kind is Kind.PURE
    files["setup.py"] = "import subprocess\nsetup(setup_requires=['cmake'])\n"
    assert (read(write(tmp_path / "a", files)).kind is Kind.NATIVE) is native


def test_extensions_in_the_setuptools_table_make_it_native(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n[tool.setuptools]\next-modules = [{ name = "x", sources = ["x.c"] }]\n'
    assert pyproject(tmp_path, text).kind is Kind.NATIVE
    assert pyproject(tmp_path, text.replace('[{ name = "x", sources = ["x.c"] }]', "[]")).kind is Kind.PURE


@rows(
    ("backend", "table", "setup", "limited"),
    [
        ("mesonpy", "[tool.meson-python]\nlimited-api = true", "", True),
        ("mesonpy", "[tool.meson-python]\nlimited-api = false", "", False),
        ("mesonpy", "", "py_limited_api=True", False),
        ("scikit_build_core.build", '[tool.scikit-build]\nwheel.py-api = "cp311"', "", True),
        ("scikit_build_core.build", "", "", False),
        ("maturin", '[tool.maturin]\nfeatures = ["pyo3/abi3-py311"]', "", True),
        ("maturin", '[tool.maturin]\nfeatures = ["pyo3/extension-module"]', "", False),
        ("setuptools.build_meta", '[tool.distutils.bdist_wheel]\npy-limited-api = "cp311"', "", True),
        ("setuptools.build_meta", "", "setup(options={'bdist_wheel': {'py_limited_api': 'cp311'}})", True),
        ("setuptools.build_meta", "", "setup()", False),
    ],
)
def test_abi3_is_read_from_each_backends_settings(
    tmp_path: Path,
    backend: str,
    table: str,
    setup: str,
    limited: bool,  # noqa: FBT001 - a column of the table
) -> None:
    text = f'[build-system]\nbuild-backend = "{backend}"\n[project]\nname = "x"\n{table}\n'
    assert pyproject(tmp_path, text, setup__py=setup).limited_api is limited


@rows(
    "text",
    [
        "dependencies = 5",
        'dependencies = "numpy"',
        "name = 5",
        "version = [1]",
        "requires-python = 3.11",
        "[build-system]\nrequires = 7\nbuild-backend = 3",
        "[build-system]\nbuild-backend = 'maturin'\n[tool.maturin]\nfeatures = 1",
        "[tool]\ncibuildwheel = 1\nsetuptools = 2",
        "[tool.setuptools]\next-modules = 3",
    ],
)
def test_values_of_the_wrong_type_are_left_to_the_backend(tmp_path: Path, text: str) -> None:
    item = pyproject(tmp_path, f"[project]\n{text}\n")
    assert (item.name, item.version, item.dependencies, item.build_requires) == ("project", None, (), ())


def test_a_file_that_is_not_utf8_is_named_with_the_place(tmp_path: Path) -> None:
    place = folder(tmp_path)
    (place / "pyproject.toml").write_bytes(b'[project]\nname = "caf\xe9"\n')
    with pytest.raises(ProjectError, match=r"pyproject\.toml is not UTF-8: .* at byte 21") as caught:
        read(place)
    assert caught.value.hint == "save it as UTF-8"
    (place / "pyproject.toml").write_bytes('[project]\nname = "x"\ndescription = "café"\n'.encode())
    assert read(place).name == "x"


@pytest.mark.parametrize("text", ["[project", "x = " + "[" * 5000, "x = " + "9" * 5000, "a = 1\na = 2"])
def test_broken_toml_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError, match=r"pyproject\.toml is not valid TOML"):
        read(folder(tmp_path, pyproject__toml=text))


def test_an_empty_folder_and_a_missing_one_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"has no pyproject\.toml"):
        read(folder(tmp_path))
    with pytest.raises(ProjectError, match=r"pyproject\.toml is empty"):
        read(folder(tmp_path, pyproject__toml=""))
    with pytest.raises(ProjectError, match="nowhere does not exist"):
        read(tmp_path / "nowhere")
    (tmp_path / "x.zip").write_bytes(b"PK")
    with pytest.raises(ProjectError, match="neither a project folder nor an sdist"):
        read(tmp_path / "x.zip")


META = (
    '[project]\nname = "all-of-it"\nversion = "1"\ndependencies = ["core>=1,<2"]\n'
    '[project.optional-dependencies]\nfast = ["core[simd]", "x"]\n'
)


def test_the_extras_are_read_with_their_requirements(tmp_path: Path) -> None:
    assert pyproject(tmp_path, META).extras == {"fast": ("core[simd]", "x")}
    assert pyproject(tmp_path, '[project]\nname = "x"\n').extras == {}


@rows(
    ("place", "kind"),
    [
        ("all_of_it/__init__.py", Kind.PURE),
        ("src/all_of_it.py", Kind.PURE),
        ("src/deep/er/x.pyx", Kind.PURE),
        ("README.md", Kind.META),
        ("setup.py", Kind.META),
        ("tests/test_all.py", Kind.META),
        (".venv/lib/x.py", Kind.META),
        ("all_of_it/py.typed", Kind.META),
    ],
)
def test_a_project_of_dependencies_without_code_is_meta(tmp_path: Path, place: str, kind: Kind) -> None:
    root = folder(tmp_path, pyproject__toml=META)
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).write_text("")
    assert read(root).kind is kind
    packed = {f"all_of_it-1/{name}": b"" for name in (place,)}
    info = b"Metadata-Version: 2.4\nName: all-of-it\nVersion: 1\n"
    path = sdist(
        tmp_path / "all_of_it-1.tar.gz",
        {"all_of_it-1/PKG-INFO": info, "all_of_it-1/pyproject.toml": META.encode(), **packed},
    )
    assert read(path).kind is (kind if not place.startswith(".") else Kind.PURE)


def test_code_of_another_project_further_down_is_not_counted(tmp_path: Path) -> None:
    root = folder(tmp_path, pyproject__toml=META)
    (root / "packages/core").mkdir(parents=True)
    (root / "packages/core/core.py").write_text("")
    assert read(root).kind is Kind.PURE
    (root / "packages/core/pyproject.toml").write_text('[project]\nname = "core"\n')
    assert read(root).kind is Kind.META


def test_no_dependencies_and_no_code_is_an_empty_project_not_a_meta(tmp_path: Path) -> None:
    assert pyproject(tmp_path, '[project]\nname = "x"\nversion = "1"\n').kind is Kind.PURE


def test_an_old_setup_py_may_be_in_another_encoding(tmp_path: Path) -> None:
    place = folder(tmp_path)
    (place / "setup.py").write_bytes(
        '# -*- coding: latin-1 -*-\nsetup(author="J\u00fcrgen", name="x", version="1")\n'.encode("latin-1")
    )
    assert read(place).source == place


@pytest.mark.parametrize(
    ("text", "what"),
    [("\ufeff[project]\nname = 'x'\n", "begins with a byte order mark"), ("# nothing\n", "is empty")],
)
def test_a_pyproject_without_a_project_is_explained(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(ProjectError, match=rf"pyproject\.toml {what}"):
        pyproject(tmp_path, text)


@rows(
    "text",
    [
        'project = 3\ntool = 5\nbuild-system = "x"\n',
        (
            '[build-system]\nrequires = 3\nbuild-backend = [1]\n[project]\nname = "x"\nversion = 3\n'
            'dynamic = "version"\nrequires-python = 3\n'
        ),
        "[tool.poetry]\nname = 3\nversion = 4\nextras = []\ngroup = { d = 3 }\n",
        "[tool.poetry.dependencies]\ncore = 7\nx = [1, { version = 3 }]\npython = [1]\n",
        "[tool.setuptools.dynamic]\nversion = { file = 3, attr = 4 }\ndependencies = { file = [3] }\n",
        "[tool.hatch.version]\npath = 3\npattern = 4\n",
        (
            "[tool.pdm.version]\npath = []\n[tool.scikit-build.metadata.version]\nprovider = 3\n"
            "input = 4\n[tool.flit.module]\nname = 3\n"
        ),
        (
            "[tool]\nmaturin = { manifest-path = 3 }\nuv = { dev-dependencies = 3 }\n"
            "pdm = { dev-dependencies = { a = 3 } }\n"
        ),
    ],
)
def test_values_of_the_wrong_type_are_the_backend_s_business(tmp_path: Path, text: str) -> None:
    from support.sample_families import opened

    for more in (
        "",
        '[build-system]\nbuild-backend = "maturin"\n',
        '[build-system]\nbuild-backend = "flit_core.buildapi"\n',
    ):
        if not (more and "build-system" in text):
            put_there = folder(tmp_path, pyproject__toml=text + more)
            config, state = opened(put_there, {"distributions": ["."]})
            assert len(state.members) == 1, config
