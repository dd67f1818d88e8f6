"""The HTML report in headless Chromium: no errors, no sideways scrolling, hostile names inert."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from support.wheels import LINUX, PURE, write_wheel
from wheelkit.command_line import main

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
    "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom",
)  # fmt: skip
# The report allows no scripts; one in a page around it looks at it.
FRAME = """<!doctype html><html><body>
<iframe id="f" src="{page}" style="width:{width}px;height:900px;border:0"></iframe>
<pre id="out"></pre><script>
document.getElementById("f").onload = (event) => {{
  const page = event.target.contentDocument, root = page.documentElement;
  document.getElementById("out").textContent = JSON.stringify([
    root.scrollWidth, root.clientWidth, page.images.length, page.scripts.length,
    String(page.defaultView.hacked),
  ]);
}};
</script></body></html>
"""


@pytest.fixture(scope="module", autouse=True)
def chromium() -> None:
    if CHROMIUM is None:
        if os.environ.get("CI") and shutil.which("apt-get"):
            pytest.fail("chromium is not installed")
        pytest.skip("needs chromium")


def rendered(folder: Path, name: str, text: str) -> tuple[str, str]:
    """Open a page, and return its elements and what the browser logs."""
    assert CHROMIUM is not None
    path = folder / name
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", path.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if ":CONSOLE" in line)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report about wheels with hostile names inside."""
    folder = tmp_path_factory.mktemp("report")
    evil = '"><img src=x onerror=parent.hacked=1><script>hacked = 1</script>.bin'
    write_wheel(
        folder, LINUX, members={f"demo/{evil}": "x" * 9000, "demo/long" + "x" * 180 + ".bin": "y" * 90}
    )
    write_wheel(folder, PURE)
    with (folder / "report.html").open("w", encoding="utf-8") as file, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.stdout", file)
        main(["verify-matrix", LINUX, PURE, "--format", "html"])
    return folder / "report.html"


@pytest.mark.parametrize("width", [400, 1000, 2000])
def test_it_fits_and_runs_nothing(report: Path, tmp_path: Path, width: int) -> None:
    page, errors = rendered(tmp_path, "frame.html", FRAME.format(page=report.as_uri(), width=width))
    assert errors == ""
    scroll, client, images, scripts, hacked = (
        page.partition('<pre id="out">[')[2].partition("]")[0].split(",")
    )
    assert width - 20 <= int(client) <= width  # less the bar for scrolling down
    assert scroll == client
    assert (images, scripts, hacked) == ("0", "0", '"undefined"')


def test_the_page_itself_logs_nothing(report: Path, tmp_path: Path) -> None:
    dom, errors = rendered(tmp_path, "copy.html", report.read_text(encoding="utf-8"))
    assert errors == ""
    assert "<main" in dom


def test_what_the_browser_logs_is_seen(tmp_path: Path) -> None:
    _, errors = rendered(tmp_path, "bad.html", "<script>console.error('seen'); nothing.at.all</script>")
    assert "seen" in errors
    assert "nothing is not defined" in errors


def test_a_thousand_wheels_open(tmp_path: Path) -> None:
    for number in range(1000):
        write_wheel(tmp_path, f"demo{number}-1.0-py3-none-any.whl")
    started = time.process_time()
    with (tmp_path / "all.html").open("w", encoding="utf-8") as file, pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setattr("sys.stdout", file)
        main(["verify-matrix", ".", "--format", "html"])
    print(f"{time.process_time() - started:.1f} s of processor time")
    assert (tmp_path / "all.html").stat().st_size < 5 * 10**6
    dom, errors = rendered(tmp_path, "again.html", (tmp_path / "all.html").read_text(encoding="utf-8"))
    assert errors == ""
    assert dom.count('<details class="wheel"') == 1000
