"""The doctor's look at where the server shall listen, and at the world that may do so already."""

import errno
import socket
from pathlib import Path

from worldloom.cli.running import health_of, is_of, warnings_of
from worldloom.cli.verdict import Check, State
from worldloom.config import ServerConfig

__all__ = ["check_port"]

_ADVICE = {
    errno.EACCES: "ports below 1024 need a right: choose a --port from 1024 on behind a proxy that has it, or give it "
    "to the service (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)",
    errno.EADDRNOTAVAIL: "no address of this machine: choose another --host, 0.0.0.0 for all that it has",
}
_TAKEN = "if that is your world, worldloom status shows it; else choose another --port"


def check_port(server: ServerConfig, data: Path) -> Check:
    """The port can be listened on, or the world of this data folder does so already."""
    host, port = server.host, server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return _taken(server, data, error)
    return Check(State.OK, "port", f"{host}:{port} is free")


def _taken(server: ServerConfig, data: Path, error: OSError) -> Check:
    where, health = f"{server.host}:{server.port}", health_of(server)
    if health is None:
        advice = _ADVICE.get(error.errno or 0, _TAKEN)
        return Check(State.FAIL, "port", f"{where}: {error.strerror or error}", advice)
    is_own = is_of(health, data)
    if is_own:
        return _running(where, warnings_of(health))
    told = f"{where}: a world named {str(health['world'])!r} is running"
    if is_own is None:
        advice = "is it the one of this data folder? worldloom status shows it"
        return Check(State.WARN, "port", told, advice, closing="A world is running: worldloom status")
    return Check(State.FAIL, "port", f"{told}, of another data folder", "choose another --port, or --data")


def _running(where: str, warnings: list[str]) -> Check:
    found, closing = f"{where}: the world is running", "Well: the world is running"
    if not warnings:
        return Check(State.OK, "port", found, closing=closing)
    advice = "it warns of that itself; its log says more"
    return Check(State.WARN, "port", f"{found}; {'; '.join(warnings)}", advice, closing=closing)
