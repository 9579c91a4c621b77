"""``worldloom bench``: hands over to the benchmarks. Knows none of their options."""

import argparse

from worldloom.bench import crowd, enter, market, trades, weaving

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand a benchmark."""
    benchmarks = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    for name, summary, module in (
        ("crowd", "many clients in one world", crowd),
        ("enter", "who may be where, asked of everybody in a tick", enter),
        ("market", "the market's pages in a world with much land", market),
        ("trades", "estates bought through the real socket", trades),
        ("weave", "new land, region by region", weaving),
    ):
        benchmark = benchmarks.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(benchmark)
        benchmark.set_defaults(measure=module.run)


def run(args: argparse.Namespace) -> int:
    """Run the chosen benchmark; its exit code."""
    code: int = args.measure(args)
    return code
