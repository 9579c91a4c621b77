"""Configuration: every key with type, bounds, unit and default; how file, environment and options join.

Owns the sections and ``load``. Knows nothing of who uses a section: they are frozen, read once, handed down.
"""

import difflib
import ipaddress
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from worldloom.errors import ConfigError

__all__ = [
    "ENV_PREFIX",
    "AccessConfig",
    "Config",
    "LandConfig",
    "LimitsConfig",
    "LogConfig",
    "MoneyConfig",
    "MqttConfig",
    "ServerConfig",
    "SessionConfig",
    "StorageConfig",
    "SyncConfig",
    "WorldConfig",
    "WorldgenConfig",
    "expectation",
    "ignored_variables",
    "is_secret",
    "load",
]

ENV_PREFIX = "WORLDLOOM_"
"""``WORLDLOOM_SERVER__PORT=9000`` sets ``server.port``. Names without a double underscore are not read."""
_OTHERS = (f"{ENV_PREFIX}TEST_", f"{ENV_PREFIX}KEY")
"""Of the tests, and of bots: the key that the SDK reads."""
_TOPIC = r"^[^#+\x00/]+(/[^#+\x00/]+)*$"
_TOPIC_WORDS = {"expected": "topic levels like worldloom or home/worldloom, without # and +"}


def _doc(text: str) -> Meta:
    return Meta(description=text)


def _named(text: str) -> Meta:
    return Meta(description=text, min_length=1)


def _span(low: float, high: float, text: str) -> Meta:
    return Meta(description=text, ge=low, le=high)


def _secret(text: str) -> Meta:
    return Meta(description=text, extra={"secret": True})


class ServerConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the world listens, who may connect, and where its data lies."""

    host: Annotated[str, _named("Address to listen on. 0.0.0.0: every IPv4 address.")] = "0.0.0.0"
    port: Annotated[int, _span(0, 65535, "TCP port of HTTP and WebSocket. 0: any.")] = 8420
    tls_cert: Annotated[str, _doc("PEM file of the certificate chain. Empty: no TLS.")] = ""
    tls_key: Annotated[str, _doc("PEM file of the certificate's private key.")] = ""
    data: Annotated[str, _named("Folder of database and secrets; made at first start.")] = "worldloom-data"
    trusted_proxies: Annotated[
        tuple[str, ...], _doc("Addresses or networks whose X-Forwarded-For is believed.")
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...], _doc("Web origins besides this server's own that may connect.")
    ] = ()
    handshake_timeout_s: Annotated[float, _span(1, 60, "Seconds for a request's headers to arrive.")] = 10.0
    max_connections: Annotated[int, _span(1, 100_000, "Open sockets in all.")] = 4_000
    connections_per_address: Annotated[
        int, _span(1, 100_000, "Open sockets of one IPv4 address or one IPv6 /64.")
    ] = 64


class WorldConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The world itself. Name and seed are written down at first start and then come from the database."""

    name: Annotated[str, Meta(min_length=1, max_length=64, description="The name that clients are told.")] = (
        "Worldloom"
    )
    seed: Annotated[int, _span(-1, 2**63 - 1, "What the land grows from. -1: drawn at first start.")] = -1
    spawn_x_m: Annotated[
        float, _span(-8_388_000, 8_388_000, "Metres east of the origin; where newcomers are set down.")
    ] = 0.0
    spawn_z_m: Annotated[float, _span(-8_388_000, 8_388_000, "Metres south of the origin; likewise.")] = 0.0
    spawn_radius_m: Annotated[float, _span(0, 256, "Metres; newcomers are spread over this circle.")] = 8.0
    speed_m_per_s: Annotated[float, _span(1, 100, "Horizontal speed limit, metres a second.")] = 12.0
    climb_m_per_s: Annotated[float, _span(1, 100, "Vertical speed limit, metres a second.")] = 20.0


class SessionConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is in the world, and for how long without a connection."""

    hello_timeout_s: Annotated[float, _span(1, 60, "Seconds from the handshake to a whole Hello.")] = 10.0
    resume_s: Annotated[float, _span(0, 600, "Seconds a lost connection can be resumed; the body stays.")] = (
        30.0
    )
    max_sessions: Annotated[int, _span(1, 100_000, "People and bots in the world.")] = 4_000
    joins_per_s: Annotated[int, _span(1, 100_000, "Welcomes a second; more must wait.")] = 200


class AccessConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may come in. Who has an account may, in any mode but closed; staff may always."""

    mode: Annotated[
        Literal["open", "invitation", "password", "closed"],
        _doc("open: everybody; invitation, password: newcomers need one; closed: staff alone."),
    ] = "open"
    password_file: Annotated[str, _doc("File whose first line is the password, for the mode password.")] = ""
    links: Annotated[bool, _doc("Whether who comes by a link to a place, /@x,z, is set down there.")] = True
    greeting: Annotated[str, Meta(max_length=500, description="What everybody is told who comes in.")] = ""


class SyncConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client is sent of the world around it, and how fast."""

    bytes_per_second_per_client: Annotated[
        int, _span(0, 100_000_000, "Payload bytes a second to each client. 0: no budget.")
    ] = 64_000
    view_cells: Annotated[int, _span(1, 4, "Cells of 32 m seen in each direction; 2: 5 x 5 cells.")] = 2
    write_buffer_bytes: Annotated[
        int,
        _span(
            4_096, 16_777_216, "Bytes unsent to a client above which it is sent nothing until it has read."
        ),
    ] = 65_536
    drain_timeout_s: Annotated[
        float, _span(1, 300, "Seconds such a client has to read before it is closed.")
    ] = 15.0


class LimitsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What one connection or address may ask for; who insists is closed."""

    moves_per_s: Annotated[int, _span(1, 1_000, "Moves a second and connection.")] = 30
    commands_per_s: Annotated[int, _span(1, 1_000, "Commands a second and connection.")] = 10
    says_per_10s: Annotated[int, _span(1, 10_000, "Spoken lines in 10 s and connection.")] = 8
    text_chars: Annotated[int, _span(1, 500, "Characters of a spoken line.")] = 500
    wrong_commands: Annotated[int, _span(1, 10_000, "Wrong commands after which a connection is closed.")] = (
        10
    )
    accounts_per_hour: Annotated[int, _span(1, 100_000, "New accounts an hour and address.")] = 100
    http_requests_per_s: Annotated[int, _span(1, 100_000, "HTTP requests a second and address.")] = 50


class StorageConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Where everything durable lies."""

    url: Annotated[
        str, _secret("postgresql+psycopg://USER@HOST/DATABASE. Empty: SQLite in the data folder.")
    ] = ""
    places_every_s: Annotated[float, _span(1, 60, "Seconds between two savings of where people are.")] = 5.0
    queue_limit: Annotated[
        int, _span(16, 1_000_000, "Writes waiting for the database; what comes on top is refused as busy.")
    ] = 10_000


class WorldgenConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What makes the land, and how much may wait for it."""

    generator: Annotated[
        Literal["auto", "gan", "noise"],
        _doc(
            "gan: trained on real elevation, needs torch and weights; noise: hills without; "
            "auto: gan where torch and weights are."
        ),
    ] = "auto"
    weights: Annotated[
        str,
        _doc("File of the trained generator's model, if it is to be another than the one that comes along."),
    ] = ""
    worker: Annotated[
        Literal["thread", "process"],
        _doc("Where it runs. thread: in the server; process: beside it, so that its crash costs one region."),
    ] = "thread"
    queue_limit: Annotated[int, _span(1, 100_000, "Regions waiting to be made.")] = 1_024
    per_account: Annotated[int, _span(1, 100_000, "Of them asked for by one account.")] = 64
    ahead_s: Annotated[
        float, _span(0, 600, "Seconds that people's ways are followed, to make the land on them in time.")
    ] = 45.0
    deadline_s: Annotated[
        float, _span(0.1, 600, "Seconds for one region to be made; then noise fills in.")
    ] = 5.0
    niceness: Annotated[
        int, _span(0, 19, "How far making land gives way to all else on the machine; 0: not at all. Linux.")
    ] = 19
    memory_regions: Annotated[int, _span(25, 100_000, "Regions kept in memory; about 100 kB each.")] = 1_024


class LandConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may own land, how much of it, and what the world asks for it."""

    claim: Annotated[
        Literal["zones", "anywhere", "nowhere"],
        _doc("Where the world sells land. zones: in regions that were opened (worldloom land open)."),
    ] = "zones"
    price: Annotated[
        int, _span(0, 10**11, "Of a parcel of 16 m x 16 m with anywhere, in minor units (100: one coin).")
    ] = 1_000
    claim_max: Annotated[int, _span(1, 4_096, "Parcels claimed at once; a whole region has 256.")] = 256
    estate_max: Annotated[int, _span(1, 65_536, "Parcels of one estate.")] = 4_096
    owner_max: Annotated[int, _span(1, 10_000_000, "Parcels of one account.")] = 65_536


class MoneyConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The world's money. Amounts are whole minor units, such as hundredths of a crown."""

    name: Annotated[str, Meta(min_length=1, max_length=32, description="What a coin is called.")] = "crown"
    plural: Annotated[
        str,
        Meta(max_length=32, description="What several are called. Empty: crowns for crown, else as one is."),
    ] = ""
    digits: Annotated[int, _span(0, 6, "Digits after the point; 2: a coin has 100 minor units.")] = 2
    starting: Annotated[
        int, _span(0, 10**15, "Minor units granted to a newcomer, to be spent on claims only. 0: none.")
    ] = 0
    grants_per_address_per_day: Annotated[
        int, _span(0, 100_000, "Newcomers from one IPv4 address or IPv6 /64 who get it in 24 hours.")
    ] = 3
    fee_percent: Annotated[
        float, _span(0, 100, "Of sales and rents, to the treasury; two digits after the point count.")
    ] = 2.5
    paying: Annotated[bool, _doc("Whether people may pay each other.")] = True

    @property
    def several(self) -> str:
        """What several coins are called."""
        return self.plural or ("crowns" if self.name == "crown" else self.name)

    @property
    def fee_hundredths(self) -> int:
        """The fee in hundredths of a percent, a whole number."""
        return round(self.fee_percent * 100)


class MqttConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Public events for dashboards and devices, sent to an MQTT 3.1.1 broker."""

    enabled: Annotated[bool, _doc("Whether public events are published.")] = False
    host: Annotated[str, _named("The broker's name or address.")] = "127.0.0.1"
    port: Annotated[int, _span(1, 65535, "The broker's TCP port; 8883 is usual with TLS.")] = 1883
    username: Annotated[str, _doc("Name to sign in with at the broker. Empty: none.")] = ""
    password_file: Annotated[str, _doc("File whose first line is the password.")] = ""
    world_topic: Annotated[
        str,
        Meta(max_length=128, pattern=_TOPIC, description="First levels of every topic.", extra=_TOPIC_WORDS),
    ] = "worldloom"
    outbox_limit: Annotated[
        int, _span(1, 1_000_000, "Events kept while the broker is away; the oldest go first.")
    ] = 10_000
    tls: Annotated[bool, _doc("Whether the broker is spoken to over TLS.")] = False


class LogConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What is written to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], _doc("The least level written.")] = "info"
    format: Annotated[Literal["text", "json"], _doc("text: for people; json: one object a line.")] = "text"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole configuration, one field a section."""

    server: ServerConfig = ServerConfig()
    world: WorldConfig = WorldConfig()
    session: SessionConfig = SessionConfig()
    access: AccessConfig = AccessConfig()
    sync: SyncConfig = SyncConfig()
    limits: LimitsConfig = LimitsConfig()
    storage: StorageConfig = StorageConfig()
    worldgen: WorldgenConfig = WorldgenConfig()
    land: LandConfig = LandConfig()
    money: MoneyConfig = MoneyConfig()
    mqtt: MqttConfig = MqttConfig()
    log: LogConfig = LogConfig()

    @property
    def data_path(self) -> Path:
        """The data folder."""
        return Path(self.server.data)

    @property
    def storage_url(self) -> str:
        """The database's URL, spelled out where ``storage.url`` is empty. May hold a password."""
        return self.storage.url or f"sqlite:///{self.data_path / 'world.db'}"


