"""Margin: what an account is worth, what its holdings tie up, and whether an order may be placed on top.

Futures tie up the catalogue's initial margin per contract, long shares and coins their whole value, short ones half of it.
An order that only brings a position nearer to zero is never short of margin. Working orders reserve nothing.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from fillpath.market.instruments import Instrument
from fillpath.orders.model import Side
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.exchange.book import CURRENCY, Book
from fillpath_brokers.exchange.orders import ZERO
from fillpath_brokers.exchange.touch import instrument_behind
from fillpath_brokers.facade import Balances

PriceAt = Callable[[str], Decimal]


class Wanted(Protocol):
    """What is to be traded: a leg, or an order at the exchange."""

    @property
    def contract(self) -> str:
        """The contract."""
        ...

    @property
    def side(self) -> Side:
        """The side."""
        ...

    @property
    def quantity(self) -> Decimal:
        """How much, positive."""
        ...

    @property
    def reduce_only(self) -> bool:
        """Whether it may only reduce."""
        ...


SHORT_MARGIN = Decimal("0.5")
"""Part of a short share position's value that is tied up (Regulation T: 150 % less the proceeds)."""


def balances(book: Book, price_at: PriceAt) -> Balances:
    """Cash, equity and results at the present prices."""
    unrealised, equity, used = ZERO, book.cash, ZERO
    for contract, holding in book.holdings.items():
        instrument, price = instrument_behind(contract), price_at(contract)
        result = holding.quantity * (price - holding.average_price) * instrument.multiplier
        unrealised += result
        equity += result if instrument.kind == "future" else holding.quantity * price * instrument.multiplier
        used += tied_up(instrument, holding.quantity, price)
    return Balances(
        currency=CURRENCY,
        cash=book.cash,
        equity=equity,
        margin_used=used,
        realised_pnl=book.realised_pnl,
        unrealised_pnl=unrealised,
        commission=book.commission,
    )


def tied_up(instrument: Instrument, quantity: Decimal, price: Decimal) -> Decimal:
    """What a position of that signed quantity ties up."""
    if instrument.kind == "future":
        return instrument.margin * abs(quantity)
    value = abs(quantity) * price * instrument.multiplier
    return value if quantity > 0 else value * SHORT_MARGIN


def short_of_margin(book: Book, wanted: Wanted, price_at: PriceAt) -> Rejected | None:
    """The refusal, with what is required and what is available, if it would tie up more than there is."""
    before = book.held(wanted.contract)
    after = before + wanted.side.sign * wanted.quantity
    if wanted.reduce_only or (abs(after) <= abs(before) and after * before >= 0):
        return None
    instrument, price = instrument_behind(wanted.contract), price_at(wanted.contract)
    account = balances(book, price_at)
    available = account.equity - (account.margin_used - tied_up(instrument, before, price))
    required = tied_up(instrument, after, price)
    return insufficient_margin(required, available) if required > available else None


def insufficient_margin(required: Decimal, available: Decimal) -> Rejected:
    """The refusal for want of margin."""
    return Rejected(
        "insufficient_margin", f"Insufficient margin: {required:,.2f} {CURRENCY} required, {available:,.2f} {CURRENCY} available"
    )


def after_closing(book: Book, root: str, quantity: Decimal, price_at: PriceAt) -> Book:
    """The book as it would be once so much (signed) of the root's positions is closed at the present prices."""
    left = quantity
    for contract, holding in book.holdings.items():
        instrument = instrument_behind(contract)
        if instrument.root == root and holding.quantity * left > 0:
            closed = min(abs(left), abs(holding.quantity)).copy_sign(left)
            book = book.traded(instrument, contract, -closed, price_at(contract))[0]
            left -= closed
    return book
