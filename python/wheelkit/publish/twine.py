"""Run twine in a scrubbed environment, and read from its output what the index did with each file.

twine's modules are not used: they are not a public interface.
"""

from __future__ import annotations

import os
import re
import sys
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.errors import MissingToolError, ToolFailedError
from wheelkit.machine.process import Command, tool_error
from wheelkit.machine.time_limits import CHECK, UPLOAD
from wheelkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelkit.machine.process import Completed, Run
    from wheelkit.publish.credentials import Credentials
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import ShippedFile


# The variables that twine gets, besides LC_*. Settings and secrets of other tools are none of its business.
_PASSED_VARIABLES = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "USERNAME", "LANG", "TMPDIR", "TEMP", "TMP",
    "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT",
    "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "HOMEDRIVE", "HOMEPATH",
    "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "PYTHON_KEYRING_BACKEND", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
})  # fmt: skip
# A wide terminal keeps twine from wrapping file names.
_SETTINGS = {"COLUMNS": "2000", "PYTHONIOENCODING": "utf-8:replace", "TWINE_NON_INTERACTIVE": "1"}
_UPLOAD_OPTIONS = ("--verbose", "--non-interactive", "--disable-progress-bar", "--repository-url")

_OK, _CLIENT_ERROR, _SERVER_ERROR = 200, 400, 500
_TEMPORARY_STATUSES = frozenset({408, 425, 429})
_PASSED = (": PASSED", ": PASSED with warnings")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SENDING = re.compile(r"^Uploading (?P<file>\S+\.(?:whl|tar\.gz|zip))$")
_STATUS = re.compile(r"^(?P<status>[1-5]\d\d)(?: |$)")
_REPLY = re.compile(r"^(?:INFO\s+)?Response from ")
_NETWORK_ERROR = re.compile(
    r"\b(?:ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|ChunkedEncodingError|ProtocolError|RemoteDisconnected"
    r"|NewConnectionError)\b"
)
_TITLE = re.compile(r"<title>\s*(?P<text>.*?)\s*</title>", re.DOTALL | re.IGNORECASE)
_EXCEPTION = re.compile(
    r"^(?:ERROR\s+)?(?P<text>[A-Za-z_.]*"
    r"(?:Error|Exception|Timeout|Interactive|Failure|Configuration|Distribution|Detected)\b.*)$"
)


class Outcome(Enum):
    """How an upload ended: accepted, refused for good, failed for now, or failed without asking the index."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    TEMPORARY = "temporary"
    FAILED = "failed"


class UploadResult(Struct, frozen=True, kw_only=True):
    """What one run of twine did.

    ``accepted`` are the files that the index accepted, ``current`` is the one that was being sent at the end,
    ``status`` the last HTTP status (0: none), ``message`` the text of the index or of twine that says most.
    ``cut_off`` is true if twine was ended before it was done: the index may have the current file.
    """

    outcome: Outcome
    accepted: tuple[str, ...]
    current: str
    status: int
    message: str
    log: Path | None = None
    cut_off: bool = False


def upload(
    run: Run, index: Index, files: Sequence[ShippedFile], credentials: Credentials, lock: int | None = None
) -> UploadResult:
    """Upload files in their order, with their attestations if all have one.

    A refusal by the index is a result, not an exception. twine inherits the descriptor ``lock``.
    """
    signed = all(file.attestations for file in files)
    attestations = [path for file in files for path in file.attestations] if signed else []
    timeout = UPLOAD.of(sum(file.size for file in files), len(files))
    options = (*_UPLOAD_OPTIONS, index.upload, *(["--attestations"] if signed else []))
    paths = (*(file.path for file in files), *attestations)
    command = _command("upload", *options, *map(str, paths), timeout=timeout)
    pass_fds = () if lock is None else (lock,)
    done = _run(run, replace(command, env={**_SETTINGS, **credentials.environment()}, pass_fds=pass_fds))
    result = replace(parse_output(done.returncode, done.output), log=done.log)
    if done.timed_out:
        message = f"no answer within {timeout:.0f} s"
        return replace(result, outcome=Outcome.TEMPORARY, message=message, cut_off=True)
    if done.cut_off:
        return replace(result, message=f"it {done.ending}; {done.advice}", cut_off=True)
    return result


def check(run: Run, files: Sequence[ShippedFile]) -> str:
    """Run ``twine check`` and return its complaints, empty where each file has passed.

    Without ``--strict`` it accepts files without a description, as indexes do. Raises ToolFailedError where
    it does not judge every file.
    """
    timeout = CHECK.of(sum(file.size for file in files))
    done = _run(run, _command("check", *(str(file.path) for file in files), timeout=timeout))
    shown = _ANSI.sub("", done.output).replace(f"{files[0].path.parent}{os.sep}", "")
    lines = [line.strip() for line in shown.splitlines()]
    complaints = [line for line in lines if line and not line.endswith(_PASSED)]
    if done.cut_off or (done.returncode != 0 and not complaints):
        raise tool_error(done, "twine check")
    if done.returncode != 0:
        return "\n".join(complaints)
    passed = sum(line.endswith(_PASSED) for line in lines)
    if passed < len(files):
        raise ToolFailedError(
            f"twine check judged {passed} of {plural(len(files), 'file')}; nothing was uploaded",
            detail="\n".join(lines),
            hint="install twine again:  pip install --force-reinstall twine",
            log=done.log,
        )
    return ""


def _run(run: Run, command: Command) -> Completed:
    done = run(command)
    if "No module named twine" in done.output:
        raise MissingToolError(f"twine is not installed for {sys.executable}", hint="pip install twine")
    return done


def _command(*arguments: str, timeout: float) -> Command:
    dropped = (
        name for name in os.environ if name.upper() not in _PASSED_VARIABLES and not name.startswith("LC_")
    )
    return Command(
        argv=(sys.executable, "-m", "twine", "--no-color", *arguments),
        env=_SETTINGS,
        unset=tuple(dropped),
        timeout=timeout,
    )


def parse_output(returncode: int, output: str) -> UploadResult:
    """Read the output of ``twine upload --verbose``: which files were accepted, and how it ended."""
    text = _ANSI.sub("", output)
    accepted: list[str] = []
    current, status, is_reply = "", 0, False
    for line in map(str.strip, text.splitlines()):
        if match := _SENDING.match(line):
            current, status = match["file"], 0
        elif is_reply and (match := _STATUS.match(line)):
            status = int(match["status"])
            if status == _OK and current:
                accepted.append(current)
                current = ""
        is_reply = _REPLY.match(line) is not None
    return UploadResult(
        outcome=Outcome.ACCEPTED if returncode == 0 else _failure(status, text),
        accepted=tuple(accepted),
        current=current,
        status=status,
        message=_message(text),
    )


def _failure(status: int, text: str) -> Outcome:
    if status in _TEMPORARY_STATUSES or status >= _SERVER_ERROR:
        return Outcome.TEMPORARY
    if status >= _CLIENT_ERROR:
        return Outcome.REFUSED
    return Outcome.TEMPORARY if _NETWORK_ERROR.search(text) else Outcome.FAILED


def _message(text: str) -> str:
    """Return the title of the index's error page, else twine's exception, else its last line."""
    titles = _TITLE.findall(text)
    if titles:
        return " ".join(titles[-1].split())
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for position, line in reversed(list(enumerate(lines))):
        if match := _EXCEPTION.match(line):
            return " ".join([match["text"], *lines[position + 1 : position + 2]])
    return lines[-1] if lines else "it printed nothing"
