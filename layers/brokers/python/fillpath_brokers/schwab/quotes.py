"""Schwab's quotes: symbols in its spelling come in, what it knows of them goes out; those that it does not know are left out."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath_brokers.documents import number_or_none, readable
from fillpath_brokers.schwab.refusals import read
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.session import Session

_NO_SYMBOL = "errors"
"""Beside the symbols in the answer: which of them are not known."""


def quotes(symbols: Collection[str], session: Session, settings: Settings) -> dict[str, Mapping[str, Any]]:
    """Quote and reference data by symbol; BrokerUnavailable."""
    params = {"symbols": ",".join(symbols), "fields": "quote,reference"}
    reply = session.read(f"{settings.data_url}/quotes", params)
    document = reply.json() if reply.ok else None
    if not isinstance(document, dict):
        raise BrokerUnavailable(f"Schwab gives no quotes ({reply.status}): {read(reply).text}")
    return {symbol: quote for symbol, quote in document.items() if symbol != _NO_SYMBOL}


def price_of(quote: Mapping[str, Any]) -> Decimal:
    """What it costs about now: the last trade, or else the mark; BrokerUnavailable if there is neither."""
    told = quote.get("quote") or {}
    with readable("Schwab's quote"):
        price = number_or_none(told.get("lastPrice") or told.get("mark"))
    if not price:
        raise BrokerUnavailable(f"Schwab tells no price of {quote.get('symbol')}")
    return price
