"""Matching: an order, a price and an instant come in; what fills, rests or ends goes out. Pure; time and price are the caller's.

A market order fills at the price. A limit order fills once the price is at its limit or better: at the price when it is
placed, at its limit when it rested. A stop order is triggered by the price at its level or beyond, and is a market order
from then on.
A reduce-only order fills no more than is held at that moment, and is cancelled once nothing is left to reduce.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from fillpath.errors import NotFound
from fillpath.market.instruments import Instrument, instrument_of
from fillpath.orders.model import LegStatus, OrderType
from fillpath_brokers.paper.book import Book, Fill, PaperOrder

PriceAt = Callable[[str], Decimal]

MOST_ORDERS = 40
"""Orders changed in one turn: with a fill each they must fit into one transaction of the store."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened at the exchange: the book after it, the orders it changed (by id), the fills it made, the id it placed."""

    book: Book
    orders: dict[str, PaperOrder] = field(default_factory=dict)
    fills: tuple[Fill, ...] = ()
    placed: str | None = None

    @property
    def full(self) -> bool:
        """Whether so much has changed that the rest must wait for the next turn."""
        return len(self.orders) >= MOST_ORDERS

    def having(self, book: Book, order: PaperOrder, fill: Fill | None = None) -> "Turn":
        """The turn with one order more in a new state."""
        fills = (*self.fills, fill) if fill else self.fills
        return replace(self, book=book.with_order(order), orders={**self.orders, order.client_order_id: order}, fills=fills)


def place(turn: Turn, order: PaperOrder, price: Decimal, now: datetime) -> Turn:
    """Take a new order: fill what fills at once, let the rest work (or end, where it may not)."""
    turn = replace(turn, placed=order.client_order_id)
    if order.reduce_only and not turn.book.reducible(order.contract, order.side):
        return turn.having(turn.book, order.ended(LegStatus.CANCELLED, "nothing_to_reduce"))
    turn = _match(turn.having(turn.book, order), order, price, now, rested=False)
    order = turn.orders[order.client_order_id]
    if order.time_in_force == "ioc" and not order.status.ended:
        turn = turn.having(turn.book, order.ended(LegStatus.CANCELLED, "immediate_or_cancel"))
    return turn


def advance(turn: Turn, orders: Iterable[PaperOrder], price_at: PriceAt, now: datetime) -> Turn:
    """Look at working orders in the order they were placed: expire what is over, fill what the price has gone through."""
    for order in sorted(orders, key=lambda each: (each.placed_at, each.client_order_id)):
        if turn.full:
            break
        if order.expires_at and now >= order.expires_at:
            turn = turn.having(turn.book, order.ended(LegStatus.EXPIRED, "end_of_day"))
        elif _fillable(order, now):
            turn = _match(turn, order, price_at(order.contract), now, rested=True)
    return turn


def cancel(turn: Turn, client_order_id: str) -> Turn:
    """Take a working order out; one that has ended stays as it is."""
    order = turn.book.working.get(client_order_id)
    return turn.having(turn.book, order.ended(LegStatus.CANCELLED, "cancelled")) if order else turn


def instrument_behind(contract: str) -> Instrument:
    """The instrument of a contract that was accepted before; NotFound if the catalogue has lost it."""
    instrument = instrument_of(contract)
    if instrument is None:
        raise NotFound(f"{contract} is not in the catalogue any more")
    return instrument


def in_lots(instrument: Instrument, quantity: Decimal) -> Decimal:
    """The quantity rounded down to what can be traded."""
    return (quantity / instrument.lot_step).to_integral_value(ROUND_DOWN) * instrument.lot_step


def _match(turn: Turn, order: PaperOrder, price: Decimal, now: datetime, *, rested: bool) -> Turn:
    at = _fill_price(order, price, rested=rested)
    if at is None:
        return turn
    if order.type is OrderType.STOP and not order.triggered:
        order = replace(order, triggered=True)
        turn = turn.having(turn.book, order)
    quantity = _fillable(order, now)
    if order.reduce_only:
        quantity = min(quantity, turn.book.reducible(order.contract, order.side))
    if quantity:
        turn = _fill(turn, order, quantity, at, now)
    return _nothing_left_to_reduce(turn, turn.book.working.get(order.client_order_id))


def _fill(turn: Turn, order: PaperOrder, quantity: Decimal, price: Decimal, now: datetime) -> Turn:
    instrument = instrument_behind(order.contract)
    book, realised, commission = turn.book.traded(instrument, order.contract, order.side.sign * quantity, price)
    fill = Fill(
        client_order_id=order.client_order_id,
        n=order.fill_count + 1,
        contract=order.contract,
        side=order.side,
        quantity=quantity,
        price=price,
        commission=commission,
        realised_pnl=realised,
        at=now,
    )
    return turn.having(book, order.filled(fill), fill)


def _nothing_left_to_reduce(turn: Turn, order: PaperOrder | None) -> Turn:
    if order and order.reduce_only and not turn.book.reducible(order.contract, order.side):
        return turn.having(turn.book, order.ended(LegStatus.CANCELLED, "nothing_to_reduce"))
    return turn


def _fill_price(order: PaperOrder, price: Decimal, *, rested: bool) -> Decimal | None:
    if order.type is OrderType.LIMIT and order.limit_price is not None:
        if order.side.sign * (price - order.limit_price) > 0:
            return None
        return order.limit_price if rested else price
    if order.type is OrderType.STOP and order.stop_price is not None and not order.triggered:
        return price if order.side.sign * (price - order.stop_price) >= 0 else None
    return price


def _fillable(order: PaperOrder, now: datetime) -> Decimal:
    if order.fills_from and now < order.fills_from:
        return Decimal(0)
    if order.fill_cap is None or (order.cap_until and now >= order.cap_until):
        return order.remaining
    return max(Decimal(0), order.fill_cap - order.filled_quantity)
