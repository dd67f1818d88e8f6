"""The command."""

import argparse

from ferry_core import order

from ferry_scheduler import CORE


def main() -> None:
    """Say what would run."""
    parser = argparse.ArgumentParser(description=f"Run jobs in order; built with core {CORE}.")
    parser.add_argument("jobs", nargs="*")
    for job in order(parser.parse_args().jobs):
        print("run", job)


if __name__ == "__main__":
    main()
