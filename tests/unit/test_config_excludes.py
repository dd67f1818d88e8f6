"""Which libraries a configuration excludes, and that the system's own cannot be."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from support.configs import mistake, read
from support.rows import rows
from wheelkit.config.exclude import shipped_providers, system_library
from wheelkit.config.problems import shown

if TYPE_CHECKING:
    pass


@rows(
    ("pattern", "library"),
    [
        ("*", "libc.so.6"),
        ("lib*", "libc.so.6"),
        ("libc*", "libc.so.6"),
        ("libc.so*", "libc.so.6"),
        ("libc.musl*", "libc.musl-x86_64.so.1"),
        ("libm.so.?", "libm.so.6"),
        ("libpthread*", "libpthread.so.0"),
        ("ld-linux*", "ld-linux-x86-64.so.2"),
        ("libSystem*", "libSystem.B.dylib"),
        ("KERNEL32.DLL", "kernel32.dll"),
        ("*.dll", "kernel32.dll"),
        ("api-ms-win-crt-*", "api-ms-win-crt-runtime-l1-1-0.dll"),
    ],
)
def test_the_system_itself_cannot_be_excluded(pattern: str, library: str) -> None:
    assert f"exclude.x[0]: {shown(pattern)}: would exclude {library}, which" in mistake(
        f"exclude.x = ['{pattern}']"
    )


def test_what_only_begins_like_the_system_can_be_excluded() -> None:
    (provider,) = read(
        "exclude.x = ['libc10*', 'libmkl*', 'libcu[a-z]*.so.12', 'libmine.dylib', 'mine.DLL']"
    ).exclude
    assert provider.linux == ("libc10*", "libmkl*", "libcu[a-z]*.so.12")
    assert provider.macos == ("libc10*", "libmkl*", "libmine.dylib")
    assert provider.windows == ("libc10*", "libmkl*", "mine.DLL")
    assert provider.distributions == ("x",)
    assert not provider.shipped


def test_own_patterns_replace_the_shipped_ones_and_keep_what_is_known() -> None:
    (shipped,) = read("exclude.torch = true").exclude
    (own,) = read("exclude.torch = ['libtorch*']").exclude
    assert shipped.shipped
    assert not own.shipped
    assert own.patterns == ("libtorch*",)
    assert own.distributions == shipped.distributions == ("torch",)
    assert own.version_bound


def test_no_shipped_pattern_excludes_the_system() -> None:
    patterns = {name: provider.patterns for name, provider in shipped_providers().items()}
    assert {"torch", "cuda", "mkl", "openmp", "tensorflow", "onnxruntime", "openblas"} <= patterns.keys()
    assert all(patterns.values())
    assert [text for found in patterns.values() for text in found if system_library(text)] == []
    for name, found in patterns.items():
        assert read(f"exclude.{name} = {list(found)}").exclude[0].patterns == found


@rows(
    ("library", "provider"),
    [
        ("libtorch_cpu.so", "torch"),
        ("libc10_cuda.so", "torch"),
        ("libtorch_python.dylib", "torch"),
        ("torch_cpu.dll", "torch"),
        ("libcudart.so.12", "cuda"),
        ("libcublasLt.so.13", "cuda"),
        ("libcudnn_engines_precompiled.so.9", "cuda"),
        ("libnvrtc-builtins.so.12.9", "cuda"),
        ("nvJitLink_120_0.dll", "cuda"),
        ("cupti64_2025.2.1.dll", "cuda"),
        ("libtensorflow_framework.so.2", "tensorflow"),
        ("libtensorflow_cc.2.dylib", "tensorflow"),
        ("tensorflow_cc.2.dll", "tensorflow"),
        ("libonnxruntime.so.1.31.1", "onnxruntime"),
        ("libonnxruntime.1.31.1.dylib", "onnxruntime"),
        ("libopenvino.so.2641", "openvino"),
        ("libopenvino_tensorflow_frontend.2641.dylib", "openvino"),
        ("libarrow_python.so.2600.1.0", "pyarrow"),
        ("parquet.dll", "pyarrow"),
        ("libmkl_rt.so.3", "mkl"),
        ("mkl_rt.3.dll", "mkl"),
        ("libiomp5md.dll", "openmp"),
        ("libtbb.so.12", "tbb"),
        ("libtbbmalloc_proxy.2.dylib", "tbb"),
        ("libscipy_openblas64_.so", "openblas"),
        ("libscipy_openblas64_-4b78795a.so", None),
        ("libgomp.so.1", None),
        ("libstdc++.so.6", None),
    ],
)
def test_real_libraries_belong_to_one_provider(library: str, provider: str | None) -> None:
    ending = {"dll": "windows", "dylib": "macos"}.get(library.rpartition(".")[2], "linux")
    found = [
        (name, system)
        for name, shipped in shipped_providers().items()
        for system in ("linux", "macos", "windows")
        if any(fnmatchcase(library, pattern) for pattern in getattr(shipped, system))
    ]
    assert found == ([] if provider is None else [(provider, ending)])
