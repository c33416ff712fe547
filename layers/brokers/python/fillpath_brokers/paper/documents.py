"""The paper book as documents: what goes into the store and what is read from it. Absent means none; times are ISO 8601 UTC."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath_brokers.paper import scenario
from fillpath_brokers.paper.book import Book, Fill, Holding, PaperOrder
from fillpath_brokers.paper.book_store import Document
from fillpath_brokers.paper.scenario import NORMAL

_TIMES = frozenset({"placed_at", "expires_at", "fills_from", "cap_until", "filled_at"})
_KINDS: Mapping[str, Any] = {"side": Side, "type": OrderType, "status": LegStatus, "fill_count": int}


def book_document(book: Book) -> Document:
    """The account as stored, its version raised by one."""
    document: dict[str, Any] = {
        "cash": book.cash,
        "realised_pnl": book.realised_pnl,
        "commission": book.commission,
        "version": Decimal(book.version + 1),
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
        holdings={contract: Holding(**held) for contract, held in document["positions"].items()},
        working={key: read_order(order) for key, order in document["working"].items()},
        scenario=scenario.from_document(document["scenario"]) if "scenario" in document else NORMAL,
    )


def order_document(order: PaperOrder) -> Document:
    """The order as stored, with the exchange's own id and the average price for whoever reads the table."""
    values = {each.name: getattr(order, each.name) for each in fields(order)}
    shown = {"broker_order_id": order.broker_order_id, "average_price": order.view.average_price}
    return {key: _stored(value) for key, value in {**values, **shown}.items() if value is not None}


def read_order(document: Document) -> PaperOrder:
    """The order of its document."""
    known = {each.name for each in fields(PaperOrder)}
    return PaperOrder(**{key: _read(key, value) for key, value in document.items() if key in known})


def fill_document(fill: Fill) -> Document:
    """The fill as stored."""
    return {each.name: _stored(getattr(fill, each.name)) for each in fields(fill)}


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return str(value) if isinstance(value, str) else value


def _read(key: str, value: Any) -> Any:
    if key in _TIMES:
        return datetime.fromisoformat(value)
    return _KINDS[key](value) if key in _KINDS else value
