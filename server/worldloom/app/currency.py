"""Currency: how the world's money is written, by the operator's settings."""

from worldloom.config import Config
from worldloom.realm.money import Currency

__all__ = ["currency_of"]


def currency_of(config: Config) -> Currency:
    """How the world's money is written."""
    return Currency(config.money.name, config.money.digits, config.money.several)
