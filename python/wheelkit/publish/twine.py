"""Runs twine: one call for files that need not wait for each other, in a scrubbed environment, and reads what it says of each file.

Only the command is used, never twine's modules, which are no public interface.
"""

from __future__ import annotations

import os
import re
import sys
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.errors import MissingToolError
from wheelkit.machine.process import Command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelkit.machine.process import Completed, Run
    from wheelkit.publish.credentials import Credentials
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import ShippedFile


# What twine needs of the environment; all else stays with us, other tools' settings and secrets first of all.
_PASSED = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "USERNAME",
        "LANG",
        "TMPDIR",
        "TEMP",
        "TMP",
        "SYSTEMROOT",
        "WINDIR",
        "COMSPEC",
        "PATHEXT",
    }
    | {
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "PROGRAMDATA",
        "HOMEDRIVE",
        "HOMEPATH",
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_RUNTIME_DIR",
    }
    | {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "PYTHON_KEYRING_BACKEND", "LD_LIBRARY_PATH", "VIRTUAL_ENV"}
    | {
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    }
)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SENDING = re.compile(r"^Uploading (?P<file>\S+\.(?:whl|tar\.gz|zip))$")
_STATUS = re.compile(r"^(?P<status>[1-5]\d\d)(?: |$)")
_REPLY = re.compile(r"^(?:INFO\s+)?Response from ")
_TAKEN, _REFUSED_FROM, _BROKEN_FROM = 200, 400, 500
# Seconds for a check, seconds for each file, and the bytes a second of the slowest connection that is waited for.
_CHECK_SECONDS, _UPLOAD_SECONDS, _SLOWEST = 300.0, 120.0, 20_000
_PASSING = frozenset({408, 425, 429})


class UploadResult(Enum):
    """How an upload ended: all taken, a refusal that stays, a failure that may pass, or something that tells nothing of the index."""

    TAKEN = "taken"
    REFUSED = "refused"
    PASSING = "passing"
    BROKEN = "broken"


class TwineRun(Struct, frozen=True, kw_only=True):
    """What became of one call: the files that the index took, the one that was under way when it ended, its status and the words."""

    ending: UploadResult
    taken: tuple[str, ...]
    underway: str
    status: int
    words: str


def upload(
    run: Run,
    index: Index,
    files: Sequence[ShippedFile],
    credentials: Credentials,
    keeps: tuple[int, ...] = (),
) -> TwineRun:
    """Upload files in their order; an index's no is told in what comes back, and not raised."""
    signed = all(one.attestations for one in files)
    arguments = [
        "--no-color",
        "upload",
        "--verbose",
        "--non-interactive",
        "--disable-progress-bar",
        "--repository-url",
        index.upload,
    ]
    arguments += ["--attestations"] if signed else []
    paths = [one.path for one in files] + [path for one in files if signed for path in one.attestations]
    # twine waits for ever for an index that has stopped to answer.
    limit = _UPLOAD_SECONDS * len(files) + sum(one.size for one in files) / _SLOWEST
    done = _ran(run, _command([*arguments, *map(str, paths)], credentials.environment(), keeps, limit))
    found = parse_twine_output(done.returncode, done.output)
    return (
        replace(found, ending=UploadResult.PASSING, words=f"no answer within {limit:.0f} s")
        if done.timed_out
        else found
    )


def check(run: Run, files: Sequence[ShippedFile]) -> str:
    """Have twine check what the index would refuse of metadata and description; gives its complaints, empty where it has none."""
    done = _ran(run, _command(["--no-color", "check", "--strict", *(str(one.path) for one in files)], {}))
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in without_color(done.output).splitlines()]
    return "\n".join(line for line in lines if line and not line.endswith(": PASSED"))


def _ran(run: Run, command: Command) -> Completed:
    done = run(command)
    if "No module named twine" in done.output:
        raise MissingToolError(f"twine is not installed for {sys.executable}", hint="pip install twine")
    return done


def _command(
    arguments: Sequence[str],
    env: Mapping[str, str],
    keeps: tuple[int, ...] = (),
    timeout: float = _CHECK_SECONDS,
) -> Command:
    # A wide terminal, or twine would wrap names; no bytecode or path of the user's own.
    fixed = {"COLUMNS": "2000", "PYTHONIOENCODING": "utf-8:replace", "TWINE_NON_INTERACTIVE": "1"}
    dropped = tuple(name for name in os.environ if name.upper() not in _PASSED and not name.startswith("LC_"))
    argv = (sys.executable, "-m", "twine", *arguments)
    return Command(argv=argv, env={**fixed, **env}, unset=dropped, pass_fds=keeps, timeout=timeout)


def without_color(output: str) -> str:
    """Drop what only colours a terminal."""
    return _ANSI.sub("", output)


def parse_twine_output(returncode: int, output: str) -> TwineRun:
    """Read twine's output: which file it was at, and what the index said last."""
    taken: list[str] = []
    current, status, replied = "", 0, False
    for line in (line.strip() for line in without_color(output).splitlines()):
        if match := _SENDING.match(line):
            current, status = match["file"], 0
        elif _REPLY.match(line):
            replied = True
            continue
        elif replied and (match := _STATUS.match(line)):
            status = int(match["status"])
            if status == _TAKEN and current:
                taken.append(current)
                current = ""
        replied = False
    ending = UploadResult.TAKEN if returncode == 0 else _ending(status, output)
    return TwineRun(ending=ending, taken=tuple(taken), underway=current, status=status, words=_words(output))


_NETWORK = re.compile(
    r"\b(?:ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|ChunkedEncodingError|ProtocolError|RemoteDisconnected|NewConnectionError)\b"
)


def _ending(status: int, output: str) -> UploadResult:
    if status in _PASSING or status >= _BROKEN_FROM:
        return UploadResult.PASSING
    if status >= _REFUSED_FROM:
        return UploadResult.REFUSED
    return UploadResult.PASSING if _NETWORK.search(output) else UploadResult.BROKEN


_TITLE = re.compile(r"<title>\s*(?P<words>.*?)\s*</title>", re.DOTALL | re.IGNORECASE)
_RAISED = re.compile(
    r"^(?:ERROR\s+)?(?P<words>[A-Za-z_.]*(?:Error|Exception|Timeout|Interactive|Failure|Configuration|Distribution|Detected)\b.*)$"
)


def _words(output: str) -> str:
    """Find the words that say most: the index's own, in its page's title, else the error that twine ended with."""
    text = without_color(output)
    titles = [match["words"] for match in _TITLE.finditer(text)]
    if titles:
        return " ".join(titles[-1].split())
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for position, line in reversed(list(enumerate(lines))):
        if match := _RAISED.match(line):
            following = lines[position + 1] if position + 1 < len(lines) else ""
            return f"{match['words']} {following}".strip()
    return lines[-1] if lines else "it said nothing"
