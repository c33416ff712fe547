"""The order record: one signal for one account, its legs at the broker, and every step it took."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from fillpath.accounts.model import Gate
from fillpath.ids import client_order_id


class Source(StrEnum):
    """Who wanted the order."""

    WEBHOOK = "webhook"
    DASHBOARD = "dashboard"
    STRATEGY = "strategy"
    RISK = "risk"
    API = "api"


class Side(StrEnum):
    """What is done at the broker."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @classmethod
    def of(cls, signed: Decimal) -> "Side":
        """The side that changes a position by `signed`."""
        return cls.BUY if signed > 0 else cls.SELL


class OrderType(StrEnum):
    """How the broker is to fill it."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"
    OCO = "oco"
    """An exit pair, a limit (take profit) and a stop (stop loss): what fills of one is taken off the other."""


class Operation(StrEnum):
    """What a signal wants, once its words are understood."""

    ENTER_LONG = "enter_long"
    ENTER_SHORT = "enter_short"
    EXIT_LONG = "exit_long"
    EXIT_SHORT = "exit_short"
    CLOSE_LONG = "close_long"
    CLOSE_SHORT = "close_short"
    CLOSE = "close"
    CANCEL = "cancel"
    TARGET = "target"


class OrderState(StrEnum):
    """Where an order is. The last six never change."""

    QUEUED = "QUEUED"
    SUBMITTING = "SUBMITTING"
    CLOSING = "CLOSING"
    OPENING = "OPENING"
    WORKING = "WORKING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    UNKNOWN = "UNKNOWN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    ABORTED = "ABORTED"
    SKIPPED = "SKIPPED"

    @property
    def ended(self) -> bool:
        """Whether this is an end state."""
        return self in _ENDED


_ENDED = frozenset(
    {
        OrderState.FILLED,
        OrderState.CANCELLED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.ABORTED,
        OrderState.SKIPPED,
    }
)


class LegStatus(StrEnum):
    """Where one order at the broker is."""

    QUEUED = "QUEUED"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def ended(self) -> bool:
        """Whether the broker will do nothing more with it."""
        return self in {LegStatus.FILLED, LegStatus.CANCELLED, LegStatus.REJECTED, LegStatus.EXPIRED}

    @property
    def in_doubt(self) -> bool:
        """Whether it may or may not be at the broker."""
        return self in {LegStatus.SUBMITTING, LegStatus.UNKNOWN}


class Listing(StrEnum):
    """How an order is listed in its lane; kept on the order so that one transaction can move it."""

    NONE = "none"
    WAITING = "waiting"
    WORKING = "working"
    UNKNOWN = "unknown"


class Lane(NamedTuple):
    """Account and instrument root: the place where one order acts at a time."""

    account_id: str
    root: str

    def __str__(self) -> str:
        return f"{self.account_id}#{self.root}"

    @classmethod
    def parse(cls, text: str) -> "Lane":
        """The lane of its own text; a root never holds the separator."""
        account_id, _, root = text.rpartition("#")
        return cls(account_id, root)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Leg(_Record):
    """One order at the broker. Quantities are positive; fills are the broker's cumulative figures.

    `trail_amount` is in price units, `trail_percent` in percent of the price. An entry with `take_profit` or `stop_loss` is a
    bracket: the broker itself places these exits when the entry fills; `exits_ref` is how the venue names them then. An `oco` leg
    is such a pair: its limit price takes the profit, its stop price stops the loss. The exits of a bracket are an `exits` leg, of
    the entry's quantity: what they really exit is what their entry has filled.

    `open_quantity` is what the venue itself says may still fill (None: unknown), `halved_at` when a pair was first seen with one
    half ended unfilled and the other at work, `absent_since` from when on the venue has not known any more what it had accepted.
    """

    leg: str
    client_order_id: str
    broker_order_id: str | None = None
    contract: str
    side: Side
    quantity: Decimal
    reduce_only: bool = False
    type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    exits_ref: str | None = None
    time_in_force: str = "day"
    status: LegStatus = LegStatus.QUEUED
    prepared_at: datetime | None = None
    submit_by: datetime | None = None
    submitted_at: datetime | None = None
    attempts: int = 0
    checks: int = 0
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    commission: Decimal = Decimal(0)
    filled_at: datetime | None = None
    open_quantity: Decimal | None = None
    halved_at: datetime | None = None
    absent_since: datetime | None = None
    reason: str | None = None
    text: str | None = None

    @property
    def resting(self) -> bool:
        """Whether it is of a kind that waits at the broker for its price."""
        return self.type is not OrderType.MARKET

    @property
    def remaining(self) -> Decimal:
        """What is not filled yet; none of an order that a person enlarged at the broker, and that has filled more."""
        return max(Decimal(0), self.quantity - self.filled_quantity)

    @property
    def overfilled(self) -> bool:
        """Whether more has filled than was ordered here."""
        return self.filled_quantity > self.quantity


class Event(_Record):
    """One step of an order's timeline."""

    at: datetime
    from_state: str | None = None
    to_state: str
    reason: str | None = None


