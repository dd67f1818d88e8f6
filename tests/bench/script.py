"""The command line and the exit of every benchmark script."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from outcome import Outcome, report

NO_OPTIONS: Mapping[str, Mapping[str, Any]] = {}


def script(
    text: str | None,
    measure: Callable[[argparse.Namespace], Sequence[Outcome]],
    *,
    runs: int,
    options: Mapping[str, Mapping[str, Any]] = NO_OPTIONS,
    enough: Callable[[Iterable[bool]], bool] = all,
) -> NoReturn:
    """Parse the command line with additional ``options``, measure, print, and exit.

    The exit status is 1 unless ``enough`` of the limits hold.
    """
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--json", action="store_true")
    for name, settings in options.items():
        parser.add_argument(name, **settings)
    chosen = parser.parse_args()
    outcomes = measure(chosen)
    report(outcomes, as_json=chosen.json)
    sys.exit(0 if enough(outcome.holds for outcome in outcomes) else 1)
