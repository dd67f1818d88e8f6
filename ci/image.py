#!/usr/bin/env python3
"""Build an image with which cibuildwheel runs without a container registry.

    python3 ci/image.py                     print the environment to use, as KEY=value lines for a shell
    python3 ci/image.py --json              the same as a JSON object
    python3 ci/image.py --install           first install the Debian packages that it needs (root only)
    python3 ci/image.py --if-standing       build nothing: exit 3 if there is no image yet
    python3 ci/image.py --remove            remove the images again

In a shell:  set -a; eval "$(python3 ci/image.py)"; set +a

The image is described by ci/testimage/Containerfile and is built once, from Debian packages and from the
package index that this machine is configured for. A machine that can pull pypa's manylinux images does not
need it.

The index configuration of this machine (pip.conf, uv.toml, PIP_* and UV_* variables, with any password in an
address) is copied into the image, which stays in the local image store: never push it.

Exit codes: 0 fine, 1 a file cannot be read or written, 2 wrong usage, 3 a tool is missing,
4 a tool failed, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from testimage.builder import Builder
from testimage.machine import gather
from testimage.messages import ImageError, say
from testimage.setup import containers_conf, ensure_tools, environment, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for the configuration, the lock and the log; creates it if needed."""
    folder = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wheelkit-image"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(options: argparse.Namespace) -> int:
    """Do what the options ask; raises ImageError."""
    inputs = gather(os.environ)
    ensure_tools(install=options.install)
    cache = cache_folder(os.environ)
    conf = cache / "containers.conf"
    write(conf, containers_conf())
    builder = Builder(inputs, cache)
    if options.remove:
        builder.remove()
        return 0
    if not builder.exists(inputs.image):
        if options.if_standing:
            raise ImageError("there is no test image yet\n  build it:  python3 ci/image.py --install", code=3)
        builder.build()
    values = environment(inputs, conf)
    if options.json:
        print(json.dumps(values, indent=2))
    else:
        print("\n".join(f"{key}={shlex.quote(value)}" for key, value in values.items()))
    return 0


def terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Turn SIGTERM into KeyboardInterrupt, so that the program cleans up and exits with 130."""
    raise KeyboardInterrupt


def main(arguments: Sequence[str]) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(
        description="build the offline test image and print the environment to use it"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument("--install", action="store_true", help="install missing Debian packages (root only)")
    parser.add_argument(
        "--if-standing", action="store_true", help="build nothing: fail if there is no image yet"
    )
    parser.add_argument("--remove", action="store_true", help="remove the images instead")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, terminate)
    try:
        return run(options)
    except ImageError as error:
        say(str(error))
        return error.code
    except OSError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
