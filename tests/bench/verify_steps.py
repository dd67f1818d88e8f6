"""The processes that verify_peers.py compares wheelkit with; each imports only what it needs.

python tests/bench/verify_steps.py peers|inflate|open WHEEL...
"""

import sys
import zipfile

THREADS = 2


def peers(path: str) -> list[list[str]]:
    """Return the commands that users run today on one wheel."""
    name = path.rpartition("/")[2]
    commands = [["twine", "check", "--strict", path], ["check-wheel-contents", path]]
    if "linux" in name:
        commands.append(["auditwheel", "show", path])
    if "-abi3-" in name:
        commands.append(["abi3audit", path])
    if "-win" in name:
        commands.append(["delvewheel", "show", path])
    return commands


def loop(paths: list[str]) -> None:
    """Run the peers on each wheel in turn, whatever their exit codes are."""
    import subprocess

    for path in paths:
        for command in peers(path):
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def inflate(paths: list[str]) -> None:
    """Inflate and hash every member once, largest first, on as many threads as wheelkit uses."""
    import hashlib
    from concurrent.futures import ThreadPoolExecutor

    archives = [zipfile.ZipFile(path) for path in paths]
    jobs = [(entry.file_size, archive, entry) for archive in archives for entry in archive.infolist()]
    jobs.sort(key=lambda job: job[0], reverse=True)
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda job: hashlib.sha256(job[1].read(job[2])).digest(), jobs):
            pass


def open_only(paths: list[str]) -> None:
    """Open the wheels and read what verify-matrix --shallow reads."""
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith((".dist-info/METADATA", ".dist-info/WHEEL", ".dist-info/RECORD")):
                    archive.read(name)


if __name__ == "__main__":
    {"peers": loop, "inflate": inflate, "open": open_only}[sys.argv[1]](sys.argv[2:])
