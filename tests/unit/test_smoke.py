"""What a smoke test plans, reads and says, without installing anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smoke_wheels import make
from wheelkit.__main__ import main
from wheelkit.config import Provider
from wheelkit.config.exclude import shipped_providers
from wheelkit.errors import CheckFailedError, UsageError, WheelError
from wheelkit.machine import Machine, Python, own_target
from wheelkit.manifest import BuiltFile, Manifest
from wheelkit.matrix import Interpreter, System, Target
from wheelkit.process import Completed
from wheelkit.smoke import install, packages, plan, probe
from wheelkit.smoke.compare import compare
from wheelkit.smoke.explain import Known, explain
from wheelkit.smoke.install import Place, Source
from wheelkit.smoke.mangled import belongs_to
from wheelkit.smoke.model import Case, How, Package
from wheelkit.smoke.refusal import refused

Capture = pytest.CaptureFixture[str]
LINUX = Target.parse("manylinux_2_28_x86_64")
CP311 = Interpreter.parse("cp311")
HERE = Python(interpreter=CP311, path=Path(sys.executable), version="3.11.9", headers=True)


def cases(tmp_path: Path, *family: str, commands: dict[str, list[str]] | None = None) -> list[Case]:
    found = tuple(packages.read(path) for path in packages.collect(tmp_path))
    names = frozenset(one.key for one in found) | frozenset(family)
    return list(plan.cases(plan.Contents(packages=found, family=names, target=LINUX, commands=commands or {}), [HERE]))


# What a wheel says.


def test_a_wheel_tells_what_can_be_tried(tmp_path: Path) -> None:
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
    one = packages.read(
        make(tmp_path, "core", files=files, entries=entries, needs=('x>=1; extra == "all"', "y"), tag="cp311-abi3-manylinux_2_17_x86_64")
    )
    assert one.modules == ("core", "space.plugin", "single", "late")
    assert one.extensions == ("core._fast", "core._stable")
    assert (one.scripts, one.extras, one.meta) == (("run",), ("all",), False)
    assert one.entries == (("acme.plugins", "File", "space.plugin:Load [extra]"), ("acme.plugins", "x", "core"))
    assert probe.questions([one])[-1] == ("entry point", "acme.plugins:x", "core")
    assert packages.read(make(tmp_path, "all", files={}, needs=("core",))).meta


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x-1.0-py3-none-any.whl", b"no zip", "cannot be read as a wheel"),
        ("x.whl", b"", "parts between dashes"),
    ],
)
def test_what_is_no_wheel_is_said_so(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(WheelError, match=said):
        packages.read(tmp_path / name)


def test_a_wheel_with_a_broken_requirement_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match="Requires-Dist: a b"):
        packages.read(make(tmp_path, "x", needs=("a b",)))


def test_a_folder_without_wheels_is_wrong_usage(tmp_path: Path) -> None:
    for folder, said in ((tmp_path, "holds no wheel"), (tmp_path / "nowhere", "is no folder")):
        with pytest.raises(UsageError, match=said):
            packages.collect(folder)


def test_a_file_that_changed_since_it_was_built_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "core")
    one = packages.read(path)
    for digest, fine in ((one.sha256, True), ("0" * 64, False)):
        built = BuiltFile(file=path.name, sha256=digest, size=1, kind="wheel")
        facts: dict[str, Any] = {"builder": "pure", "source": "", "commit": "", "dirty": False, "created": "", "tools": {}}
        record = Manifest(distribution="core", version="1.0", target="any", files=(built,), **facts)
        (tmp_path / record.filename).write_text(record.to_json())
        if fine:
            packages.require_as_built(tmp_path, [one])
        else:
            with pytest.raises(CheckFailedError, match="not those that were built") as caught:
                packages.require_as_built(tmp_path, [one])
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
    found = [packages.read(path) for path in packages.collect(tmp_path)]
    chosen = packages.choose(found, LINUX, CP311)
    assert {key: one.path.name for key, one in chosen.items()} == {"core": "core-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"}
    assert set(packages.choose(found, LINUX, Interpreter.parse("cp312"))) == {"core", "old"}


def test_one_version_is_tested_and_the_other_is_said(tmp_path: Path) -> None:
    for version in ("1.9", "1.10"):
        make(tmp_path, "core", version)
    found = [packages.read(path) for path in packages.collect(tmp_path)]
    kept, notes = packages.newest(found, {})
    assert [one.version for one in kept] == ["1.10"]
    assert notes == ("core: 1.10 is tested, 1.9 in the same folder is not",)
    assert [one.version for one in packages.newest(found, {"core": "1.9"})[0]] == ["1.9"]


@pytest.mark.parametrize(
    ("machine", "tag"),
    [
        (Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 36)), "manylinux_2_36_x86_64"),
        (Machine(system=System.LINUX, arch="aarch64", libc="musllinux", libc_version=(1, 2)), "musllinux_1_2_aarch64"),
        (Machine(system=System.WINDOWS, arch="amd64"), "win_amd64"),
    ],
)
def test_this_machine_is_a_target_of_its_own(machine: Machine, tag: str) -> None:
    assert own_target(machine).tag == tag


# What is planned.


def family(folder: Path) -> None:
    make(folder, "core")
    make(folder, "cli", needs=("core[fast]>=1,<2",), entries="[console_scripts]\nrun = cli:main\n")
    make(folder, "adapter", needs=("core",), entries="[run.adapters]\na = adapter\n")
    make(folder, "all", files={}, needs=("cli", 'adapter; extra == "adapters"', 'requests; extra == "net"'))


def test_each_distribution_and_the_whole_family_and_the_tools_are_tried(tmp_path: Path) -> None:
    family(tmp_path)
    made = cases(tmp_path, commands={"cli": ["run x"]})
    assert [(case.label, case.how.value) for case in made] == [
        ("core", "environment"),
        ("adapter", "environment"),
        ("cli", "environment"),
        ("all", "environment"),
        ("the family", "environment"),
        ("cli", "tool"),
    ]
    whole = made[4]
    assert whole.wanted == ("core", "adapter", "cli", "all[adapters,net]")
    assert (whole.commands, whole.checked) == (("run x",), ("core", "adapter", "cli", "all"))
    assert made[2].needed == {"cli": (), "core": ("fast",)}
    assert whole.needed == {"adapter": (), "all": ("adapters", "net"), "cli": (), "core": ("fast",)}
    assert not any(case.missing for case in made)


def test_a_sibling_that_is_not_in_the_dist_is_never_asked_of_an_index(tmp_path: Path) -> None:
    family(tmp_path)
    (tmp_path / "core-1.0-py3-none-any.whl").unlink()
    made = {case.label: case.missing for case in cases(tmp_path, "core")}
    assert made["cli"] == "cli needs core, of the same family, and no wheel of it here fits cp311"
    assert made["all"] == "cli needs core, of the same family, and no wheel of it here fits cp311"
    assert cases(tmp_path)[0].missing == ""


def test_a_wheel_for_other_systems_alone_is_told(tmp_path: Path) -> None:
    make(tmp_path, "core", tag="cp311-cp311-win_amd64")
    (case,) = cases(tmp_path)
    assert case.missing == "no wheel of core here fits cp311 on manylinux_2_28_x86_64"
    (tmp_path / "core-1.0-cp311-cp311-win_amd64.whl").unlink()
    make(tmp_path, "core", python=">=3.12")
    assert cases(tmp_path) == []


def test_markers_and_circles_are_followed_as_far_as_they_apply(tmp_path: Path) -> None:
    make(tmp_path, "a", needs=('gone; python_version < "3.9"', 'b; extra == "x"', "b"))
    make(tmp_path, "b", needs=("a[x]",))
    assert [case.missing for case in cases(tmp_path, "gone")] == ["", "", ""]
    make(tmp_path, "a", needs=('gone; python_version > "3.9"',))
    assert all("a needs gone" in case.missing for case in cases(tmp_path, "gone"))


# How it is installed.


def case_of(tmp_path: Path) -> tuple[Case, Place]:
    family(tmp_path)
    place = Place(folder=tmp_path / "case")
    case = cases(tmp_path)[2]
    place.prepare(case)
    return case, place


def test_the_family_is_tied_to_its_files_and_one_source_is_left(tmp_path: Path) -> None:
    case, place = case_of(tmp_path)
    core = case.packages["core"]
    assert f"core @ {core.path.as_uri()}#sha256={core.sha256}\n" in place.constraints.read_text()
    for command in (
        *install.uv_commands("uv", case, place, Source(index="http://h/simple/")),
        *install.pip_commands(case, place, Source()),
    ):
        assert not [word for word in command.argv if "extra-index" in word]
        assert command.timeout
        assert command.cwd == place.work
    _, last = install.uv_commands("uv", case, place, Source(index="http://h/simple/"))
    assert last.argv[-4:] == ("--no-build", "--default-index", "http://h/simple/", "cli")
    _, last = install.pip_commands(case, place, Source(index="http://h/simple/"))
    assert last.argv[-2:] == (case.packages["cli"].pinned(), core.pinned(("fast",)))
    assert last.argv[-6:-2] == ("--only-binary", ":all:", "--index-url", "http://h/simple/")


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
def test_each_source_is_spelled_for_both_installers(tmp_path: Path, source: Source, uv: list[str], pip: list[str]) -> None:
    case, place = case_of(tmp_path)
    uv_words, pip_words = install.uv_commands("uv", case, place, source)[1].argv, install.pip_commands(case, place, source)[1].argv
    assert list(uv_words[uv_words.index(str(place.constraints)) + 1 : -1]) == uv
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
    assert set(install.unset(environ)) == {"UV_INDEX", "PIP_EXTRA_INDEX_URL", "PYTHONPATH", "VIRTUAL_ENV"}
    assert install.index_of({"UV_INDEX": "http://extra/", "PIP_INDEX_URL": "http://own/"}) == "http://own/"
    assert install.index_of({"UV_DEFAULT_INDEX": "mine=http://own/"}) == "http://own/"
    assert install.index_of({}) == ""
    assert Source(index="http://me:s3cret@h/").secrets == ("s3cret",)


# What the probe tells.


def probed(*asked: tuple[str, str, str]) -> list[probe.Trouble]:
    done = subprocess.run([sys.executable, "-I", "-c", probe.SCRIPT, probe.argument(asked)], capture_output=True, text=True, check=False)
    return list(probe.answers(Completed(returncode=done.returncode, output=done.stdout + done.stderr)))


def test_the_probe_tells_what_failed_and_goes_on() -> None:
    told = probed(
        ("import", "click", ""),
        ("import", "no.such", ""),
        ("entry point", "g:a", "click:echo"),
        ("entry point", "g:b", "click:nothing.here"),
        ("entry point", "g:c", "click"),
        ("import", "json", ""),
    )
    assert [(one.check, one.kind) for one in told] == [
        ("import no.such", "ModuleNotFoundError"),
        ("entry point g:b", "AttributeError"),
        ("import json", "Shadowed"),
    ]


def test_a_probe_that_dies_names_what_it_was_at(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import os; os._exit(7)")
    script = probe.SCRIPT.replace("import importlib", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport importlib", 1)
    done = subprocess.run([sys.executable, "-I", "-c", script, '[["import", "bad", ""]]'], capture_output=True, text=True, check=False)
    (told,) = probe.answers(Completed(returncode=done.returncode, output=done.stdout))
    assert (told.check, told.error) == ("import bad", "ended Python itself, with exit status 7")
    (told,) = probe.answers(Completed(returncode=124, output=done.stdout, timed_out=True))
    assert told.error == "did not come to an end in time"


# What was installed.


def unpacked(env: Path, package: Package, url: str | None) -> Path:
    import zipfile

    site = env / "lib/python3.11/site-packages"
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(site)
    if url:
        (site / f"{package.name}-{package.version}.dist-info/direct_url.json").write_text(json.dumps({"url": url}))
    return site


def test_what_was_installed_is_compared_with_its_file(tmp_path: Path) -> None:
    core = packages.read(make(tmp_path / "di st", "core"))
    known, names = {"core": core}, frozenset({"core"})
    site = unpacked(tmp_path / "env", core, core.path.as_uri())
    assert list(compare(tmp_path / "env", known, names)) == []
    (site / "core/__init__.py").write_text("other\n")
    (failure,) = compare(tmp_path / "env", known, names)
    assert failure.what == "core was installed with 1 files that are missing or other than RECORD says: contents"
    (site / "core/__init__.py").unlink()
    (failure,) = compare(tmp_path / "env", known, names)
    assert failure.what.endswith("core/__init__.py")


@pytest.mark.parametrize(
    ("version", "url"), [("1.0", None), ("9.0", None), ("1.0", "file:///other/core-1.0-py3-none-any.whl"), ("1.0", "http://h/x.whl")]
)
def test_a_squatter_in_the_environment_is_always_seen(tmp_path: Path, version: str, url: str | None) -> None:
    core = packages.read(make(tmp_path / "dist", "core"))
    squat = packages.read(make(tmp_path / "squat", "core", version))
    unpacked(tmp_path / "env", squat, url)
    (failure,) = compare(tmp_path / "env", {"core": core}, frozenset({"core"}))
    assert failure.what.startswith(f"core {version} was installed from ")
    assert list(compare(tmp_path / "env", {"core": core}, frozenset())) == []


# Explanations.


def told(tmp_path: Path, error: str, kind: str = "ImportError", **known: Any) -> tuple[str, str]:
    trouble = probe.Trouble(check="import core._fast", kind=kind, error=error, trace=error)
    failure = explain(trouble, Known(env=tmp_path, packages=known.pop("packages", {}), **known))
    return failure.what, failure.fix


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /x/_fast.so)",
            "it needs GLIBC_2.38, which this system's glibc does not have (_fast.so",
        ),
        (
            "libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /x/_fast.so)",
            "it needs GLIBCXX_3.4.32, which this system's libstdc++ does",
        ),
        ("/x/_fast.so: wrong ELF class: ELFCLASS32", "it holds a binary for another architecture than this machine's"),
        ("/x/_fast.so: invalid ELF header", "it holds a binary for another architecture than this machine's"),
        (
            "dlopen(/x/_fast.so, 0x2): '/x/_fast.so' (an incompatible architecture (have 'x86_64', need 'arm64'))",
            "it holds a binary for another",
        ),
        (
            "DLL load failed while importing _fast: %1 is not a valid Win32 application.",
            "it holds a binary for another architecture than this machine's",
        ),
        (
            "libfoo.so.3: cannot open shared object file: No such file or directory",
            "the library libfoo.so.3 is not there, and nothing that was installed brings it",
        ),
        (
            "dlopen(/x/_fast.so, 0x2): Library not loaded: @rpath/libfoo.3.dylib",
            "the library libfoo.3.dylib is not there, and nothing that was installed brings it",
        ),
        (
            "libtorch_cpu.so: cannot open shared object file: No such file or directory",
            "the library libtorch_cpu.so is not there; torch provides it",
        ),
        ("/x/_fast.so: undefined symbol: PyType_GetName", "the interpreter does not have PyType_GetName, which the extension calls"),
        ("/x/_fast.so: undefined symbol: gear_turn", "the symbol gear_turn is missing, and nothing that was installed exports it"),
        (
            "/x/_fast.so: undefined symbol: _ZN3c104cuda9SetDeviceEi",
            "the installed torch does not have the C++ symbol _ZN3c104cuda9SetDeviceEi: an ABI mismatch",
        ),
        (
            "DLL load failed while importing _fast: The specified module could not be found.",
            "_fast could not be loaded: a DLL that it needs is missing",
        ),
    ],
)
def test_an_import_failure_is_explained(tmp_path: Path, error: str, said: str) -> None:
    torch = Provider(name="torch", linux=("libtorch*", "libc10*"), distributions=("torch",))
    what, fix = told(tmp_path, error, providers=(torch,))
    assert what.startswith(said)
    assert fix


@pytest.mark.parametrize("configured", [True, False])
def test_a_symbol_of_a_provider_that_it_does_not_export_is_an_abi_mismatch(tmp_path: Path, *, configured: bool) -> None:
    torch = packages.read(make(tmp_path / "dist", "torch", "2.13.1", files={"torch/__init__.py": ""}))
    unpacked(tmp_path / "env", torch, None)
    error = "/x/_fast.so: undefined symbol: _ZN2at4_ops5zeros4callERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
    what, fix = told(tmp_path / "env", error, providers=(shipped_providers()["torch"],) if configured else ())
    assert "the installed torch 2.13.1 does not have the C++ symbol _ZN2at4_ops5zeros4call" in what
    assert "ABI mismatch" in what
    assert 'dependencies = ["torch==2.13.*"]' in fix
    assert "_GLIBCXX_USE_CXX11_ABI" in fix
    # A function of the extension's own that takes a tensor is not torch's to export; nor is a namespace that begins alike.
    for own in ("_Z4sinkRKN2at6TensorE", "_ZN6gadget2atEv", "_ZN12attach_thing3runEv", "at_exit"):
        assert "nothing that was installed exports it" in told(tmp_path / "env", f"/x/_fast.so: undefined symbol: {own}")[0]


@pytest.mark.parametrize(
    ("symbol", "provider", "its"),
    [
        ("_ZN5torch8autograd4Node4nameEv", "torch", True),
        ("__ZNK3c1010TensorImpl5sizesEv", "torch", True),
        ("_ZTIN3c105ErrorE", "torch", True),
        ("_ZGVN2at3gotE", "torch", True),
        ("_ZN5arrow6BufferD1Ev", "pyarrow", True),
        ("_ZN2ov4CoreC1Ev", "openvino", True),
        ("_ZN3tbb6detail2r15spawnEv", "tbb", True),
        ("_ZN5arrow6BufferD1Ev", "torch", False),
        ("_ZN4mine5torchEv", "torch", False),
    ],
)
def test_a_mangled_name_tells_whose_it_is(symbol: str, provider: str, *, its: bool) -> None:
    assert belongs_to(symbol, provider) is its


def test_a_missing_module_names_the_sibling_that_provides_it(tmp_path: Path) -> None:
    core = packages.read(make(tmp_path / "dist", "acme-core", files={"core/__init__.py": ""}))
    known: dict[str, Any] = {"packages": {"acme-core": core}, "kind": "ModuleNotFoundError"}
    assert (
        told(tmp_path, "No module named 'core.fast'", **known)[0]
        == "it imports core.fast, and does not require acme-core, which provides it"
    )
    assert told(tmp_path, "No module named 'yaml'", **known)[0] == "it imports yaml, which nothing that it requires provides"
    unpacked(tmp_path / "env", core, None)
    assert told(tmp_path / "env", "No module named 'core.fast'", **known)[0] == "the module core.fast is not in the wheel of acme-core"


def test_what_nobody_understands_is_told_as_it_is(tmp_path: Path) -> None:
    assert told(tmp_path, "odd", kind="ValueError") == ("ValueError: odd", "")


UV_SDIST = """error: No solution found when resolving dependencies
  cause: Because sgmllib3k==1.0.0 has no usable wheels and only that is available, we can conclude that all versions cannot be used.
         And because core[x]==1.0 depends on sgmllib3k, we can conclude that core[x]==1.0 cannot be used.

