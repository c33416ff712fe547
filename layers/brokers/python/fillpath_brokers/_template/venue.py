"""The venue behind the broker facade. Say here what is inferred from no document, and which setting corrects it.

Every method is there. Required: the venue is none without it. Optional: as long as its capability is false it raises Unsupported.
Once there is more than fits on a page, compose it: `fillpath_brokers.composed` has the parts, and what all venues do alike.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime
from decimal import Decimal

from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import Unsupported
from fillpath.market.bars import Gap, History, Interval
from fillpath.market.instruments import Resolved
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView, Outcome, Position, Rejected
from fillpath_brokers._template.capabilities import CAPABILITIES, KEY, NAME
from fillpath_brokers.facade import (
    Balances,
    BrokerOrder,
    Change,
    Execution,
    Feed,
    MarketEvent,
    OrderRef,
    OrderUpdate,
    VenueAccount,
)
from fillpath_brokers.services import Services


class TemplateBroker:
    """One account at the venue."""

    key = KEY
    name = NAME

    def __init__(self, account_id: str, services: Services) -> None:
        self._account_id = account_id
        self._services = services

    @property
    def capabilities(self) -> Capabilities:
        """Required. Those of the venue, corrected by the account's settings."""
        return CAPABILITIES

    def supports(self, symbol: str) -> bool:
        """Required. Whether the symbol, in any spelling, can be traded here."""
        return False

    def contract(self, symbol: str) -> Resolved:
        """Required. See `fillpath_brokers.canonical.understood`."""
        raise Unsupported(f"{NAME} does not trade {symbol}")

    def to_venue(self, symbol: str) -> str:
        """Required."""
        raise Unsupported(f"{NAME} does not trade {symbol}")

    def to_canonical(self, symbol: str) -> str:
        """Required. `to_canonical(to_venue(x)) == x`."""
        raise Unsupported(f"{NAME} does not trade {symbol}")

    def front_month(self, root: str) -> str:
        """Optional: `front_month`."""
        raise Unsupported(f"{NAME} does not say what the front month of {root} is")

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Required where it can trade. Asked before a position is closed for a new one, so that a refusal comes in time."""
        return Rejected("unsupported", f"{NAME} takes no orders")

    def submit(self, leg: Leg) -> Outcome:
        """Required where it can trade. One request, never repeated: see `fillpath_brokers.sending`."""
        raise Unsupported(f"{NAME} takes no orders")

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Optional: `replace`."""
        raise Unsupported(f"{NAME} cannot change an order")

    def cancel(self, ref: OrderRef) -> None:
        """Required where it can trade. What has ended already is no error."""
        raise Unsupported(f"{NAME} takes no orders")

    def order(self, ref: OrderRef) -> LegView | None:
        """Required where it can trade. None only on the venue's own word that it shows no such order."""
        raise Unsupported(f"{NAME} takes no orders")

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Required where it can trade."""
        raise Unsupported(f"{NAME} takes no orders")

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """Required where it can trade."""
        raise Unsupported(f"{NAME} takes no orders")

    def accounts(self) -> tuple[VenueAccount, ...]:
        """Required. The harmless call that proves the credentials."""
        raise Unsupported(f"{NAME} has no accounts")

    def positions(self) -> tuple[Position, ...]:
        """Required where it can trade."""
        raise Unsupported(f"{NAME} has no positions")

    def balances(self) -> Balances:
        """Required where it can trade."""
        raise Unsupported(f"{NAME} has no balances")

    def cancel_all(self) -> None:
        """Required where it can trade."""
        raise Unsupported(f"{NAME} takes no orders")

    def liquidate(self, contract: str) -> None:
        """Required where it can trade."""
        raise Unsupported(f"{NAME} takes no orders")

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Optional: `history`. See `fillpath_brokers.gaps`."""
        raise Unsupported(f"{NAME} gives no bars")

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Optional: `can_stream_data`. See `fillpath_brokers.streaming`."""
        raise Unsupported(f"{NAME} streams no market data")

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Optional: `can_stream_data`."""
        raise Unsupported(f"{NAME} streams no market data")

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Optional: `can_stream_orders`."""
        raise Unsupported(f"{NAME} streams no orders")

    def close(self) -> None:
        """Required. End the account's streams."""


def open_account(account_id: str, services: Services) -> TemplateBroker:
    """Required. The account at the venue."""
    return TemplateBroker(account_id, services)
