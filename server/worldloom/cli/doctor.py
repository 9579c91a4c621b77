"""``worldloom doctor``: checks the installation and says what to do. Changes nothing, needs no extra."""

import argparse
import os
import shlex
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from worldloom.cli.database import check_database, has_world
from worldloom.cli.generator import check_generator
from worldloom.cli.port import check_port
from worldloom.cli.settings import (
    SPARE_FILES,
    add_config_option,
    add_data_option,
    add_listen_options,
    config_of,
)
from worldloom.cli.verdict import Check, State
from worldloom.config import Config, ignored_variables
from worldloom.errors import ConfigError
from worldloom.persistence.backups import BACKUPS_FOLDER, newest
from worldloom.persistence.rights import denied, owner_hint, owner_name

__all__ = [
    "add_arguments",
    "check_backup",
    "check_clock",
    "check_data",
    "check_disk",
    "check_door",
    "check_environment",
    "check_files",
    "check_packages",
    "check_secrets",
    "check_sqlite",
    "check_tls",
    "checks",
    "run",
]

SERVER_PACKAGES = {
    "sqlalchemy": "SQLAlchemy",
    "alembic": "alembic",
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
    "httptools": "httptools",
    "aiomqtt": "aiomqtt",
    "prometheus_client": "prometheus-client",
    "rich": "rich",
}
"""Module to distribution: what ``worldloom[server-light]`` brings and the server cannot do without."""
UVICORN_SERIES = "0.54."
"""The hand-over of an upgraded connection is bound to it."""
WAL_FAULT = (3, 7, 0), (3, 51, 2)
"""First and last SQLite version in which two connections that write and checkpoint at once may corrupt."""
NOT_BEFORE_UNIX_S = 1_767_225_600
"""2026-01-01: a clock that says less was never set."""
OLD_BACKUP_DAYS = 7
LOW_DISK_BYTES, NO_DISK_BYTES = 2 * 2**30, 200 * 2**20

_INSTALL = "python -m pip install 'worldloom[server]'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--config``, ``--data`` and where the server listens, as for ``serve``."""
    add_config_option(parser)
    add_data_option(parser)
    add_listen_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print every check; 1 if one failed."""
    found = list(checks(config_of(args)))
    colours = {State.OK: "\x1b[32m", State.WARN: "\x1b[33m", State.FAIL: "\x1b[31m"}
    for check in found:
        label = f"{check.state:4}"
        if sys.stdout.isatty():
            label = f"{colours[check.state]}{label}\x1b[0m"
        print(f"{label}  {check.name:12} {check.found}")
        if check.advice:
            print(f"{'':18} -> {check.advice}")
    failed = sum(check.state is State.FAIL for check in found)
    well = next((check.closing for check in found if check.closing), "Ready: worldloom serve")
    print(f"\n{failed} of {len(found)} checks failed." if failed else f"\n{well}")
    return 1 if failed else 0


def checks(config: Config) -> Iterator[Check]:
    """Every check, in the order in which things are needed; one that may not look says so, and fails."""
    for name, look in _looks(config).items():
        try:
            yield look()
        except PermissionError as error:
            yield Check(State.FAIL, name, denied(error))


def _looks(config: Config) -> dict[str, Callable[[], Check]]:
    """Every check by the name under which it is shown."""
    data, server = config.data_path, config.server
    uses_sqlite = not config.storage.url.startswith("postgresql")
    return {
        "python": lambda: check_python(sys.version_info[:3]),
        "packages": lambda: check_packages(SERVER_PACKAGES),
        "environment": lambda: check_environment(os.environ),
        "uvloop": check_uvloop,
        "torch": check_torch,
        "generator": lambda: check_generator(config.worldgen),
        "sqlite": lambda: check_sqlite(sqlite3.sqlite_version_info, uses_sqlite=uses_sqlite),
        "data": lambda: check_data(data),
        "database": lambda: check_database(config.storage_url),
        "secrets": lambda: check_secrets(config),
        "door": lambda: check_door(config),
        "backup": lambda: check_backup(data, time.time()),
        "disk": lambda: check_disk(data),
        "port": lambda: check_port(server, data),
        "tls": lambda: check_tls(server.tls_cert, server.tls_key, time.time()),
        "open files": lambda: check_files(server.max_connections + SPARE_FILES),
        "clock": lambda: check_clock(time.time()),
    }


def check_python(running: tuple[int, int, int]) -> Check:
    """Python is 3.11 or later."""
    text = ".".join(map(str, running))
    if running >= (3, 11):
        return Check(State.OK, "python", text)
    return Check(State.FAIL, "python", text, "Python 3.11 or later is needed")


def check_packages(packages: dict[str, str]) -> Check:
    """The server's libraries are installed, and uvicorn is of the series that the socket is built on."""
    missing = [name for module, name in packages.items() if find_spec(module) is None]
    if missing:
        return Check(State.FAIL, "packages", f"missing: {', '.join(missing)}", _INSTALL)
    versions = {name: version(name) for name in packages.values()}
    if not versions.get("uvicorn", UVICORN_SERIES).startswith(UVICORN_SERIES):
        found = f"uvicorn {versions['uvicorn']}, expected {UVICORN_SERIES}*"
        return Check(State.FAIL, "packages", found, f"{_INSTALL} --upgrade")
    return Check(State.OK, "packages", ", ".join(f"{name} {number}" for name, number in versions.items()))


