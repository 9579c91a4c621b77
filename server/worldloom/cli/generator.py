"""The doctor's look at what is to make the land: asks what ``serve`` asks, and never imports torch."""

from worldloom.cli.verdict import Check, State
from worldloom.config import WorldgenConfig
from worldloom.errors import ConfigError
from worldloom.worldgen.sources import lacking, make_stylist, settled

__all__ = ["check_generator"]


def check_generator(config: WorldgenConfig) -> Check:
    """The generator is installed, and its weights can be read; says what "auto" comes to, and why."""
    try:
        # All that a start asks but to build the net: a trained one reads its weights for its styles.
        make_stylist(config.generator, 0, config.weights)
    except ConfigError as fault:
        return Check(State.FAIL, "generator", str(fault), "the server does not start with it")
    became = settled(config.generator, config.weights)
    if config.generator != "auto":
        return Check(State.OK, "generator", became)
    needs = " and ".join(lacking(bool(config.weights)))
    why = f"the trained generator needs {needs}" if needs else "the trained generator is installed"
    return Check(State.OK, "generator", f"auto: {became}, for {why}")
