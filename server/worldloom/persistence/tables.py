"""Tables: what SQL remembers, as SQLAlchemy Core metadata. Knows no connection and no query.

Times are Unix milliseconds. Positions are wire units: x and z in 1/64 m, y in 1/16 m, yaw in 1/256 turns.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
)

from worldloom.persistence.land_tables import deed, estate, register, seal, unsealed, zone
from worldloom.persistence.metadata import metadata
from worldloom.persistence.money_tables import granted, pending, posting, purse, receipt, transfer

__all__ = [
    "account",
    "audit",
    "code",
    "content",
    "deed",
    "estate",
    "granted",
    "metadata",
    "overlay",
    "pending",
    "posting",
    "purse",
    "receipt",
    "register",
    "report",
    "sanction",
    "seal",
    "shun",
    "style",
    "tile",
    "token",
    "transfer",
    "unsealed",
    "world",
    "zone",
]

world = Table(
    "world",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("world_id", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("length(world_id) = 32", name="world_id_length"),
    CheckConstraint("seed >= 0", name="seed_positive"),
)
"""The world itself: one row."""

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("skeleton", String(255), nullable=False, unique=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("place_x", Integer),
    Column("place_z", Integer),
    Column("place_y", SmallInteger),
    Column("place_yaw", SmallInteger),
    Column("role", String(16), nullable=False, server_default="resident"),
    Column("owner_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), index=True),
    Column("hidden", SmallInteger, nullable=False, server_default="0"),
    Column("seen_ms", BigInteger, nullable=False, server_default="0"),
    Column("look", LargeBinary),
    Column("findable", SmallInteger, nullable=False, server_default="1"),
    CheckConstraint("role IN ('resident', 'moderator', 'owner')", name="role_known"),
    CheckConstraint("owner_id <> id", name="owner_other"),
    CheckConstraint("hidden IN (0, 1)", name="hidden_bool"),
    CheckConstraint("length(look) BETWEEN 5 AND 16", name="look_length"),
    CheckConstraint("findable IN (0, 1)", name="findable_bool"),
    CheckConstraint("id BETWEEN 1 AND 2147483647", name="id_range"),
    CheckConstraint("length(name) > 0", name="name_length"),
    CheckConstraint("length(skeleton) > 0", name="skeleton_length"),
    CheckConstraint(
        "(place_x IS NULL) = (place_z IS NULL) AND (place_x IS NULL) = (place_y IS NULL)"
        " AND (place_x IS NULL) = (place_yaw IS NULL)",
        name="place_whole",
    ),
    CheckConstraint("place_x BETWEEN -2147483648 AND 2147483647", name="place_x_range"),
    CheckConstraint("place_z BETWEEN -2147483648 AND 2147483647", name="place_z_range"),
    CheckConstraint("place_y BETWEEN -32768 AND 32767", name="place_y_range"),
    CheckConstraint("place_yaw BETWEEN 0 AND 255", name="place_yaw_range"),
    # Ids are avatar ids on the wire: one that was erased is not given to somebody else.
    sqlite_autoincrement=True,
)
"""People and bots that come back, with the place where each was last; ``owner_id``: whose bot it is.

``look``: as on the wire; NULL for who never chose one.
"""

token = Table(
    "token",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("label", String(64), nullable=False, server_default=""),
    Column("scopes", String(128)),
    Column("used_ms", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("length(token_sha256) = 32", name="sha256_length"),
)
"""What proves who one is; the token itself is never stored. ``scopes``: words with commas between; NULL: all."""

code = Table(
    "code",
    metadata,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), index=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),
    Column("uses", Integer, nullable=False),
    Column("token_sha256", LargeBinary, ForeignKey("token.token_sha256", ondelete="SET NULL"), index=True),
    CheckConstraint("length(code_sha256) = 32", name="sha256_length"),
    CheckConstraint("kind IN ('recovery', 'pairing', 'invitation')", name="kind_known"),
    CheckConstraint("(kind = 'invitation') = (account_id IS NULL)", name="account_given"),
    CheckConstraint("uses >= 0", name="uses_left"),
)
"""Codes that open something a few times, by hash: an account (recovery, pairing) or the door (invitation).

