"""Serve installations by one pip: each is `pip install` with its usual arguments, in a process of its own.

Runs under the interpreter that pip installs for; the argument is the folder that holds pip. pip is imported
once, and a request is a fork, which takes a tenth of the time of a new process. Requests and answers are
lines of JSON: the arguments, the working directory, and a file for the output; then the exit code.
"""

import gc
import json
import os
import signal
import sys

_SECONDS = 60


def _install(request: dict[str, object]) -> int:
    from pip._internal.cli.main import main

    output = os.open(str(request["output"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(str(request["folder"]))
    signal.alarm(_SECONDS)
    return main(list(request["arguments"]))  # type: ignore[call-overload]


def _fork(request: dict[str, object]) -> int:
    process = os.fork()
    if process == 0:
        code = 70
        try:
            code = _install(request)
        except BaseException as error:  # noqa: BLE001 - ends a process with a traceback
            os.write(2, f"Traceback: {type(error).__name__}: {error}".encode(errors="replace"))
        finally:
            os._exit(code & 0xFF)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _answer_in_advance() -> None:
    """Answer once what takes half of pip's time, and what no installation here depends on.

    It is what the session tells an index about this machine, which tags the interpreter accepts, and whether
    there are modules that only Windows and some builds of Python have.
    """
    for module in ("_manylinux", "pip._vendor.rich._windows_renderer", "pip._vendor.rich._win32_console"):
        sys.modules[module] = None  # type: ignore[assignment]
    from pip._internal.network import session
    from pip._internal.utils import compatibility_tags

    supported, known = compatibility_tags.get_supported, {}  # type: ignore[var-annotated]

    def get_supported(*arguments: object, **options: object) -> object:
        key = repr((arguments, options))
        if key not in known:
            known[key] = supported(*arguments, **options)
        return list(known[key])

    compatibility_tags.get_supported = get_supported
    session.user_agent = lambda: "pip"


def main(folder: str) -> None:
    """Answer requests until the input ends."""
    sys.path.insert(0, folder)
    import pip

    _answer_in_advance()

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    first = json.loads(sys.stdin.readline())
    # One installation in this process imports all that pip imports late, and fills its caches of tags.
    saved = os.dup(1), os.dup(2)
    code = _install(first)
    signal.alarm(0)
    os.dup2(saved[0], 1)
    os.dup2(saved[1], 2)
    gc.disable()
    gc.freeze()
    print(json.dumps({"version": pip.__version__, "code": code}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps({"code": _fork(json.loads(line))}), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
