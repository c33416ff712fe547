"""Placing: the order that the exchange makes of a leg, held back as far as the account's scenario wants."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from fillpath.market.instruments import Instrument
from fillpath.orders.model import Leg
from fillpath_brokers.paper.book import PaperOrder
from fillpath_brokers.paper.hours import end_of_day
from fillpath_brokers.paper.matching import in_lots
from fillpath_brokers.paper.scenario import Scenario


class _HeldBack(TypedDict, total=False):
    fills_from: datetime
    fill_cap: Decimal
    cap_until: datetime


def new_order(leg: Leg, instrument: Instrument, scenario: Scenario, now: datetime) -> PaperOrder:
    """The order of a leg; `scenario` is the one that applies to it."""
    return PaperOrder(
        client_order_id=leg.client_order_id,
        contract=leg.contract,
        side=leg.side,
        quantity=leg.quantity,
        type=leg.type,
        placed_at=now,
        limit_price=leg.limit_price,
        stop_price=leg.stop_price,
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
