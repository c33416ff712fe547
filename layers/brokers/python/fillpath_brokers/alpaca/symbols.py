"""Symbols: Alpaca spells shares as we do (`AAPL`, `BRK.B`), and has nothing else that we trade there."""

from fillpath_brokers.alpaca.capabilities import CAPABILITIES, NAME
from fillpath_brokers.canonical import as_spelled, instrument_behind, require_traded


def to_venue(symbol: str) -> str:
    """Alpaca's name of a share of ours; Unsupported if it is none."""
    require_traded(instrument_behind(symbol), CAPABILITIES, NAME)
    return symbol


def to_canonical(symbol: str) -> str:
    """Our spelling of Alpaca's name; Unsupported if the catalogue does not know it."""
    return to_venue(symbol)


def shown(symbol: str) -> str:
    """Our spelling; what the catalogue does not know (a coin, an option) as Alpaca spells it."""
    return as_spelled(to_canonical, symbol)
