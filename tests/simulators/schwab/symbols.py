"""Schwab's symbols at the simulated exchange, which spells contracts as Fillpath does."""

import re
from datetime import date

from fillpath.errors import Refused
from fillpath.market.instruments import instrument_of, resolve

_DATED = re.compile(r"^/([A-Z0-9]+?)([FGHJKMNQUVXZ])(\d)(\d)$")


def contract_of(symbol: str, today: date) -> str | None:
    """The contract behind `AAPL`, `/ESZ26` or `/ES` (which follows the front month); None: Schwab does not know it."""
    if not symbol.startswith("/"):
        found = instrument_of(symbol)
        return symbol if found and found.kind == "equity" else None
    try:
        match = _DATED.match(symbol)
        resolved = resolve(f"{match[1]}{match[2]}{match[4]}" if match else f"{symbol[1:]}1!", today)
    except Refused:
        return None
    return resolved.contract if resolved.instrument.kind == "future" else None


def dated(contract: str, today: date) -> str:
    """`/ESZ26` for `ESZ6`."""
    year = today.year - 1 + (int(contract[-1]) - (today.year - 1)) % 10
    return f"/{contract[:-1]}{year % 100:02d}"
