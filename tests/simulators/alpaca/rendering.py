"""The exchange's orders, fills and positions in Alpaca's shapes. Every number is text."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from fillpath.orders.model import LegStatus, OrderType
from fillpath_brokers.exchange.book import Holding
from tests.simulators.events import SimFill, SimOrder
from tests.simulators.exchange import SimulatedExchange

_STATUS = {
    LegStatus.PARTIALLY_FILLED: "partially_filled",
    LegStatus.FILLED: "filled",
    LegStatus.CANCELLED: "canceled",
    LegStatus.REJECTED: "rejected",
    LegStatus.EXPIRED: "expired",
}

_GTC_LASTS = timedelta(days=90)


def asset_id(symbol: str) -> str:
    """The id of a share: always the same."""
    return str(uuid5(NAMESPACE_URL, f"asset:{symbol}"))


def stamp(at: datetime | None) -> str | None:
    """A time as Alpaca writes it."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z"


def text(value: Decimal | None) -> str | None:
    """A number as Alpaca writes it."""
    return None if value is None else f"{value.normalize():f}"


def status_of(order: SimOrder) -> str:
    """Alpaca's word for what an order is."""
    if order.replaced_by:
        return "replaced"
    return _STATUS.get(order.status) or ("held" if order.held else "new")


def order_json(exchange: SimulatedExchange, order: SimOrder, *, nested: bool = True, status: str | None = None) -> dict[str, Any]:
    """One order, with its legs where it has any and `nested` is asked for."""
    state, now = order.state, status_of(order)
    ended = {"canceled": "canceled_at", "expired": "expired_at", "rejected": "failed_at", "replaced": "replaced_at"}.get(now)
    legs = [order_json(exchange, each, nested=False) for each in _legs(exchange, order)] if nested else []
    document: dict[str, Any] = {
        "id": order.id,
        "client_order_id": order.client_order_id or str(uuid5(NAMESPACE_URL, order.id)),
        "created_at": stamp(order.created_at),
        "updated_at": stamp(order.updated_at),
        "submitted_at": stamp(order.created_at),
        "filled_at": stamp(state.filled_at),
        "expired_at": None,
        "expires_at": stamp(state.expires_at or order.created_at + _GTC_LASTS),
        "canceled_at": None,
        "failed_at": None,
        "replaced_at": None,
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id(state.contract),
        "symbol": state.contract,
        "asset_class": "us_equity",
        "notional": None,
        "qty": text(state.quantity),
        "filled_qty": text(state.filled_quantity),
        "filled_avg_price": text(order.average_price),
        "order_class": order.details.get("order_class", ""),
        "order_type": state.type.value,
        "type": state.type.value,
        "side": state.side.value,
        "position_intent": f"{state.side.value}_to_{'close' if state.parent or state.reduce_only else 'open'}",
        "time_in_force": state.time_in_force,
        "limit_price": text(state.limit_price),
        "stop_price": text(state.stop_price),
        "status": status or now,
        "extended_hours": bool(order.details.get("extended_hours", False)),
        "legs": legs or None,
        "trail_percent": text(state.trail_percent),
        "trail_price": text(state.trail_amount),
        "hwm": text(state.high_water),
        "subtag": None,
        "source": None,
    }
    return document | ({ended: stamp(order.updated_at)} if ended else {})


def fill_json(exchange: SimulatedExchange, fill: SimFill, cumulative: Decimal) -> dict[str, Any]:
    """One execution as an account activity."""
    order = exchange.order(fill.order_id)
    quantity = order.state.quantity if order else fill.quantity
    done = cumulative >= quantity
    return {
        "id": activity_id(fill),
        "activity_type": "FILL",
        "transaction_time": stamp(fill.at),
        "type": "fill" if done else "partial_fill",
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "side": fill.side,
        "symbol": fill.contract,
        "leaves_qty": text(quantity - cumulative),
        "order_id": fill.order_id,
        "cum_qty": text(cumulative),
        "order_status": "filled" if done else "partially_filled",
    }


def activity_id(fill: SimFill) -> str:
    """Sorts by time."""
    return f"{fill.at:%Y%m%d%H%M%S}{fill.at.microsecond // 1000:03}::{uuid5(NAMESPACE_URL, fill.id)}"


def position_json(symbol: str, held: Holding, price: Decimal) -> dict[str, Any]:
    """One position."""
    value, cost = held.quantity * price, held.quantity * held.average_price
    result = value - cost
    return {
        "asset_id": asset_id(symbol),
        "symbol": symbol,
        "exchange": "NASDAQ",
        "asset_class": "us_equity",
        "avg_entry_price": text(held.average_price),
        "qty": text(held.quantity),
        "qty_available": text(held.quantity),
        "side": "long" if held.quantity > 0 else "short",
        "market_value": text(value),
        "cost_basis": text(cost),
        "unrealized_pl": text(result),
        "unrealized_plpc": text(result / abs(cost)),
        "unrealized_intraday_pl": text(result),
        "unrealized_intraday_plpc": text(result / abs(cost)),
        "current_price": text(price),
        "lastday_price": text(price),
        "change_today": "0",
        "asset_marginable": True,
    }


def is_pair_parent(order: SimOrder) -> bool:
    """Whether it is the take profit of an exit pair, which has the stop as its leg."""
    return order.details.get("order_class") == "oco" and order.state.type is OrderType.LIMIT


def _legs(exchange: SimulatedExchange, order: SimOrder) -> list[SimOrder]:
    if is_pair_parent(order):
        names = [order.state.other]
    else:
        first = exchange.order(order.state.exits) if order.state.exits else None
        names = [first.id, first.state.other] if first else []
    return [found for name in names if name and (found := exchange.order(name))]
