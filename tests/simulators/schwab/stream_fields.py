"""The numbered fields of the streamer: what happens at the exchange comes in, what Schwab would send goes out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fillpath.market.bars import Bar, Quote, Trade
from tests.simulators.events import EventKind, OrderEvent
from tests.simulators.schwab.documents import instruction
from tests.simulators.schwab.market_data import ms
from tests.simulators.schwab.state import ACCOUNTS
from tests.simulators.schwab.symbols import dated

ACTIVITY = "ACCT_ACTIVITY"
SERVICES = {ACTIVITY, "LEVELONE_EQUITIES", "LEVELONE_FUTURES", "CHART_EQUITY", "CHART_FUTURES"}
_SCALE = 12
_TYPES = {
    EventKind.ACCEPTED: ("OrderCreated", "OrderAccepted", "ExecutionRequested", "ExecutionRequestCreated"),
    EventKind.PARTIALLY_FILLED: ("ExecutionRequestCompleted", "ExecutionCreated", "OrderFillCompleted"),
    EventKind.FILLED: ("ExecutionRequestCompleted", "ExecutionCreated", "OrderFillCompleted"),
    EventKind.CANCELLED: ("CancelAccepted", "ExecutionCreated", "OrderUROutCompleted"),
    EventKind.EXPIRED: ("ExecutionCreated", "OrderUROutCompleted"),
    EventKind.REJECTED: ("OrderCreated", "OrderUROutCompleted"),
    EventKind.REPLACED: ("CancelAccepted", "OrderUROutCompleted"),
    EventKind.CHANGED: ("OrderMonitorCompleted",),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a symbol at this moment."""

    quote: Quote
    trade: Trade | None
    volume: int


def quote_fields(service: str, told: Told, today: date) -> dict[str, Any]:
    """Level one of the service; nothing for a service of something else."""
    quote, trade = told.quote, told.trade
    fields: dict[str, Any] = {"1": quote.bid, "2": quote.ask, "4": quote.bid_size, "5": quote.ask_size, "8": told.volume}
    if trade is not None:
        fields |= {"3": trade.price, "9": trade.size}
    if service == "LEVELONE_EQUITIES":
        times = {"34": ms(quote.at)} | ({"35": ms(trade.at)} if trade else {})
        return {"0": quote.symbol, **fields, **times}
    if service == "LEVELONE_FUTURES":
        active = dated(quote.symbol, today)
        times = {"10": ms(quote.at)} | ({"11": ms(trade.at)} if trade else {})
        return {"0": active, **fields, **times, "22": "Normal", "34": active}
    return {}


def bar_services(key: str) -> tuple[str, ...]:
    """The service that has bars of the key."""
    return ("CHART_FUTURES",) if key.startswith("/") else ("CHART_EQUITY",)


def bar_fields(service: str, bar: Bar) -> dict[str, Any]:
    """One minute; of shares behind the minute's number, and with its day."""
    start, prices = ms(bar.start), (bar.open, bar.high, bar.low, bar.close)
    values = {str(index): price for index, price in enumerate(prices, 2)} | {"6": int(bar.volume)}
    if service == "CHART_FUTURES":
        return {"1": start, **values}
    return {"1": bar.start.hour * 60 + bar.start.minute, **values, "7": start, "8": start // 86_400_000}


def activities(event: OrderEvent, number: int) -> Iterator[tuple[str, str, str]]:
    """The messages about an order: type, account, and JSON inside a string."""
    account = next(known for known, name in ACCOUNTS.items() if name == event.order.account)
    for kind in _TYPES[event.kind]:
        about: dict[str, Any] = {"EventType": kind}
        if kind == "OrderCreated":
            about |= {"Symbol": event.order.state.contract, "BuySellCode": instruction(event.order)}
        if kind == "OrderFillCompleted" and event.fill is not None:
            about |= {"ExecutionQuantity": _scaled(event.fill.quantity), "ExecutionPrice": _scaled(event.fill.price)}
        message = {
            "SchwabOrderID": str(number),
            "AccountNumber": account,
            "BaseEvent": {"EventType": kind, f"{kind}Event": about},
        }
        yield kind, account, json.dumps(message)


def _scaled(value: Decimal) -> dict[str, Any]:
    """A number as Schwab's activity has it."""
    return {"lo": str(int(value * 10 ** (_SCALE // 2))), "signScale": _SCALE}
