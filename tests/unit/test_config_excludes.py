"""Which libraries a configuration excludes, and that the system's own cannot be."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from support.configs import mistake, read
from support.rows import rows
from wheelkit.config.exclude import shipped_providers, system_library
from wheelkit.config.problems import shown


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


NAMES = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parents[1] / "golden" / "libraries.tsv")
    .read_text(encoding="utf-8")
    .splitlines()
    if not line.startswith("#")
]


@rows(("library", "system", "provider"), NAMES)
def test_real_libraries_belong_to_one_provider(library: str, system: str, provider: str) -> None:
    found = [
        (name, known)
        for name, shipped in shipped_providers().items()
        for known in ("linux", "macos", "windows")
        if any(fnmatchcase(library, pattern) for pattern in getattr(shipped, known))
    ]
    assert found == ([] if provider in {"system", "none"} else [(provider, system)])
    if provider == "system":
        problem = f"would exclude {library}, which belongs to the system; name only the provider's libraries"
        assert system_library(library) == system_library(library.upper()) == problem
    else:
        assert system_library(library) is None


def test_every_shipped_pattern_is_for_a_real_library() -> None:
    for name, shipped in shipped_providers().items():
        for system in ("linux", "macos", "windows"):
            real = [library for library, known, provider in NAMES if (known, provider) == (system, name)]
            assert [
                text for text in getattr(shipped, system) if not any(fnmatchcase(one, text) for one in real)
            ] == []


# Who distributes the libraries, whether their C++ ABI changes with every version, and who else brings them.
DISTRIBUTIONS = {
    "torch": ("torch", True, ""),
    "tensorflow": ("tensorflow tensorflow-cpu", True, ""),
    "onnxruntime": ("onnxruntime onnxruntime-gpu", False, ""),
    "openvino": ("openvino", True, ""),
    "pyarrow": ("pyarrow", True, ""),
    "mkl": ("mkl", False, ""),
    "openmp": ("intel-openmp", False, ""),
    "tbb": ("tbb", False, ""),
    "openblas": ("scipy-openblas32 scipy-openblas64", False, ""),
}
# The parts of the CUDA toolkit whose names end in the version of CUDA, and those that do so no longer.
CUDA = "cublas cuda-cupti cuda-nvrtc cuda-runtime cufft cufile curand cusolver cusparse npp nvjitlink nvjpeg"
SUFFIXED = "cudnn cusparselt nccl nvshmem"


def test_who_distributes_the_libraries() -> None:
    shipped = dict(shipped_providers())
    cuda = shipped.pop("cuda")
    found = {
        name: (" ".join(provider.distributions), provider.version_bound, " ".join(provider.brought_by))
        for name, provider in shipped.items()
    }
    assert found == DISTRIBUTIONS
    twelve = {f"nvidia-{part}-cu12" for part in f"{CUDA} nvtx {SUFFIXED}".split()}
    thirteen = {f"nvidia-{part}" for part in f"{CUDA} nvtx".split()} | {
        f"nvidia-{part}-cu13" for part in SUFFIXED.split()
    }
    assert sorted(cuda.distributions) == sorted(twelve | thirteen)
    assert (cuda.version_bound, cuda.brought_by) == (False, ("torch",))
