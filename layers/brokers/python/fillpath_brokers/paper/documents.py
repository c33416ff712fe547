"""The paper book as documents: what goes into the store and what is read from it. Absent means none; times are ISO 8601 UTC.

Orders are kept under the client order id that they came with (exits: one made of it).
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath_brokers.exchange import scenario
from fillpath_brokers.exchange.book import Book, Holding
from fillpath_brokers.exchange.orders import ExchangeOrder, Fill
from fillpath_brokers.exchange.scenario import NORMAL
from fillpath_brokers.paper.book_store import Document
from fillpath_brokers.paper.views import broker_order_id

_TIMES = frozenset({"at", "placed_at", "seen_at", "expires_at", "fills_from", "cap_until", "filled_at"})
_KINDS: Mapping[str, Any] = {"side": Side, "type": OrderType, "status": LegStatus, "fill_count": int, "n": int, "serial": int}

_STORED_AS = {"order_id": "client_order_id"}


def book_document(book: Book) -> Document:
    """The account as stored, its version raised by one."""
    document: dict[str, Any] = {
        "cash": book.cash,
        "realised_pnl": book.realised_pnl,
        "commission": book.commission,
        "version": Decimal(book.version + 1),
        "fill_count": Decimal(book.fill_count),
        "positions": {
            contract: {"quantity": holding.quantity, "average_price": holding.average_price}
            for contract, holding in book.holdings.items()
        },
        "working": {key: order_document(order) for key, order in book.working.items()},
    }
    if book.scenario != NORMAL:
        document["scenario"] = book.scenario.to_document()
    return document


def read_book(document: Document | None) -> Book:
    """The account of its document; a new one where nothing is stored."""
    if document is None:
        return Book()
    return Book(
        cash=document["cash"],
        realised_pnl=document["realised_pnl"],
        commission=document["commission"],
        version=int(document["version"]),
        fill_count=int(document.get("fill_count", 0)),
        holdings={contract: Holding(**held) for contract, held in document["positions"].items()},
        working={key: read_order(order) for key, order in document["working"].items()},
        scenario=scenario.from_document(document["scenario"]) if "scenario" in document else NORMAL,
    )


def order_document(order: ExchangeOrder) -> Document:
    """The order as stored, with the exchange's own id and the average price for whoever reads the table."""
    shown = {"broker_order_id": broker_order_id(order.order_id), "average_price": order.average_price}
    return _document(order) | {key: value for key, value in shown.items() if value is not None}


def read_order(document: Document) -> ExchangeOrder:
    """The order of its document."""
    return ExchangeOrder(**_fields(ExchangeOrder, document))


def fill_document(fill: Fill) -> Document:
    """The fill as stored."""
    return _document(fill)


def read_fill(document: Document) -> Fill:
    """The fill of its document."""
    return Fill(**_fields(Fill, document))


def _document(record: ExchangeOrder | Fill) -> dict[str, Any]:
    values = {each.name: getattr(record, each.name) for each in fields(record)}
    return {_STORED_AS.get(key, key): _stored(value) for key, value in values.items() if value is not None}


def _fields(kind: type[ExchangeOrder | Fill], document: Document) -> dict[str, Any]:
    wanted = {each.name: _STORED_AS.get(each.name, each.name) for each in fields(kind)}
    return {name: _read(name, document[key]) for name, key in wanted.items() if key in document}


def stored_time(at: datetime) -> str:
    """An instant as stored: texts that sort as the times do."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return stored_time(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return str(value) if isinstance(value, str) else value


def _read(key: str, value: Any) -> Any:
    if key in _TIMES:
        return datetime.fromisoformat(value)
    return _KINDS[key](value) if key in _KINDS else value
