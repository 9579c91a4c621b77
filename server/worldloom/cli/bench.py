"""``worldloom bench``: hands over to the benchmarks. Knows none of their options."""

import argparse

from worldloom.bench import crowd

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand a benchmark."""
    benchmarks = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    crowd.add_arguments(
        benchmarks.add_parser("crowd", help="many clients in one world", description=crowd.__doc__)
    )


def run(args: argparse.Namespace) -> int:
    """Run the chosen benchmark; its exit code."""
    code: int = crowd.run(args)
    return code