class Order(_Record):
    """One signal for one account. `target` and `prev` are signed positions in the account's own quantity.

    `only_from`: the sides (+1, 0, -1) of which the account must hold one for the order to act. `includes_close`: on a flip,
    `quantity` is what is traded in all (old position plus new), as TradingView's `contracts` is. `at_front`: the contract is the
    venue's front month when the order acts. `one_order_flip`: a reversal may go through zero with one order.

    An entry with `take_profit` or `stop_loss` keeps the exits that its broker places in an order of their own, which rests in the
    same lane: `protection_id` here, `parent_id` there.
    """

    order_id: str
    alert_id: str
    user_id: str
    account_id: str
    venue: str
    simulation: bool = True
    webhook_id: str | None = None
    source: Source = Source.WEBHOOK

    symbol: str
    root: str
    contract: str
    action: str
    order_type: str = "entry"
    operation: Operation
    type: OrderType = OrderType.MARKET
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    time_in_force: str = "day"
    target: Decimal | None = None
    prev: Decimal | None = None
    prev_side: int | None = None
    gate: Gate = Gate.IGNORE
    includes_close: bool = False
    only_from: tuple[int, ...] | None = None
    at_front: bool = False
    one_order_flip: bool = False
    parent_id: str | None = None
    protection_id: str | None = None
    alert_time: datetime
    received_at: datetime
    deadline: datetime | None = None

    state: OrderState = OrderState.QUEUED
    reason: str | None = None
    message: str | None = None
    submitted_at: datetime | None = None

    average_price: Decimal | None = None
    filled_quantity: Decimal = Decimal(0)
    filled_at: datetime | None = None
    commission: Decimal = Decimal(0)

    auto_exit: bool = False
    exit_quantity: Decimal | None = None
    position_before: Decimal | None = None
    held: Decimal | None = None
    reduces: bool = False
    suspended_by: str | None = None
    made_way_for: str | None = None

    legs: tuple[Leg, ...] = ()
    events: tuple[Event, ...] = ()

    listing: Listing = Listing.NONE
    owns_lane: bool = False
    fence: int = 0
    version: int = 0

    @property
    def lane(self) -> Lane:
        """Where it acts."""
        return Lane(self.account_id, self.root)

    @property
    def resting(self) -> bool:
        """Whether it is of a kind that waits at the broker for its price."""
        return self.type is not OrderType.MARKET

    @property
    def bracket(self) -> bool:
        """Whether what it opens is to have exits."""
        return self.take_profit is not None or self.stop_loss is not None

    def leg(self, name: str) -> Leg | None:
        """The leg of that name, if it was prepared."""
        return next((leg for leg in self.legs if leg.leg == name), None)

    @property
    def live_leg(self) -> Leg | None:
        """The newest leg: the one that decides what happens to the order next."""
        return self.legs[-1] if self.legs else None

    def with_leg(self, leg: Leg) -> "Order":
        """The order with this leg put in place of the one of the same name, or added."""
        if self.leg(leg.leg) is None:
            return self.model_copy(update={"legs": (*self.legs, leg)})
        return self.model_copy(update={"legs": tuple(leg if old.leg == leg.leg else old for old in self.legs)})


_HOW = ("type", "limit_price", "stop_price", "trail_amount", "trail_percent", "time_in_force")


def new_leg(
    order: Order, name: str, contract: str, side: Side, quantity: Decimal, *, reduce_only: bool, at_market: bool = False
) -> Leg:
    """A leg not yet sent; its prices and type are the order's unless it is to go `at_market`. What reduces has no bracket."""
    how: dict[str, object] = {"type": OrderType.MARKET} if at_market else {field: getattr(order, field) for field in _HOW}
    if not reduce_only:
        how |= {"take_profit": order.take_profit, "stop_loss": order.stop_loss}
    before = order.leg(name)
    return Leg(
        leg=name,
        attempts=before.attempts if before else 0,
        prepared_at=before.prepared_at if before else None,
        client_order_id=client_order_id(order.order_id, name),
        contract=contract,
        side=side,
        quantity=quantity,
        reduce_only=reduce_only,
        **how,
    )
