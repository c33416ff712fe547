"""What one step of the price does to one order: it triggers it, moves its trail, or is where it fills.

A limit order fills once the price is at its limit or better: at the price when it is placed, at its limit when it rested. A stop
is triggered by the price at its level or beyond (touch counts) and fills there; inside a candle at its level. A stop limit is a
limit order once triggered. A trailing stop keeps its distance from the best price since it was placed, and only ever tightens.
"""

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

from fillpath.errors import NotFound
from fillpath.market.instruments import Instrument, instrument_of
from fillpath.orders.model import OrderType
from fillpath_brokers.exchange.orders import ExchangeOrder
from fillpath_brokers.exchange.path import Kind, Step

_TRAIL_MOVES_AT = (Kind.POINT, Kind.CLOSE)


def met(order: ExchangeOrder, step: Step, *, rested: bool = True) -> tuple[ExchangeOrder, Decimal | None]:
    """The order after the step, and the price at which it fills now, if it does."""
    if order.waits_for_trigger:
        price = _trigger(order, step)
        if price is None:
            return trailed(order, step), None
        order = replace(order, triggered=True)
        if order.limit_price is not None and order.type is OrderType.STOP_LIMIT:
            return order, price if _within(order, order.limit_price, price) else None
        return order, price
    if order.limit_price is not None and order.type is not OrderType.MARKET:
        return order, _at_limit(order, order.limit_price, step, rested=rested)
    return order, step.low if step.has_one_price else None


def trailed(order: ExchangeOrder, step: Step) -> ExchangeOrder:
    """The order with its trail moved, where the step is better than all before."""
    if order.type is not OrderType.TRAILING_STOP or order.triggered or step.kind not in _TRAIL_MOVES_AT:
        return order
    if order.high_water is not None and order.side.sign * (step.low - order.high_water) >= 0:
        return order
    distance = order.trail_amount or step.low * (order.trail_percent or Decimal(0)) / 100
    level = on_tick(instrument_behind(order.contract), step.low + order.side.sign * distance)
    return replace(order, high_water=step.low, stop_price=level)


def instrument_behind(contract: str) -> Instrument:
    """The instrument of a contract that was accepted before; NotFound if the catalogue has lost it."""
    instrument = instrument_of(contract)
    if instrument is None:
        raise NotFound(f"{contract} is not in the catalogue any more")
    return instrument


def on_tick(instrument: Instrument, price: Decimal) -> Decimal:
    """The price rounded to the nearest tick."""
    ticks = (price / instrument.tick_size).quantize(Decimal(1), ROUND_HALF_EVEN)
    return ticks * instrument.tick_size


def _trigger(order: ExchangeOrder, step: Step) -> Decimal | None:
    level = order.stop_price
    if level is None or step.kind is Kind.LIMITS:
        return None
    reached = step.high >= level if order.side.sign > 0 else step.low <= level
    if not reached:
        return None
    return step.low if step.has_one_price else level


def _at_limit(order: ExchangeOrder, limit: Decimal, step: Step, *, rested: bool) -> Decimal | None:
    if step.kind is Kind.STOPS:
        return None
    best = step.low if order.side.sign > 0 else step.high
    if not _within(order, limit, best):
        return None
    return limit if rested and step.kind is not Kind.OPEN else best


def _within(order: ExchangeOrder, limit: Decimal, price: Decimal) -> bool:
    return order.side.sign * (price - limit) <= 0
