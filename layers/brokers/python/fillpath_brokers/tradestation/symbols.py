"""Symbols: ours (`ES`, `ESZ6`, `AAPL`) to TradeStation's (`@ES`, `ESZ26`, `AAPL`) and back. Pure; what day it is comes in.

Some roots have names of their own there. A contract is written with two digits of its year; ours has one, which means the nearest
year that ends so. `@ES` is the continuous contract, for data only: it takes no orders.
"""

import re
from datetime import date
from types import MappingProxyType

from fillpath.errors import Unsupported
from fillpath.market.instruments import Instrument, instrument_of, instruments
from fillpath_brokers.canonical import as_spelled, instrument_behind, require_traded
from fillpath_brokers.tradestation.capabilities import CAPABILITIES, NAME

_ROOTS = MappingProxyType(
    {
        "6A": "AD",
        "6B": "BP",
        "6C": "CD",
        "6E": "EC",
        "6J": "JY",
        "6S": "SF",
        "NKD": "NK",
        "ZB": "US",
        "ZC": "C",
        "ZF": "FV",
        "ZN": "TY",
        "ZS": "S",
        "ZT": "TU",
        "ZW": "W",
    }
)
_OURS = MappingProxyType({theirs: ours for ours, theirs in _ROOTS.items()})
_CONTRACT = re.compile(r"^@?(?P<root>[A-Z0-9]{1,4}?)(?P<month>[FGHJKMNQUVXZ])(?P<year>\d{2})$")


def to_venue(symbol: str, today: date) -> str:
    """TradeStation's spelling of a root or contract of ours; Unsupported if it is neither a future nor a share."""
    instrument = instrument_behind(symbol)
    require_traded(instrument, CAPABILITIES, NAME)
    if not instrument.months:
        return symbol
    root = _ROOTS.get(instrument.root, instrument.root)
    if symbol == instrument.root:
        return f"@{root}"
    month, digit = symbol[-2], int(symbol[-1])
    year = today.year - 5 + (digit - (today.year - 5)) % 10
    return f"{root}{month}{year % 100:02d}"


def to_canonical(symbol: str) -> str:
    """Our spelling of TradeStation's symbol, in upper or lower case; Unsupported if the catalogue does not know it."""
    text = symbol.upper()
    if match := _CONTRACT.match(text):
        root = _OURS.get(match["root"], match["root"])
        return _known(f"{root}{match['month']}{match['year'][-1]}", symbol, future=True)
    if text.startswith("@"):
        return _known(_OURS.get(text[1:], text[1:]), symbol, future=True)
    return _known(text, symbol, future=False)


def shown(symbol: str) -> str:
    """Our spelling, or TradeStation's where the catalogue does not know it: somebody's own trade."""
    return as_spelled(to_canonical, symbol.upper())


def _known(ours: str, theirs: str, *, future: bool) -> str:
    instrument = instrument_of(ours)
    if instrument is None or bool(instrument.months) != future or not _is_plain(ours, instrument):
        raise Unsupported(f"{theirs} of TradeStation is not in the catalogue")
    require_traded(instrument, CAPABILITIES, NAME)
    return ours


def _is_plain(ours: str, instrument: Instrument) -> bool:
    return ours == instrument.root or (ours not in instruments() and ours[-2] in instrument.months)