``token_sha256``: made from it, and nobody has been heard who came with it.
"""

sanction = Table(
    "sanction",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), index=True),
    Column("network", String(49), index=True),
    Column("reason", String(500), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),
    Column("by_id", Integer, ForeignKey("account.id", ondelete="SET NULL")),
    Column("by_name", String(64), nullable=False),
    CheckConstraint("kind IN ('ban', 'mute')", name="kind_known"),
    CheckConstraint("(account_id IS NULL) <> (network IS NULL)", name="one_subject"),
)
"""Bans and mutes in force, or over since ``until_ms``; one that is taken back is deleted (the audit log has it)."""

shun = Table(
    "shun",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("reach", SmallInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("account_id <> other_id", name="other"),
    CheckConstraint("reach IN (0, 1)", name="reach_known"),
)
"""Personal blocks: who wants nothing of whom. Works both ways."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("by_id", Integer),
    Column("by_name", String(64), nullable=False),
    Column("act", String(16), nullable=False),
    Column("account_id", Integer),
    Column("about", String(64), nullable=False),
    Column("network", String(49)),
    Column("detail", String(1000), nullable=False),
    Column("until_ms", BigInteger),
    CheckConstraint("length(act) > 0", name="act_length"),
    sqlite_autoincrement=True,
)
"""Every privileged act, appended only (triggers), in the order of commits. Hosts follow it to put acts in force."""

report = Table(
    "report",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("by_id", Integer),
    Column("by_name", String(64), nullable=False),
    Column("account_id", Integer),
    Column("about", String(64), nullable=False),
    Column("detail", String(500), nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Column("closed_ms", BigInteger),
    CheckConstraint("length(seal) = 32", name="seal_length"),
    sqlite_autoincrement=True,
)
"""What people reported, with what they had been sent before, sealed; so numbers of accounts stay as they were."""

content = Table(
    "content",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(127), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    CheckConstraint("length(sha256) = 64", name="sha256_length"),
)
"""Immutable bytes, named by the sha256 of what they are."""

tile = Table(
    "tile",
    metadata,
    Column("rx", Integer, primary_key=True, autoincrement=False),
    Column("rz", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), ForeignKey("content.sha256"), nullable=False, index=True),
    Column("source", String(64), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("edges", LargeBinary),
    CheckConstraint("rx BETWEEN -32767 AND 32767", name="rx_range"),
    CheckConstraint("rz BETWEEN -32767 AND 32767", name="rz_range"),
)
"""The land of a region; the first stored stays."""

style = Table(
    "style",
    metadata,
    Column("rx", Integer, primary_key=True, autoincrement=False),
    Column("rz", Integer, primary_key=True, autoincrement=False),
    Column("style", LargeBinary, nullable=False),
    Column("words", String(500), nullable=False, server_default=""),
    Column("made_ms", BigInteger, nullable=False),
    CheckConstraint("rx BETWEEN -32767 AND 32767", name="rx_range"),
    CheckConstraint("rz BETWEEN -32767 AND 32767", name="rz_range"),
    CheckConstraint("length(style) BETWEEN 1 AND 1024", name="style_length"),
)
"""What a region is to be like, stored before anything is woven by it, never changed. ``words`` chose it."""

overlay = Table(
    "overlay",
    metadata,
    Column("rx", Integer, primary_key=True, autoincrement=False),
    Column("rz", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("edited_ms", BigInteger, nullable=False),
    CheckConstraint("rx BETWEEN -32767 AND 32767", name="rx_range"),
    CheckConstraint("rz BETWEEN -32767 AND 32767", name="rz_range"),
    CheckConstraint("version BETWEEN 1 AND 4294967295", name="version_range"),
)
"""What people changed of a region's ground, its borders included: so a region whose land is not made has a row when a
border that it shares was edited. Never deleted: its versions go on."""
