"""Placing: the orders that the exchange makes of a leg, held back as far as the account's scenario wants.

A leg becomes one order, an exit pair two, an entry with exits two or three. `ids` names them by what they are.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import TypedDict

from fillpath.market.instruments import Instrument
from fillpath.orders.model import Leg, OrderType
from fillpath_brokers.exchange.hours import end_of_day
from fillpath_brokers.exchange.orders import ExchangeOrder
from fillpath_brokers.exchange.scenario import NORMAL, Scenario


class Role(StrEnum):
    """What an order is in its leg: the leg itself (of a pair its limit), the first exit of an entry, the stop of a pair."""

    ITSELF = "itself"
    EXIT = "exit"
    STOP_OF_PAIR = "stop_of_pair"


Ids = Callable[[Role], str]


class _HeldBack(TypedDict, total=False):
    fills_from: datetime
    fill_cap: Decimal
    cap_until: datetime


def new_orders(
    leg: Leg, instrument: Instrument, scenario: Scenario, now: datetime, ids: Ids, *, exits_reduce_only: bool = True
) -> tuple[ExchangeOrder, ...]:
    """The orders of a leg, the leading one first; `scenario` is the one that applies to it, and does not touch its exits."""
    if leg.type is OrderType.OCO:
        return _pair(leg, instrument, scenario, now, (ids(Role.ITSELF), ids(Role.STOP_OF_PAIR)))
    order = _order(ids(Role.ITSELF), leg, instrument, scenario, now)
    if leg.take_profit is None and leg.stop_loss is None:
        return (order,)
    exits = _exits(leg, instrument, now, ids, reduce_only=exits_reduce_only)
    waiting = tuple(replace(each, parent=order.order_id, withheld=each.quantity) for each in exits)
    return (replace(order, exits=waiting[0].order_id), *waiting)


def in_lots(instrument: Instrument, quantity: Decimal) -> Decimal:
    """The quantity rounded down to what can be traded."""
    return (quantity / instrument.lot_step).to_integral_value(ROUND_DOWN) * instrument.lot_step


def _exits(leg: Leg, instrument: Instrument, now: datetime, ids: Ids, *, reduce_only: bool) -> tuple[ExchangeOrder, ...]:
    both = leg.take_profit is not None and leg.stop_loss is not None
    alone = OrderType.LIMIT if leg.take_profit is not None else OrderType.STOP
    exits = leg.model_copy(
        update={
            "side": leg.side.opposite,
            "type": OrderType.OCO if both else alone,
            "limit_price": leg.take_profit,
            "stop_price": leg.stop_loss,
            "trail_amount": None,
            "trail_percent": None,
            "reduce_only": reduce_only,
        }
    )
    if both:
        return _pair(exits, instrument, NORMAL, now, (ids(Role.EXIT), ids(Role.STOP_OF_PAIR)))
    return (_order(ids(Role.EXIT), exits, instrument, NORMAL, now),)


def _pair(leg: Leg, instrument: Instrument, scenario: Scenario, now: datetime, ids: tuple[str, str]) -> tuple[ExchangeOrder, ...]:
    limit = leg.model_copy(update={"type": OrderType.LIMIT, "stop_price": None})
    stop = leg.model_copy(update={"type": OrderType.STOP, "limit_price": None})
    return (
        replace(_order(ids[0], limit, instrument, scenario, now), other=ids[1]),
        replace(_order(ids[1], stop, instrument, scenario, now), other=ids[0]),
    )


def _order(order_id: str, leg: Leg, instrument: Instrument, scenario: Scenario, now: datetime) -> ExchangeOrder:
    return ExchangeOrder(
        order_id=order_id,
        contract=leg.contract,
        side=leg.side,
        quantity=leg.quantity,
        type=leg.type,
        placed_at=now,
        seen_at=now,
        limit_price=leg.limit_price,
        stop_price=leg.stop_price,
        trail_amount=leg.trail_amount,
        trail_percent=leg.trail_percent,
        time_in_force=leg.time_in_force,
        expires_at=end_of_day(now) if leg.time_in_force == "day" else None,
        reduce_only=leg.reduce_only,
        **_held_back(leg, instrument, scenario, now),
    )


def _held_back(leg: Leg, instrument: Instrument, scenario: Scenario, now: datetime) -> _HeldBack:
    match scenario.name:
        case "delay":
            return {"fills_from": _later(now, scenario.number("seconds"))}
        case "never_fill":
            return {"fill_cap": Decimal(0)}
        case "partial_fill":
            cap = in_lots(instrument, leg.quantity * scenario.number("fraction"))
            if scenario.settings["then"] == "never":
                return {"fill_cap": cap}
            return {"fill_cap": cap, "cap_until": _later(now, scenario.number("after"))}
        case _:
            return {}


def _later(now: datetime, seconds: Decimal) -> datetime:
    return now + timedelta(seconds=float(seconds))
