"""Small wheels and a static index for smoke tests."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from support.wheels import metadata, write_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheelkit.smoke.model import Package


def make(  # noqa: PLR0913 - one per property that a test may change
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    needs: tuple[str, ...] = (),
    files: Mapping[str, str | bytes] | None = None,
    entries: str = "",
    tag: str = "py3-none-any",
    python: str = "",
) -> Path:
    """Write a wheel with one package of the same name; ``needs`` are its Requires-Dist values."""
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    extras = dict.fromkeys(need.split('extra == "')[1].split('"')[0] for need in needs if "extra ==" in need)
    lines = [*(f"Provides-Extra: {extra}" for extra in extras), *(f"Requires-Dist: {need}" for need in needs)]
    lines += [f"Requires-Python: {python}"] if python else []
    members: dict[str, str | bytes] = {"{info}/METADATA": metadata(name, version, *lines)}
    members |= {f"{module}/__init__.py": f"version = '{version}'\n"} if files is None else files
    if entries:
        members["{info}/entry_points.txt"] = entries
    return write_wheel(folder, f"{module}-{version}-{tag}.whl", members=members, package=False)


def unpacked(env: Path, package: Package, url: str | None) -> Path:
    """Unpack a wheel into an environment, with direct_url.json if there is a URL; returns site-packages."""
    site = env / "lib/python3.11/site-packages"
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(site)
    if url:
        (site / f"{package.name}-{package.version}.dist-info/direct_url.json").write_text(
            json.dumps({"url": url})
        )
    return site


def torch_stand_in(family: Path, folder: Path) -> None:
    """Write a wheel named torch with the fake libraries of the torch family; needs a compiler for ELF."""
    loads = "import ctypes, pathlib\nfor name in ('c10', 'torch_cpu', 'torch'):\n"
    loads += "    path = pathlib.Path(__file__).parent / 'lib' / f'lib{name}.so'\n"
    loads += "    ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)\n"
    files: dict[str, str | bytes] = {"torch/__init__.py": loads}
    for name in ("c10", "torch_cpu", "torch"):
        library = folder.parent / f"lib{name}.so"
        source = family / "standin" / f"{name}.c"
        subprocess.run(
            ["cc", "-shared", "-fPIC", f"-Wl,-soname,{library.name}", "-o", library, source], check=True
        )
        files[f"torch/lib/{library.name}"] = library.read_bytes()
    make(folder, "torch", "2.13.99", files=files)


@dataclass
class Index:
    """A static index (PEP 503) on this machine; ``asked`` are the paths that were requested."""

    url: str
    asked: list[str] = field(default_factory=list)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def served(folder: Path) -> Iterator[Index]:
    """Serve a folder of wheels and sdists as an index on 127.0.0.1."""
    pages: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        key = path.name.split("-")[0].replace("_", "-").lower()
        pages.setdefault(key, []).append(path)
    simple = folder / "simple"
    for key, paths in pages.items():
        (simple / key).mkdir(parents=True)
        links = (f'<a href="/{path.name}#sha256={_sha256(path)}">{path.name}</a><br>' for path in paths)
        (simple / key / "index.html").write_text(
            "<!DOCTYPE html><html><body>" + "".join(links) + "</body></html>"
        )
    index = Index(url="")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            index.asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    index.url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
