"""Instruments: one catalogue of roots, and from any spelling of a symbol to its root and contract.

Understood: roots (`ES`, `BTCUSDT.P`), contracts (`ESZ6`, `ESZ26`, `ESZ2026`, NinjaTrader's `ES 12-26` and `ES DEC26`), continuous
symbols (`ES1!`, `ES2!`) and any of them behind an exchange (`CME_MINI:ES1!`, `NASDAQ:AAPL`), delayed or not (`CME_MINI_DL:ES1!`).
A share need not be in the catalogue where its exchange is told and lists US shares (`NYSE:SHOP`).
"""

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from fillpath.errors import Refused
from fillpath.market.last_days import LAST_DAYS

_MONTH_CODES = "FGHJKMNQUVXZ"
_CONTRACT = re.compile(r"^(?P<root>[A-Z0-9]{1,4}?)(?P<month>[FGHJKMNQUVXZ])(?P<year>\d{1,2}|20\d{2})$")
_NINJA = re.compile(r"^(?P<root>[A-Z0-9]{1,4}) (?P<month>0[1-9]-|1[0-2]-|[A-Z]{3})(?P<year>[0-9]{2})$", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_CONTINUOUS = re.compile(r"^(?P<root>[A-Z0-9]+?)(?P<nth>[1-9])!$")
_SHARE = re.compile(r"^[A-Z]{1,5}(\.[A-Z])?$")
_LISTS_SHARES = {"NASDAQ", "NYSE", "AMEX", "ARCA", "BATS", "CBOE"}
US_SHARES = "US"
"""The exchange of a share that is not in the catalogue: all of them keep the same hours."""
ROLL_DAYS = 8
"""A contract is left this many days before its last day: by then the volume of index futures has moved on."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is traded: `tick_size` and prices in `currency`, `multiplier` per point, `lot_step` the smallest quantity.

    `months` are the delivery months' codes (none for shares and coins); `last_day` names the rule for the last day on which one
    is to be held. `margin` is the initial margin of one contract.
    """

    root: str
    kind: str
    name: str
    exchange: str
    currency: str
    tick_size: Decimal
    multiplier: Decimal
    lot_step: Decimal
    months: str
    last_day: str
    margin: Decimal
    commission: Decimal
    demo_price: Decimal


@dataclass(frozen=True, slots=True)
class Resolved:
    """A symbol understood: its instrument, the contract that an entry now would trade, and why it could not, if so.

    `nth` is 1 where the symbol means the front month whatever it is (`ES`, `ES1!`), 2 for the one after it; 0: a named contract.
    """

    instrument: Instrument
    contract: str
    no_entry: str = ""
    nth: int = 0


def resolve(symbol: str, today: date, roll_days: int = ROLL_DAYS, exchange: str | None = None) -> Resolved:
    """The instrument and contract of a symbol; Refused(invalid_alert) when the catalogue does not know it.

    A continuous symbol leaves a contract `roll_days` before its last day (`last_days`). `exchange` is where the symbol
    is listed, if it does not say so itself.
    """
    listed_on, _, ticker = symbol.strip().upper().rpartition(":")
    text = _as_contract(ticker)
    catalogue = instruments()
    if text in catalogue:
        known = catalogue[text]
        return Resolved(known, _contract_of(known, today, 1, roll_days), nth=1 if known.months else 0)
    if match := _CONTINUOUS.match(text):
        instrument = catalogue.get(match["root"])
        if instrument and instrument.months:
            nth = int(match["nth"])
            return Resolved(instrument, _contract_of(instrument, today, nth, roll_days), nth=nth)
    if match := _CONTRACT.match(text):
        instrument = catalogue.get(match["root"])
        if instrument and match["month"] in instrument.months:
            return _named_contract(instrument, match["month"], match["year"], today)
    if _lists_shares(listed_on or (exchange or "").strip().upper()) and _SHARE.match(text):
        return Resolved(_share(text), text)
    raise Refused(
        "invalid_alert",
        f"symbol: {symbol!r} is not in the catalogue; use a root (ES), a contract (ESZ6), ES1!, AAPL or BTCUSD; "
        "any other US share with its exchange (NYSE:SHOP)",
        {"field": "symbol", "reason": "unknown symbol"},
    )


def _as_contract(text: str) -> str:
    """NinjaTrader's spelling of a contract as everybody else's; any other text as it is."""
    match = _NINJA.match(text)
    if match is None:
        return text
    month = match["month"].rstrip("-")
    if month.isdigit():
        return f"{match['root']}{_MONTH_CODES[int(month) - 1]}{match['year']}"
    return f"{match['root']}{_MONTH_CODES[_MONTHS.index(month)]}{match['year']}" if month in _MONTHS else text


def _named_contract(instrument: Instrument, code: str, digits: str, today: date) -> Resolved:
    """A contract as written; one digit of a year means the nearest year that ends so."""
    year = int(digits) if len(digits) == 4 else today.year // 100 * 100 + int(digits)
    if len(digits) == 1:
        year = today.year - 5 + (int(digits) - (today.year - 5)) % 10
    contract = f"{instrument.root}{code}{year % 10}"
    if (year, _MONTH_CODES.index(code) + 1) < (today.year, today.month):
        return Resolved(instrument, contract, f"the contract {contract} of {year} is over")
    return Resolved(instrument, contract, "" if year < today.year + 10 else f"there is no contract of {year} yet")


def instrument_of(contract: str) -> Instrument | None:
    """The instrument behind a contract as `resolve` writes it."""
    catalogue = instruments()
    if contract in catalogue:
        return catalogue[contract]
    if match := _CONTRACT.match(contract):
        return catalogue.get(match["root"])
    return _share(contract) if _SHARE.match(contract) else None


def _lists_shares(exchange: str) -> bool:
    """Whether it lists US shares; delayed data is marked by TradingView behind its name."""
    return exchange.removesuffix("_DLY").removesuffix("_DL") in _LISTS_SHARES


def _share(ticker: str) -> Instrument:
    """A US share of which nothing is known but its ticker."""
    row = {"root": ticker, "kind": "equity", "name": ticker, "exchange": US_SHARES, "currency": "USD", "months": ""}
    numbers = {"tick_size": "0.01", "multiplier": "1", "lot_step": "0.001", "margin": "0", "commission": "0", "demo_price": "100"}
    return _instrument(row | numbers | {"last_day": ""})


@cache
def instruments() -> dict[str, Instrument]:
    """The catalogue by root."""
    rows = json.loads(files("fillpath.market").joinpath("catalogue.json").read_text("utf-8"))
    return {row["root"]: _instrument(row) for row in rows}


def _instrument(row: dict[str, str]) -> Instrument:
    decimals = ("tick_size", "multiplier", "lot_step", "margin", "commission", "demo_price")
    values: dict[str, Any] = {key: Decimal(value) if key in decimals else value for key, value in row.items()}
    return Instrument(**values)


def _contract_of(instrument: Instrument, today: date, nth: int, roll_days: int) -> str:
    if not instrument.months:
        return instrument.root
    year, month = today.year, today.month
    while True:
        code = _MONTH_CODES[month - 1]
        if code in instrument.months and LAST_DAYS[instrument.last_day](year, month) - timedelta(days=roll_days) > today:
            nth -= 1
            if nth == 0:
                return f"{instrument.root}{code}{year % 10}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
