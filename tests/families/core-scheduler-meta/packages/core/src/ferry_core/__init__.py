"""Jobs and their order."""

import argparse

__version__ = "2.3.0"


def order(jobs: list[str]) -> list[str]:
    """Order jobs by name, each once."""
    return sorted(set(jobs))


def main() -> None:
    """Print the jobs that were named, in order."""
    parser = argparse.ArgumentParser(description="Print jobs in their order.")
    parser.add_argument("jobs", nargs="*")
    print(*order(parser.parse_args().jobs))