def load(path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Config:
    """Join defaults, file, environment and options; the later wins.

    Args:
        path: A TOML file, or None for none.
        environ: Environment variables; those that begin with ``ENV_PREFIX`` and name a section are read.
        overrides: Values of options by dotted key, ``{"server.port": 9000}``; None means not given.

    Raises:
        ConfigError: A key is unknown or out of bounds: which, where it came from, expected and got.
    """
    values: dict[str, dict[str, object]] = {}
    for key, value, origin in (*_from_file(path), *_from_environ(environ), *_from_options(overrides)):
        section, name = _known(key, origin)
        values.setdefault(section, {})[name] = _convert(key, value, origin)
    config = Config(**{name: _SECTIONS[name](**fields) for name, fields in values.items()})
    _check_together(config)
    return config


def ignored_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none, each in a line that says what to write instead.

    Those of the tests, ``WORLDLOOM_TEST_...``, and of bots, ``WORLDLOOM_KEY``, are known.
    """
    return [
        f"{name} is not read: expected {ENV_PREFIX}SECTION__KEY, with two underscores{_instead(name)}"
        for name in sorted(environ)
        if name.startswith(ENV_PREFIX) and "__" not in name and not name.startswith(_OTHERS)
    ]


def expectation(key: str) -> str:
    """What a value of the key must be, in words: "an integer from 0 to 65535".

    Raises:
        KeyError: There is no such key.
    """
    extra = _extra(key)
    return str(extra.get("expected") or _in_words(msgspec.inspect.type_info(_TYPES[key])))


def is_secret(key: str) -> bool:
    """Whether the key's value must not be printed.

    Raises:
        KeyError: There is no such key.
    """
    return bool(_extra(key).get("secret"))


def _extra(key: str) -> dict[Any, Any]:
    return next(meta.extra or {} for meta in get_args(_TYPES[key]) if isinstance(meta, Meta))


_SECTIONS: dict[str, Any] = {field.name: field.type for field in msgspec.structs.fields(Config)}
_TYPES: dict[str, Any] = {
    f"{section}.{field.name}": field.type
    for section, kind in _SECTIONS.items()
    for field in msgspec.structs.fields(kind)
}

_Item = tuple[str, object, str]
"""Dotted key, value, and where it came from, for people."""


def _from_file(path: Path | None) -> Iterator[_Item]:
    if path is None:
        return
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable file, got: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, got: {error}") from None
    for section, table in document.items():
        if not isinstance(table, dict):
            yield section, table, str(path)
            continue
        for name, value in table.items():
            yield f"{section}.{name}", value, str(path)


def _from_environ(environ: Mapping[str, str]) -> Iterator[_Item]:
    for variable in sorted(environ):
        if variable.startswith(ENV_PREFIX) and "__" in variable:
            key = variable.removeprefix(ENV_PREFIX).lower().replace("__", ".", 1)
            yield key, _Text(environ[variable]), f"environment variable {variable}"


def _from_options(overrides: Mapping[str, object]) -> Iterator[_Item]:
    for key, value in overrides.items():
        if value is not None:
            yield key, value, f"option --{key.split('.')[-1].replace('_', '-')}"


class _Text(str):
    """A value from the environment, where everything is text: parsed by what the key expects."""


def _known(key: str, origin: str) -> tuple[str, str]:
    if key in _TYPES:
        section, _, name = key.partition(".")
        return section, name
    section = key.partition(".")[0]
    names = [name for name in _TYPES if name.startswith(f"{section}.")]
    known = (
        f"a key of [{section}]: {', '.join(n.split('.')[1] for n in names)}"
        if names
        else (f"a section: {', '.join(_SECTIONS)}")
    )
    raise ConfigError(f"{origin}: expected {known}; got {key}{_nearest(key)}")


def _nearest(key: str) -> str:
    section, _, name = key.partition(".")
    elsewhere = [known for known in _TYPES if known.endswith(f".{name or section}")]
    close = difflib.get_close_matches(key, elsewhere or _TYPES, n=1, cutoff=0.0 if elsewhere else 0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _instead(variable: str) -> str:
    """The variable that was meant, if it can be told: by ``WORLDLOOM_SERVER_PORT`` or ``WORLDLOOM_PORT``."""
    words = variable.removeprefix(ENV_PREFIX).lower()
    meant = [key for key in _TYPES if words in (key.replace(".", "_"), key.partition(".")[2])]
    return f"; did you mean {ENV_PREFIX}{meant[0].upper().replace('.', '__')}?" if len(meant) == 1 else ""


def _convert(key: str, value: object, origin: str) -> object:
    kind = _TYPES[key]
    raw: object = value
    if isinstance(value, _Text):
        # A plain text: what is read travels far, and not everything takes a kind of text that it does not know.
        plain = str(value)
        listed = isinstance(_default(key), tuple)
        raw = [part.strip() for part in plain.split(",") if part.strip()] if listed else plain
    try:
        return msgspec.convert(raw, kind, strict=not isinstance(value, _Text))
    except msgspec.ValidationError:
        got = "a value that is not shown" if is_secret(key) else json.dumps(value, default=str)[:100]
        raise ConfigError(f"{origin}: {key}: expected {expectation(key)}; got {got}") from None


def _default(key: str) -> object:
    section, _, name = key.partition(".")
    return getattr(_SECTIONS[section](), name)


def _in_words(info: msgspec.inspect.Type) -> str:
    match info:
        case msgspec.inspect.Metadata(type=inner):
            return _in_words(inner)
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.IntType(ge=low, le=high):
            return f"an integer from {low} to {high}"
        case msgspec.inspect.FloatType(ge=low, le=high):
            return f"a number from {low:.12g} to {high:.12g}"
        case msgspec.inspect.LiteralType(values=choices):
            return "one of " + ", ".join(json.dumps(choice) for choice in sorted(map(str, choices)))
        case msgspec.inspect.VarTupleType():
            return "a list of texts"
        case msgspec.inspect.StrType(min_length=shortest, max_length=longest):
            bounds = f" of {shortest or 0} to {longest} characters" if longest else ""
            return f"text{bounds}" if longest or not shortest else "text, not empty"
    raise TypeError(f"expected a type of a configuration key, got {info}")


def _check_together(config: Config) -> None:
    server = config.server
    if bool(server.tls_cert) != bool(server.tls_key):
        given, missing = ("tls_cert", "tls_key") if server.tls_cert else ("tls_key", "tls_cert")
        raise ConfigError(
            f"server.tls_cert and server.tls_key: expected both or neither, got only {given}; "
            f"give --{missing.replace('_', '-')} (server.{missing}) too, or leave TLS to a proxy and give none"
        )
    if config.access.mode == "password" and not config.access.password_file:
        raise ConfigError(
            "access.password_file: expected a file where access.mode is password; got none; "
            "write the password to a file with mode 0600 and name it"
        )
    for proxy in server.trusted_proxies:
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError:
            raise ConfigError(
                f"server.trusted_proxies: expected networks like 10.0.0.0/8; got {json.dumps(proxy)}"
            ) from None
    for origin in server.allowed_origins:
        if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
            raise ConfigError(
                f"server.allowed_origins: expected origins like https://example.org; got {json.dumps(origin)}"
            )
    # The URL may hold a password: not shown.
    if config.storage.url and not config.storage.url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigError(
            "storage.url: expected sqlite:///PATH or postgresql+psycopg://USER@HOST/DB; got another kind"
        )
