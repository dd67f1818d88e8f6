"""Explanations of failed imports and of installers' errors in the smoke test."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from binaries import elf, pe
from support.rows import rows
from support.smoke_wheels import make, unpacked
from wheelkit.config import Provider
from wheelkit.config.exclude import shipped_providers
from wheelkit.errors import MissingToolError
from wheelkit.machine.process import Completed
from wheelkit.smoke import import_errors, probe, wheels
from wheelkit.smoke.import_errors import ErrorContext, belongs_to, explain_import_error
from wheelkit.smoke.install import Source
from wheelkit.smoke.install_errors import explain_install_error
from wheelkit.smoke.probe import FailureKind

# Answers of the probe.


def probed(*asked: tuple[str, str, str]) -> list[probe.ProbeFailure]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", probe.SCRIPT, *chain(*asked)],
        capture_output=True,
        text=True,
        check=False,
    )
    return list(probe.parse_report(Completed(returncode=done.returncode, output=done.stdout + done.stderr)))


def test_the_probe_reports_failures_and_goes_on() -> None:
    failures = probed(
        ("import", "click", ""),
        ("import", "no.such", ""),
        ("entry point", "g:a", "click:echo"),
        ("entry point", "g:b", "click:nothing.here"),
        ("entry point", "g:c", "click"),
        ("import", "json", ""),
    )
    assert [(failure.check, failure.kind, failure.exception) for failure in failures] == [
        ("import no.such", FailureKind.RAISED, "ModuleNotFoundError"),
        ("entry point g:b", FailureKind.RAISED, "AttributeError"),
        ("import json", FailureKind.SHADOWED, ""),
    ]


def test_a_probe_that_dies_names_what_it_was_at(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import os; os._exit(7)")
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{probe.SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, "import", "bad", ""], capture_output=True, text=True, check=False
    )
    (failure,) = probe.parse_report(Completed(returncode=done.returncode, output=done.stdout))
    assert (failure.check, failure.error) == ("import bad", "ended Python with exit status 7")
    (failure,) = probe.parse_report(Completed(returncode=124, output=done.stdout, timed_out=True))
    assert failure.error == "timed out"


# Explanations.


def explained(venv: Path, error: str, exception: str = "ImportError", **known: Any) -> tuple[str, str]:
    raised = probe.ProbeFailure(check="import core._fast", exception=exception, error=error, traceback=error)
    context = ErrorContext(venv=venv, packages=known.pop("packages", {}), **known)
    failure = explain_import_error(raised, context)
    return failure.what, failure.fix


@rows(
    ("error", "message"),
    [
        (
            "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /x/_fast.so)",
            "it needs GLIBC_2.38, which this system's glibc does not have (required by _fast.so",
        ),
        (
            "libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /x/_fast.so)",
            "it needs GLIBCXX_3.4.32, which this system's libstdc++ does",
        ),
        (
            "/x/_fast.so: wrong ELF class: ELFCLASS32",
            "it contains a binary for another architecture than the interpreter's",
        ),
        (
            "/x/_fast.so: invalid ELF header",
            "it contains a binary for another architecture than the interpreter's",
        ),
        (
            (
                "dlopen(/x/_fast.so, 0x2): '/x/_fast.so' (an incompatible architecture (have "
                "'x86_64', need 'arm64'))"
            ),
            "it contains a binary for another",
        ),
        (
            "DLL load failed while importing _fast: %1 is not a valid Win32 application.",
            "it contains a binary for another architecture than the interpreter's",
        ),
        (
            "libfoo.so.3: cannot open shared object file: No such file or directory",
            "the library libfoo.so.3 was not found, and no installed distribution contains it",
        ),
        (
            "dlopen(/x/_fast.so, 0x2): Library not loaded: @rpath/libfoo.3.dylib",
            "the library libfoo.3.dylib was not found, and no installed distribution contains it",
        ),
        (
            "libtorch_cpu.so: cannot open shared object file: No such file or directory",
            "the library libtorch_cpu.so was not found; torch provides it",
        ),
        (
            "/x/_fast.so: undefined symbol: PyType_GetName",
            "the interpreter does not have PyType_GetName, which the extension calls",
        ),
        (
            "/x/_fast.so: undefined symbol: gear_turn",
            "the symbol gear_turn was not found, and no installed distribution exports it",
        ),
        (
            "/x/_fast.so: undefined symbol: _ZN3c104cuda9SetDeviceEi",
            "ABI mismatch: the installed torch does not have the C++ symbol _ZN3c104cuda9SetDeviceEi",
        ),
        (
            "DLL load failed while importing _fast: The specified module could not be found.",
            "_fast could not be loaded: a DLL that it needs is missing",
        ),
        (
            "DLL load failed while importing _fast: Module not found.",
            "_fast could not be loaded: a DLL that it needs is missing",
        ),
        (
            "Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /x.so)",
            "it needs ld-linux-x86-64.so.2, which is glibc's, and this interpreter runs on musl",
        ),
    ],
)
def test_an_import_failure_is_explained(tmp_path: Path, error: str, message: str) -> None:
    torch = Provider(name="torch", linux=("libtorch*", "libc10*"), distributions=("torch",))
    what, fix = explained(tmp_path, error, providers=(torch,))
    assert what.startswith(message)
    assert fix


def test_a_file_that_is_there_is_for_another_processor(tmp_path: Path) -> None:
    """glibc says so of a file that it passes over because of its processor."""
    (tmp_path / "_fast.so").touch()
    error = "{}/_fast.so: cannot open shared object file: No such file or directory"
    what, _ = explained(tmp_path, error.format(tmp_path))
    assert what == "it contains a binary for another architecture than the interpreter's"
    what, _ = explained(tmp_path, error.format("/elsewhere"))
    assert what.startswith("the library _fast.so")


def test_a_dll_that_is_not_named_is_read_from_the_module(tmp_path: Path) -> None:
    error = "DLL load failed while importing _fast: The specified module could not be found."
    module = tmp_path / "core/_fast.cp313-win_amd64.pyd"
    module.parent.mkdir()
    data = pe.tiny(pe.Shape()).data
    module.write_bytes(data)
    assert "Windows does not say which" in explained(tmp_path, error)[0]
    what, fix = explained(tmp_path, error, emulator="wine")
    assert what.endswith("is missing under wine")
    assert "WS2_32.dll" in fix
    module.write_bytes(data.replace(b"WS2_32.dll", b"GEARS2.dll"))
    what, fix = explained(tmp_path, error)
    assert what == "_fast could not be loaded: GEARS2.dll was not found"
    assert "wheelkit repair" in fix
    (tmp_path / "gears2.dll").touch()
    assert "Windows does not say which" in explained(tmp_path, error)[0]


@pytest.mark.parametrize("configured", [True, False])
def test_a_symbol_of_a_provider_that_it_does_not_export_is_an_abi_mismatch(
    tmp_path: Path, *, configured: bool
) -> None:
    torch = wheels.read_package(make(tmp_path / "dist", "torch", "2.13.1", files={"torch/__init__.py": ""}))
    unpacked(tmp_path / "env", torch, None)
    error = (
        "/x/_fast.so: undefined symbol: "
        "_ZN2at4_ops5zeros4callERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
    )
    what, fix = explained(
        tmp_path / "env", error, providers=(shipped_providers()["torch"],) if configured else ()
    )
    assert (
        "ABI mismatch: the installed torch 2.13.1 does not have the C++ symbol _ZN2at4_ops5zeros4call" in what
    )
    assert 'dependencies = ["torch==2.13.*"]' in fix
    assert "_GLIBCXX_USE_CXX11_ABI" in fix
    # A function of the extension's own that takes a tensor is not torch's to export; nor is a namespace that
    # begins alike.
    for own in ("_Z4sinkRKN2at6TensorE", "_ZN6gadget2atEv", "_ZN12attach_thing3runEv", "at_exit"):
        assert (
            "no installed distribution exports it"
            in explained(tmp_path / "env", f"/x/_fast.so: undefined symbol: {own}")[0]
        )


@rows(
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
def test_a_mangled_name_shows_its_provider(symbol: str, provider: str, *, its: bool) -> None:
    assert belongs_to(symbol, provider) is its


def test_a_missing_module_names_the_sibling_that_provides_it(tmp_path: Path) -> None:
    core = wheels.read_package(make(tmp_path / "dist", "acme-core", files={"core/__init__.py": ""}))
    known: dict[str, Any] = {"packages": {"acme-core": core}, "exception": "ModuleNotFoundError"}
    assert (
        explained(tmp_path, "No module named 'core.fast'", **known)[0]
        == "it imports core.fast, and does not require acme-core, which provides it"
    )
    assert (
        explained(tmp_path, "No module named 'yaml'", **known)[0]
        == "it imports yaml, and nothing that it requires provides it"
    )
    unpacked(tmp_path / "env", core, None)
    assert (
        explained(tmp_path / "env", "No module named 'core.fast'", **known)[0]
        == "the module core.fast is not in the wheel of acme-core"
    )


def test_a_module_that_only_an_extra_provides_is_explained(tmp_path: Path) -> None:
    core = wheels.read_package(make(tmp_path / "dist", "acme", needs=('Py_Yaml; extra == "yaml"', "click")))
    known: dict[str, Any] = {"packages": {"acme": core}, "exception": "ModuleNotFoundError"}
    message, fix = explained(tmp_path, "No module named 'py_yaml.reader'", **known)
    assert message == "it imports py_yaml.reader, which acme requires only with extra yaml"
    assert fix.startswith("require it always")
    assert (
        explained(tmp_path, "No module named 'click'", **known)[0]
        == "it imports click, and nothing that it requires provides it"
    )


def test_the_import_that_ended_a_program_is_read_off_its_last_line() -> None:
    output = "Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'click'\n"
    failure = probe.import_error("run --help", Completed(returncode=1, output=output))
    assert failure is not None
    assert (failure.check, failure.exception, failure.error) == (
        "run --help",
        "ModuleNotFoundError",
        "No module named 'click'",
    )
    assert probe.import_error("run --help", Completed(returncode=1, output=f"{output}and more\n")) is None


def test_unknown_errors_are_shown_unchanged(tmp_path: Path) -> None:
    assert explained(tmp_path, "odd", exception="ValueError") == ("ValueError: odd", "")


UV_SDIST = """error: No solution found when resolving dependencies
  cause: Because sgmllib3k==1.0.0 has no usable wheels and only that is available, we can conclude that all \
