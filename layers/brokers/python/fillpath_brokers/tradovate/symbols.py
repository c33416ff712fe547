"""Symbols: our roots and contracts come in, Tradovate's names go out, and back.

Contracts are spelled alike, with one digit for the year (`ESZ6`, `6EZ6`). A root stands for its continuous symbol, `@ES`: there
are charts of it, and nothing to trade.
"""

from fillpath.errors import Unsupported
from fillpath_brokers.canonical import as_spelled, instrument_behind, require_traded
from fillpath_brokers.tradovate.capabilities import CAPABILITIES, NAME

_CONTINUOUS = "@"


def to_venue(symbol: str) -> str:
    """Tradovate's name of a root or contract of ours; Unsupported if it is no future."""
    instrument = instrument_behind(symbol)
    require_traded(instrument, CAPABILITIES, NAME)
    return f"{_CONTINUOUS}{symbol}" if symbol == instrument.root else symbol


def to_canonical(symbol: str) -> str:
    """Our spelling of Tradovate's name; Unsupported if the catalogue does not know it."""
    ours = symbol.removeprefix(_CONTINUOUS)
    instrument = instrument_behind(ours)
    require_traded(instrument, CAPABILITIES, NAME)
    if symbol.startswith(_CONTINUOUS) is not (ours == instrument.root):
        raise Unsupported(f"{symbol} is no symbol of Tradovate")
    return ours


def shown(symbol: str) -> str:
    """Our spelling; what the catalogue does not know (somebody's own trade) as Tradovate spells it."""
    return as_spelled(to_canonical, symbol)
