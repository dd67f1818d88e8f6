"""Runs auditwheel for another machine's wheels: ``python -m wheelkit.repair.foreign_auditwheel ARCH LIBC repair --plat …``.

auditwheel can read every architecture, and offers as ``--plat`` only the tags of the machine that it runs on, which it learns from
``platform.machine()`` and from its own libc. In this process, whose only work is auditwheel, both answer for the wheel's machine.
"""

from __future__ import annotations

import sys
from unittest.mock import patch


def main(arguments: list[str]) -> int:
    """Run auditwheel's command line as on a machine of the architecture and C library that come first."""
    arch, libc, *rest = arguments
    from auditwheel.libc import Libc

    detected = Libc.MUSL if libc == "musllinux" else Libc.GLIBC
    with (
        patch("platform.machine", return_value=arch),
        patch.object(Libc, "detect", return_value=detected),
        patch.object(sys, "argv", ["auditwheel", *rest]),
    ):
        from auditwheel.main import main as auditwheel

        return auditwheel() or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
