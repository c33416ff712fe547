"""Schwab's spelling of our symbols, both ways. Shares are spelled alike (`BRK.B` is `BRK/B` there), futures begin with a slash:

`ES` is `/ES`, which follows the contract that Schwab holds for the active one; `ESZ6` is `/ESZ26`, the year with two digits.
"""

import re
from dataclasses import replace
from datetime import date

from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import Unsupported
from fillpath.market.instruments import Instrument, Resolved
from fillpath_brokers.canonical import as_spelled, instrument_behind, understood

FUTURE, EQUITY = "future", "equity"
DATA_ONLY = "Schwab's API takes no orders for futures: they are data only here"
_EXCHANGES = frozenset({"CME", "CBOT", "NYMEX", "COMEX"})
_DATED = re.compile(r"^(?P<root>[A-Z0-9]+?)(?P<month>[FGHJKMNQUVXZ])(?P<year>\d{1,2})$")


def traded(symbol: str, today: date, capabilities: Capabilities, name: str, roll_days: int) -> Resolved:
    """The share that a symbol means; Unsupported for all else, for futures with the reason."""
    resolved = understood(symbol, today, _with_data(capabilities), name, roll_days)
    require_share(resolved.instrument)
    return resolved


def require_share(instrument: Instrument) -> None:
    """Unsupported unless it is a share."""
    if instrument.kind == FUTURE:
        raise Unsupported(f"{instrument.root} cannot be traded at Schwab. {DATA_ONLY}")
    if instrument.kind != EQUITY:
        raise Unsupported(f"Schwab cannot trade {instrument.root}; it trades shares")


def share(contract: str) -> str:
    """Schwab's spelling of a share that is to be traded; Unsupported for all else."""
    require_share(instrument_behind(contract))
    return contract.replace(".", "/")


def to_venue(symbol: str, today: date) -> str:
    """Schwab's spelling of a root or contract of ours; Unsupported if it has no data of it.

    One digit of a year means the nearest year that ends so.
    """
    instrument = instrument_behind(symbol)
    if instrument.kind == EQUITY:
        return symbol.replace(".", "/")
    if instrument.kind != FUTURE or instrument.exchange not in _EXCHANGES:
        raise Unsupported(f"Schwab has no data of {instrument.root} of {instrument.exchange}")
    match = None if symbol == instrument.root else _DATED.match(symbol)
    if match is None:
        return f"/{instrument.root}"
    return f"/{instrument.root}{match['month']}{_year(match['year'], today) % 100:02d}"


def to_canonical(symbol: str) -> str:
    """Our spelling of Schwab's symbol; Unsupported if the catalogue does not know it."""
    if not symbol.startswith("/"):
        ours = symbol.replace("/", ".")
        if instrument_behind(ours).kind != EQUITY:
            raise Unsupported(f"{symbol} is no share of the catalogue")
        return ours
    text = symbol[1:]
    match = _DATED.match(text)
    ours = f"{match['root']}{match['month']}{match['year'][-1]}" if match and len(match["year"]) == 2 else text
    if instrument_behind(ours).kind != FUTURE:
        raise Unsupported(f"{symbol} is no future of the catalogue")
    return ours


def shown(symbol: str) -> str:
    """Our spelling; what the catalogue does not know (an option, somebody's own trade) as Schwab spells it."""
    return as_spelled(to_canonical, symbol)


def _year(digits: str, today: date) -> int:
    if len(digits) == 2:
        return today.year // 100 * 100 + int(digits)
    return today.year - 5 + (int(digits) - (today.year - 5)) % 10


def _with_data(capabilities: Capabilities) -> Capabilities:
    """As if all that there is data of could be traded: so that a future is understood before it is refused."""
    return replace(capabilities, asset_classes=capabilities.data_asset_classes or capabilities.asset_classes)
