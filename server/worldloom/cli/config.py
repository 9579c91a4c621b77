"""``worldloom config``: the configuration as TOML, with comments. Knows no key by name."""

import argparse
import json
from pathlib import Path
from typing import get_args

import msgspec

from worldloom.cli.settings import add_config_option, config_of
from worldloom.config import Config, expectation, is_secret, load

__all__ = ["add_arguments", "default_toml", "key_table", "run", "shown_toml"]

_HEAD = """\
# Worldloom's configuration: every key with its default. Written by: worldloom config
#
# Read from the working directory, or from where --config says. Precedence: this file < environment < option.
# In the environment a key is WORLDLOOM_SECTION__KEY, like WORLDLOOM_SERVER__PORT=9000; lists with commas.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--check FILE`` and ``--show``."""
    add_config_option(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", type=Path, metavar="FILE", help="check a file; exit 2 if it is wrong")
    what.add_argument(
        "--show", action="store_true", help="print the values in effect here, from file and environment"
    )


def run(args: argparse.Namespace) -> int:
    """Print the commented defaults, or check a file, or print what is in effect."""
    if args.check is not None:
        load(args.check, {}, {})
        print(f"{args.check}: every key is right")
    elif args.show:
        print(shown_toml(config_of(args)), end="")
    else:
        print(default_toml(), end="")
    return 0


def default_toml() -> str:
    """The commented ``config.toml`` with every key and its default."""
    config, lines = Config(), [_HEAD]
    for section in msgspec.structs.fields(Config):
        lines.append(f"\n[{section.name}]\n# {(section.type.__doc__ or '').strip()}\n")
        values = getattr(config, section.name)
        for field in msgspec.structs.fields(section.type):
            key = f"{section.name}.{field.name}"
            lines.append(f"\n# {_comment(key, field)}\n")
            lines.append(f"{field.name} = {_toml(getattr(values, field.name))}\n")
    return "".join(lines)


def shown_toml(config: Config) -> str:
    """The configuration's values as TOML, those of secret keys blotted out."""
    lines = []
    for section in msgspec.structs.fields(Config):
        lines.append(f"[{section.name}]\n")
        for name, value in msgspec.structs.asdict(getattr(config, section.name)).items():
            hidden = bool(value) and is_secret(f"{section.name}.{name}")
            lines.append(f"{name} = {_toml('(set; not shown)' if hidden else value)}\n")
        lines.append("\n")
    return "".join(lines[:-1])


def key_table() -> str:
    """Every key as a Markdown table: key, default, meaning."""
    rows = ["| key | default | meaning |\n|---|---|---|\n"]
    config = Config()
    for section in msgspec.structs.fields(Config):
        for field in msgspec.structs.fields(section.type):
            key = f"{section.name}.{field.name}"
            value = _toml(getattr(getattr(config, section.name), field.name))
            rows.append(f"| `{key}` | `{value}` | {_comment(key, field)} |\n")
    return "".join(rows)


def _comment(key: str, field: msgspec.structs.FieldInfo) -> str:
    meta = next(item for item in get_args(field.type) if isinstance(item, msgspec.Meta))
    expected = expectation(key)
    said_already = expected in {"text", "a list of texts", "true or false"}
    return f"{meta.description}" if said_already else f"{meta.description} Expected: {expected}."


def _toml(value: object) -> str:
    """A value as TOML writes it; JSON's text, numbers, booleans and lists are TOML too."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