def check_environment(environ: Mapping[str, str]) -> Check:
    """No variable looks like a setting and is none."""
    ignored = ignored_variables(environ)
    if ignored:
        advice = "rename it, or take it away: it sets nothing"
        return Check(State.WARN, "environment", "; ".join(ignored), advice)
    return Check(State.OK, "environment", "every WORLDLOOM_ variable is a setting")


def check_uvloop() -> Check:
    """The faster event loop is there."""
    if find_spec("uvloop") is None:
        return Check(
            State.WARN, "uvloop", "absent: asyncio's own event loop", "pip install uvloop serves more clients"
        )
    return Check(State.OK, "uvloop", version("uvloop"))


def check_torch() -> Check:
    """Torch is there; only a trained generator needs it. Asks without importing, which takes seconds."""
    try:
        return Check(State.OK, "torch", version("torch"))
    except PackageNotFoundError:
        return Check(State.OK, "torch", "absent: land is made by noise, the trained generator needs it")


def check_sqlite(running: tuple[int, int, int], *, uses_sqlite: bool = True) -> Check:
    """SQLite is free of its WAL fault, or the operator knows what keeps it away."""
    text = ".".join(map(str, running))
    if not uses_sqlite:
        return Check(State.OK, "sqlite", f"{text}, not used: storage.url names PostgreSQL")
    first, last = WAL_FAULT
    if not first <= running <= last:
        return Check(State.OK, "sqlite", text)
    return Check(
        State.WARN,
        "sqlite",
        f"{text} may corrupt a WAL file when two connections write and checkpoint at once (mended in 3.51.3)",
        "the server writes and checkpoints on one connection only, so it is safe as long as no other program "
        "opens world.db while it runs; a Python linked with SQLite 3.51.3 or later removes the fault",
    )


def check_data(data: Path) -> Check:
    """The data folder can be written to and is closed to others."""
    folder = _nearest_folder(data)
    try:
        probe = folder / f".worldloom-doctor-{time.monotonic_ns()}"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        advice = f"choose another --data, or: {owner_hint(folder)}"
        return Check(State.FAIL, "data", f"{folder}: {error.strerror}", advice)
    if folder != data:
        return Check(State.OK, "data", f"{data} will be made at first start")
    mode = stat.S_IMODE(data.stat().st_mode)
    if sys.platform != "win32" and mode & 0o077:
        return Check(State.WARN, "data", f"{data} is open to others ({mode:04o})", f"chmod 700 {data}")
    return Check(State.OK, "data", str(data))


def check_secrets(config: Config) -> Check:
    """Files with secrets are there, and can be read by their owner alone; a world that was served has its own."""
    from worldloom.app.secrets import NEW_SECRETS, SECRETS_FILE, mode_fault, read_secret_file

    own = config.data_path / SECRETS_FILE
    faults = [fault for path in (own, _path(config.server.tls_key)) if path and (fault := mode_fault(path))]
    try:
        # The key is read, and spoken of, with its certificate.
        needed = [own] if own.exists() else []
        needed += filter(None, [_path(config.mqtt.password_file if config.mqtt.enabled else "")])
        for path in needed:
            read_secret_file(path)
    except ConfigError as fault:
        faults.append(str(fault))
    if faults:
        return Check(State.FAIL, "secrets", "; ".join(dict.fromkeys(faults)))
    if own.exists():
        return Check(State.OK, "secrets", "closed to others")
    if has_world(config.storage_url):
        advice = "before the next start, put it back from a backup, or name its folder with --data"
        return Check(State.WARN, "secrets", f"{own}: {NEW_SECRETS}", advice)
    return Check(State.OK, "secrets", "will be made at first start")


