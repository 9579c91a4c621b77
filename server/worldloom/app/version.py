"""Which version of Worldloom this is. Knows how it was installed, no more."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["worldloom_version"]


def worldloom_version() -> str:
    """The installed version; "source" when run from a source tree that is not installed."""
    try:
        return version("worldloom")
    except PackageNotFoundError:
        return "source"
