"""How TradeStation spells what the exchange calls by our names."""

import re
from datetime import date

from fillpath.errors import Refused
from fillpath.market.instruments import Instrument, instrument_of, resolve

_ROOTS = {"6A": "AD", "6B": "BP", "6C": "CD", "6E": "EC", "6J": "JY", "ZB": "US", "ZC": "C", "ZN": "TY", "ZS": "S", "ZW": "W"}
_DATED = re.compile(r"(.{1,4})([FGHJKMNQUVXZ])(\d\d)")


def theirs(contract: str, today: date) -> str:
    """A contract in TradeStation's spelling."""
    instrument = behind(contract)
    if not instrument.months:
        return contract
    year = next(year for year in range(today.year - 4, today.year + 7) if year % 10 == int(contract[-1]))
    return f"{_ROOTS.get(instrument.root, instrument.root)}{contract[-2]}{year % 100:02}"


def ours(symbol: str, today: date) -> str | None:
    """The contract behind a symbol that can be traded or shown; None: there is none. `@ES` is the front month."""
    text = symbol.upper()
    roots = {their: our for our, their in _ROOTS.items()}
    if text.startswith("@"):
        return _front(roots.get(text[1:], text[1:]), today)
    if match := _DATED.fullmatch(text):
        contract = f"{roots.get(match[1], match[1])}{match[2]}{match[3][1]}"
        known = instrument_of(contract)
        return contract if known and match[2] in known.months else None
    known = instrument_of(text)
    return text if known and known.kind == "equity" else None


def behind(contract: str) -> Instrument:
    """The instrument of a contract that the exchange has."""
    instrument = instrument_of(contract)
    assert instrument is not None
    return instrument


def _front(root: str, today: date) -> str | None:
    try:
        return resolve(f"{root}1!", today).contract
    except Refused:
        return None
