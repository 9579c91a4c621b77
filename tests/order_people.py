"""People for tests of order: accounts with roles, bots, and who asks for what."""

import hashlib

from worldloom.ports import Tx
from worldloom.realm.names import clean_name
from worldloom.services import access, accounts
from worldloom.services.asking import By, Whom
from worldloom_sdk.protocol.messages import Role, Scope

NOW = 1_700_000_000_000
MINUTE = 60_000


def key(name: str) -> bytes:
    """The hash of the first token of whoever has this name."""
    return hashlib.sha256(name.encode()).digest()


def add(tx: Tx, name: str, role: Role = Role.RESIDENT) -> int:
    """A new account."""
    account = accounts.register(tx, accounts.Register(name, key(name), NOW)).account
    tx.set_role(account, role)
    return account


def bot(tx: Tx, owner: int, name: str, *scopes: Scope) -> access.Secret:
    """A new key of a bot."""
    return access.make_bot(tx, access.MakeBot(owner, name, frozenset(scopes), NOW))


def by(tx: Tx, name: str, scopes: frozenset[Scope] | None = None) -> By:
    """Somebody who asks, by name; the role that is claimed is never the one that counts."""
    row = tx.account_by_skeleton(clean_name(name).skeleton)
    assert row is not None
    return By(row.account, name, Role.OWNER, scopes)


def named(name: str) -> Whom:
    """Somebody it is about, by name."""
    return Whom(name=name)