hint: Wheels are required for `sgmllib3k` because building from source is disabled for all packages (i.e., with `--no-build`)
"""
UV_NETWORK = """error: Request failed after 3 retries in 9.6s
  cause: Failed to fetch: http://127.0.0.1:9/simple/click/
  cause: error sending request for url (http://127.0.0.1:9/simple/click/)
  cause: client error (Connect)
"""
PIP_NETWORK = """Looking in indexes: http://127.0.0.1:9/simple/
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('Failed to establish a new connection: [Errno 111]
ERROR: No matching distribution found for click
"""
UV_BUSY = """error: Request failed after 1 retry in 1.8s
  cause: Failed to fetch: http://127.0.0.1:9/simple/click/
  cause: HTTP status server error (503 Service Unavailable) for url (http://127.0.0.1:9/simple/click/)
"""
UV_DENIED = """error: No solution found when resolving dependencies
  cause: Because click was not found in the package registry and you require click, your requirements are unsatisfiable.
hint: An index URL (http://127.0.0.1:9/simple/) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)
"""
UV_UNKNOWN = """error: No solution found when resolving dependencies
  cause: Because click was not found in the {} and core==1.0 depends on click, we can conclude that core==1.0 cannot be used.
"""


@pytest.mark.parametrize(
    ("output", "source", "said", "network"),
    [
        (UV_SDIST, Source(), "sgmllib3k, which core needs, has no wheel that fits here, only an sdist", False),
        (UV_BUSY, Source(), "http://127.0.0.1:9/simple/click/ answered 503 Service Unavailable", True),
        (UV_DENIED, Source(), "http://127.0.0.1:9/simple/ answered 401 Unauthorized", True),
        (UV_NETWORK, Source(), "http://127.0.0.1:9/simple/click/ cannot be reached", True),
        (PIP_NETWORK, Source(), "http://127.0.0.1:9/simple/ cannot be reached", True),
        (PIP_NETWORK.partition("\n")[2], Source(), "the index cannot be reached", True),
        (UV_UNKNOWN.format("package registry"), Source(), "click, which core needs, is not on the index", False),
        (UV_UNKNOWN.format("cache"), Source(offline=True), "click, which core needs, is not in uv's cache", False),
        (
            UV_UNKNOWN.format("provided package locations"),
            Source(find_links=(Path("x"),)),
            "click, which core needs, is not in the folders of --find-links",
            False,
        ),
        ("ERROR: No matching distribution found for click>=8", Source(), "click is not on the index", False),
        ("error: Hash mismatch for `core`", Source(), "a file changed while core was installed", False),
        ("Because a and b", Source(), "the requirements of core cannot be met together", False),
    ],
)
def test_an_installers_refusal_is_one_clear_message(output: str, source: Source, said: str, network: bool) -> None:  # noqa: FBT001
    refusal = refused(Completed(returncode=1, output=output), "core", source)
    assert refusal.failure.what.startswith(said)
    assert refusal.failure.fix
    assert refusal.network is network


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "is no folder"),
        (["--offline", "--index", "http://h/", "."], "exclude each other"),
        (["--offline", "--pip", "."], "which pip does not know"),
        (["--python", "3.12", "."], 'unknown interpreter "3.12"'),
        (["--index", "staging", "."], '"staging" is neither an address nor a configured index'),
        (["--timeout", "0", "."], "0.0 is not in the range"),
    ],
)
def test_wrong_usage_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["smoke", *words]) == 2
    assert said in capsys.readouterr().err


def test_tools_have_folders_of_their_own(tmp_path: Path) -> None:
    case, place = case_of(tmp_path)
    (command,) = install.tool_commands("uv", case, place, Source())
    assert command.env["UV_TOOL_DIR"].startswith(str(tmp_path))
    assert command.env["UV_TOOL_BIN_DIR"].startswith(str(tmp_path))
    assert case.how is How.ENVIRONMENT