versions cannot be used.
         And because core[x]==1.0 depends on sgmllib3k, we can conclude that core[x]==1.0 cannot be used.

hint: Wheels are required for `sgmllib3k` because building from source is disabled for all packages (i.e., \
with `--no-build`)
"""
UV_NETWORK = """error: Request failed after 3 retries in 9.6s
  cause: Failed to fetch: http://127.0.0.1:9/simple/click/
  cause: error sending request for url (http://127.0.0.1:9/simple/click/)
  cause: client error (Connect)
"""
PIP_NETWORK = """Looking in indexes: http://127.0.0.1:9/simple/
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('Failed to establish a new \
connection: [Errno 111]
ERROR: No matching distribution found for click
"""
UV_BUSY = """error: Request failed after 1 retry in 1.8s
  cause: Failed to fetch: http://127.0.0.1:9/simple/click/
  cause: HTTP status server error (503 Service Unavailable) for url (http://127.0.0.1:9/simple/click/)
"""
UV_DENIED = """error: No solution found when resolving dependencies
  cause: Because click was not found in the package registry and you require click, your requirements are \
unsatisfiable.
hint: An index URL (http://127.0.0.1:9/simple/) could not be queried due to a lack of valid authentication \
credentials (401 Unauthorized)
"""
UV_UNKNOWN = """error: No solution found when resolving dependencies
  cause: Because click was not found in the {} and core==1.0 depends on click, we can conclude that \
core==1.0 cannot be used.
"""


@rows(
    ("output", "source", "message", "network"),
    [
        (
            UV_SDIST,
            Source(),
            "sgmllib3k, which core requires, has no wheel that fits here, only an sdist",
            False,
        ),
        (UV_BUSY, Source(), "http://127.0.0.1:9/simple/click/ answered 503 Service Unavailable", True),
        (UV_DENIED, Source(), "http://127.0.0.1:9/simple/ answered 401 Unauthorized", True),
        (UV_NETWORK, Source(), "http://127.0.0.1:9/simple/click/ is unreachable", True),
        (PIP_NETWORK, Source(), "http://127.0.0.1:9/simple/ is unreachable", True),
        (PIP_NETWORK.partition("\n")[2], Source(), "the index is unreachable", True),
        (
            UV_UNKNOWN.format("package registry"),
            Source(),
            "click, which core requires, is not on the index",
            False,
        ),
        (
            UV_UNKNOWN.format("cache"),
            Source(offline=True),
            "click, which core requires, is not in uv's cache",
            False,
        ),
        (
            UV_UNKNOWN.format("provided package locations"),
            Source(find_links=(Path("x"),)),
            "click, which core requires, is not in the folders of --find-links",
            False,
        ),
        ("ERROR: No matching distribution found for click>=8", Source(), "click is not on the index", False),
        ("error: Hash mismatch for `core`", Source(), "a file changed while core was being installed", False),
        ("Because a and b", Source(), "the requirements of core cannot be satisfied together", False),
    ],
)
def test_an_installers_refusal_is_one_clear_message(
    output: str,
    source: Source,
    message: str,
    network: bool,  # noqa: FBT001 - a column of the table
) -> None:
    installed = Completed(returncode=1, output=output)
    if network:
        with pytest.raises(MissingToolError) as raised:
            explain_install_error(installed, "core", source)
        what, fix = raised.value.message, raised.value.hint
    else:
        failure = explain_install_error(installed, "core", source)
        assert failure.check == "installing"
        what, fix = failure.what, failure.fix
    assert what.startswith(message)
    assert fix


@rows("name", ["libq.so", "libq.so.1", "libq.dylib", "q.cp311-win_amd64.pyd", "q.dll"])
def test_every_kind_of_library_may_have_the_missing_symbol(name: str, tmp_path: Path) -> None:
    library = tmp_path / "lib" / "python3.11" / "site-packages" / "other" / name
    library.parent.mkdir(parents=True)
    library.write_bytes(elf.tiny(elf.Shape()).data)
    for wrong in ("libq.sox", "q.dllx", "q.txt"):
        (library.parent / wrong).write_bytes(b"")
    assert list(import_errors._libraries(tmp_path)) == [library]
    assert import_errors._exports(library, "tiny_call")
    assert import_errors._exports(library, "_tiny_call")
    assert not import_errors._exports(library, "tiny_calls")
    assert import_errors._top_folder(library) == "other"


def test_the_end_of_a_long_traceback_is_shown() -> None:
    lines = "\n".join(f"line {number}" for number in range(20))
    raised = probe.ProbeFailure(
        check="import a", exception="ValueError", error="no", traceback=f"\n{lines}\n"
    )
    failure = raised.failure()
    assert (failure.check, failure.what) == ("import a", "ValueError: no")
    assert failure.detail.splitlines() == [f"line {number}" for number in range(8, 20)]
    assert probe.ProbeFailure(check="import a", error="no").failure().what == "no"


@rows(("status", "hint"), [
    ("401 Unauthorized", "give credentials"), ("403 Forbidden", "give credentials"),
    ("404 Not Found", "try again later"),
    ("500 Internal", "try again later"), ("503 Busy", "try again later"),
])  # fmt: skip
def test_what_an_index_answers(status: str, hint: str) -> None:
    text = f"HTTP status client error ({status}) for url (http://h/simple/)"
    with pytest.raises(MissingToolError) as caught:
        explain_install_error(Completed(returncode=2, output=text), "demo", Source())
    assert caught.value.message == f"http://h/simple/ answered {status}"
    assert caught.value.hint.startswith(hint)