def check_door(config: Config) -> Check:
    """The password that newcomers must know can be read, where one is asked for."""
    from worldloom.app.secrets import read_password

    if config.access.mode == "password":
        try:
            read_password(Path(config.access.password_file))
        except ConfigError as fault:
            return Check(State.FAIL, "door", str(fault), "access.password_file names it")
    return Check(State.OK, "door", f"access.mode is {config.access.mode!r}")


def check_backup(data: Path, unix_s: float) -> Check:
    """A world that was served has a backup that is not old, in a folder of its own user."""
    from worldloom.app.secrets import SECRETS_FILE

    folder = data / BACKUPS_FOLDER
    if folder.is_dir() and (owner := owner_name(folder)) != (whose := owner_name(data)):
        advice = f"sudo chown -R {whose}: {shlex.quote(str(folder))}"
        return Check(State.FAIL, "backup", f"{folder} belongs to {owner}, the world to {whose}", advice)
    made = newest(folder)
    advice = "worldloom backup, best by a timer; leave it so if you keep backups elsewhere"
    if made is None:
        if not (data / SECRETS_FILE).exists():
            return Check(State.OK, "backup", "nothing to back up yet")
        return Check(State.WARN, "backup", f"none in {folder}", advice)
    days = max(0.0, unix_s - made) / 86_400
    text = f"the last one in {folder} is {days:.1f} days old"
    return (
        Check(State.OK, "backup", text)
        if days <= OLD_BACKUP_DAYS
        else Check(State.WARN, "backup", text, advice)
    )


def check_disk(data: Path) -> Check:
    """There is room for the world to grow."""
    free = shutil.disk_usage(_nearest_folder(data)).free
    text = f"{free / 2**30:.1f} GiB free"
    if free < NO_DISK_BYTES:
        return Check(State.FAIL, "disk", text, "free some: the database cannot grow")
    if free < LOW_DISK_BYTES:
        return Check(
            State.WARN, "disk", text, "each region that is woven takes some tens of kB: make room in time"
        )
    return Check(State.OK, "disk", text)


def check_tls(cert: str, key: str, unix_s: float) -> Check:
    """Certificate and key can be used, as the server will, and hold for a while."""
    from worldloom.gateway.listening import open_tls
    from worldloom.gateway.validity import validity_of

    if not cert:
        return Check(State.OK, "tls", "off; beyond this network, put it behind TLS")
    try:
        open_tls(cert, key)
    except ConfigError as fault:
        return Check(State.FAIL, "tls", str(fault), "the server does not start with them")
    validity = validity_of(Path(cert).read_bytes())
    if validity is None or not (warning := validity.warning(unix_s)):
        return Check(State.OK, "tls", cert)
    state = State.FAIL if validity.fault(unix_s) else State.WARN
    advice = "renew it; a server that runs takes up the new files by itself, within half a minute"
    return Check(state, "tls", f"{cert}: {warning}", advice)


def check_files(needed: int) -> Check:
    """As many files can be open as connections are allowed; the server raises the soft limit itself."""
    try:
        import resource
    except ImportError:
        return Check(State.OK, "open files", "no such limit here")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= needed:
        return Check(State.OK, "open files", f"{needed} needed, the limit allows them")
    advice = f"ulimit -Hn {needed} (systemd: LimitNOFILE={needed}), or lower server.max_connections"
    return Check(State.FAIL, "open files", f"{needed} needed, hard limit {hard}", advice)


def check_clock(unix_s: float) -> Check:
    """The clock was set."""
    text = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(unix_s))
    if unix_s >= NOT_BEFORE_UNIX_S:
        return Check(State.OK, "clock", text)
    return Check(State.FAIL, "clock", text, "set the clock: world time, leases and certificates depend on it")


def _nearest_folder(path: Path) -> Path:
    """The folder itself, or the nearest one above that exists."""
    absolute = path.absolute()
    return path if path.is_dir() else next(folder for folder in absolute.parents if folder.is_dir())


def _path(text: str) -> Path | None:
    return Path(text) if text else None
