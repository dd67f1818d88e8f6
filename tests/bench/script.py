"""What the scripts of the benchmarks have in common: their options, and how they end."""

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
    """Read the command line (``options`` are further ones), measure, print, and exit with 1 unless ``enough`` of the limits hold."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--json", action="store_true")
    for name, settings in options.items():
        parser.add_argument(name, **settings)
    chosen = parser.parse_args()
    outcomes = measure(chosen)
    report(outcomes, as_json=chosen.json)
    sys.exit(0 if enough(one.holds for one in outcomes) else 1)
