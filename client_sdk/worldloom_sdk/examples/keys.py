"""Makes, lists and revokes the keys of your bots. No bot itself: it comes in as you, for a moment.

python -m worldloom_sdk.examples.keys 127.0.0.1:8420 --token-file ada.token make Marshal talk order --key-file m.key
python -m worldloom_sdk.examples.keys 127.0.0.1:8420 --token-file ada.token list
python -m worldloom_sdk.examples.keys 127.0.0.1:8420 --token-file ada.token revoke 0123456789abcdef

If there is no token file, an account is made, under --name, and kept there. An account that you have on another device
comes by --code, a pairing code. An account is in the world once: if you are in it already, you are replaced there.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from worldloom_sdk import Client, Scope, WorldloomError
from worldloom_sdk.protocol.messages import TokenInfo
from worldloom_sdk.tokens import Kept, check_writable, write_token


def told(token: TokenInfo) -> str:
    """One line of the list."""
    scopes = "everything" if token.scopes is None else " ".join(token.scopes) or "nothing"
    used = "never"
    if token.current:
        used = "now (this one)"
    elif token.used_ms:
        used = datetime.fromtimestamp(token.used_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    return f"{token.id}  {token.name}: {scopes}; last used {used}"


async def make(client: Client, options: argparse.Namespace) -> None:
    """A new key, into a file that only you can read."""
    check_writable(options.key_file)  # a key is told once: not before it can be kept
    secret = await client.account.make_bot(options.bot, options.scopes)
    write_token(options.key_file, Kept(secret.text))
    print(f"{options.key_file}: a key of {options.bot}, good for {' '.join(options.scopes) or 'nothing'}")


async def show(client: Client, options: argparse.Namespace) -> None:
    """Every token of the account and its bots."""
    for token in await client.account.tokens():
        print(told(token))


async def revoke(client: Client, options: argparse.Namespace) -> None:
    """A key is void; the bot that is here with it is sent out."""
    await client.account.revoke(options.id)
    print(f"{options.id}: void")


async def carry_out(client: Client, options: argparse.Namespace) -> None:
    """Come in, do one thing, leave."""
    is_new = not options.token_file.exists()
    async with client:
        if is_new:
            print(
                f"{options.token_file}: token and recovery code of {client.name}; keep a copy elsewhere, too"
            )
        await options.act(client, options)


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("url", help="host:port, http(s)://host or ws(s)://host:port/ws")
    options.add_argument("--name", default="", help="of an account that is to be made")
    options.add_argument(
        "--token-file", type=Path, required=True, metavar="FILE", help="your account is here"
    )
    options.add_argument(
        "--code", default="", help="a pairing or recovery code, while there is no token file"
    )
    options.add_argument(
        "--access", default="", metavar="CODE", help="an invitation or password, if the world asks for one"
    )
    acts = options.add_subparsers(required=True, metavar="make | list | revoke")
    one = acts.add_parser("make", help="a key, and the bot if there is none of that name")
    one.add_argument("bot", help="its name")
    one.add_argument("scopes", nargs="*", choices=[str(scope) for scope in Scope], help="what the key is for")
    one.add_argument(
        "--key-file", type=Path, required=True, metavar="FILE", help="the key goes here, mode 0600"
    )
    one.set_defaults(act=make)
    acts.add_parser("list", help="every token, what it is good for, and when it was used").set_defaults(
        act=show
    )
    gone = acts.add_parser("revoke", help="make a token void")
    gone.add_argument("id", help="as in the list")
    gone.set_defaults(act=revoke)
    return options


def main() -> None:
    """Do one thing."""
    options = parser().parse_args()
    client = Client(
        options.url,
        name=options.name,
        token_file=options.token_file,
        code=options.code,
        access=options.access,
    )
    try:
        asyncio.run(carry_out(client, options))
    except WorldloomError as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
