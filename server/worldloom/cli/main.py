"""The command line: which commands there are, and how errors end. Imports a command when it is called."""

import argparse
import importlib
import keyword
import os
import sys
from collections.abc import Sequence

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "serve": "start the world; Ctrl-C saves and stops it",
    "doctor": "check this installation and say what to do",
    "status": "watch a running world as a live table",
    "people": "keep order: list, ban, mute, roles, invitations, reports, audit log",
    "land": "who owns which land: open regions for claiming, look, draw a map, prove the register",
    "market": "what is for sale, auctioned and to let",
    "money": "the world's money: mint, burn, balances, statements, the treasury, and the proof of it all",
    "config": "print, check or show the configuration",
    "backup": "keep the world and its secrets in one file, while it runs; or verify such a file",
    "restore": "put a backup into an empty data folder",
    "export": "write the whole world into one file, for any engine",
    "import": "take an exported world into an empty database",
    "worldgen": "land without a server: a map, a 3D model or a heightmap of a part of it",
    "bench": "measure the server on this machine",
    "version": "print the version",
}
"""Name and summary; ``worldloom.cli.NAME`` (or ``import_``) has ``add_arguments(parser)`` and ``run(args) -> int``."""

_EPILOG = """\
first steps:
  worldloom doctor                 is everything here that the server needs?
  worldloom serve                  a world on port 8420, its data in ./worldloom-data
  worldloom backup                 the world in one file, while it runs; worldloom restore brings it back
  worldloom config > config.toml   every setting with its default, to edit; read from the working directory

Settings: config file < environment (WORLDLOOM_SERVER__PORT=9000) < option.
'worldloom COMMAND --help' tells more.
"""

EXIT_WRONG = 2
"""The command line or the configuration is wrong, or the installation lacks something."""
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141
"""Whoever read the output wants no more of it; the number that a shell gives for it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Words after the program's name; those of the process by default.

    Returns:
        Exit code: 0 done, 1 the command says no, 2 wrong use or configuration (one line on standard error).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["--version"]:
        words[0] = "version"
    try:
        code = _run(_parse(words))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # What is left in the buffer would fail again when Python ends, and be told of.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    except ModuleNotFoundError as error:
        return _missing(error)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parse(words: list[str]) -> argparse.Namespace:
    """Parse the words; only the command that is called is imported and gets its arguments."""
    parser = argparse.ArgumentParser(
        prog="worldloom",
        description="Worldloom: a multiplayer world of your own. One command starts it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version, as the command does")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    called = next((word for word in words if not word.startswith("-")), "")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"Worldloom {name}: {summary}.")
        if name == called:
            module = importlib.import_module(f"worldloom.cli.{name}{'_' * keyword.iskeyword(name)}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser.parse_args(words)


def _missing(error: ModuleNotFoundError) -> int:
    """Say that an extra is not installed; anything missing of our own is a fault and raised."""
    package = (error.name or "").partition(".")[0]
    if package in {"", "worldloom", "worldloom_sdk"}:
        raise error
    print(
        f"worldloom: worldloom[server] is needed for this command ({package} is not installed here).\n"
        "Install it: python -m pip install 'worldloom[server]'",
        file=sys.stderr,
    )
    return EXIT_WRONG


def _run(args: argparse.Namespace) -> int:
    """Run the command; an error that is raised on purpose ends as one line, any other with its traceback."""
    from worldloom.errors import WorldloomError

    try:
        return int(args.run(args))
    except WorldloomError as error:
        print(f"worldloom: {error}", file=sys.stderr)
        return EXIT_WRONG
    except PermissionError as error:
        from worldloom.persistence.rights import denied

        print(f"worldloom: {denied(error)}", file=sys.stderr)
        return EXIT_WRONG
