"""BrokerDesk: the orders' `Desk` over the broker facade, in the same process.

Foreign errors become outcomes or BrokerUnavailable here.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Account, OutsideHours
from fillpath.errors import BrokerError, BrokerUnavailable, NeedsReauth, NotFound, NotSent, StorageUnavailable, Unsupported
from fillpath.market.instruments import instrument_of
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView, Outcome, Position, RateLimited, Rejected, Unknown
from fillpath.orders.ports.desk import AccountRef
from fillpath_brokers import registry
from fillpath_brokers.facade import Broker, OrderRef
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.services import Services
from fillpath_brokers.web import LONGEST_WAIT_S

Answer = TypeVar("Answer")
OpenAccount = Callable[[str, str, Services], Broker]

_log = logging.getLogger(__name__)
_READ_AGAIN = timedelta(seconds=60)
_SIGN_IN_S = 30.0


@dataclass(slots=True)
class _Open:
    """A broker that was opened for an account as its record was then; None where the venue needs no record."""

    broker: Broker
    record: Account | None
    read_at: datetime


class BrokerDesk:
    """Opens each account's broker once (`open_account`: venue, account id, services), and again once its settings changed."""

    def __init__(self, services: Services, open_account: OpenAccount = registry.open_account) -> None:
        self._services = services
        self._open_account = open_account
        self._market_hours = MarketHours(services.hours, services.clock)
        self._open: dict[AccountRef, _Open] = {}

    def capabilities(self, account: AccountRef) -> Capabilities:
        """What the account's venue can do."""
        return registry.capabilities(account.venue)

    def positions(self, account: AccountRef, root: str) -> tuple[Position, ...]:
        """Every held contract of the root, without flat ones."""
        held = self._ask(account, lambda broker: broker.positions())
        return tuple(position for position in held if position.root == root and position.quantity)

    def front_month(self, account: AccountRef, root: str) -> str:
        """The contract that the venue holds for the front month of the root."""
        return self._ask(account, lambda broker: broker.front_month(root))

    def precheck(self, account: AccountRef, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether the leg would be refused now, once `after_closing` (signed) of the root is closed."""
        closed = self._ask(account, lambda _: self._closed(account, leg))
        return closed or self._ask(account, lambda broker: broker.precheck(leg, after_closing))

    def closed(self, account: AccountRef, contract: str) -> str | None:
        """Why a market order of the contract would not be sent, or be refused by the venue, until its market opens."""
        return self._ask(account, lambda _: self._closed_text(account, contract))

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        """Send it once, before its `submit_by`. Never raises: what is not understood is Unknown."""
        try:
            sent = self._prepared(account, leg)
        except StorageUnavailable as exc:
            return RateLimited(1.0, f"the account could not be read: {exc}")
        except NotFound as exc:
            return Rejected("account_removed", f"the account is not there any more: {exc}")
        except BrokerError as exc:
            return _not_sent(exc, leg)
        if not isinstance(sent, Leg):
            return sent
        try:
            return self._broker(account).submit(sent)
        except (Unsupported, NeedsReauth, NotSent) as exc:
            return _not_sent(exc, leg)
        except Exception as exc:  # noqa: BLE001  the boundary to the venues: whatever went wrong, the order may be there
            _log.exception("submit at %s ended without a readable answer: %s", account.venue, leg.client_order_id)
            return Unknown(f"{account.venue}: {type(exc).__name__}")

    def look_up(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> LegView | None:
        """The leg as the broker shows it, none of `others`; None: the broker shows no such order."""
        return self._ask(account, lambda broker: broker.order(_ref(leg, others)))

    def cancel(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> None:
        """Ask for the cancellation."""
        self._ask(account, lambda broker: broker.cancel(_ref(leg, others)))

    def close(self) -> None:
        """Close every account that was opened."""
        while self._open:
            self._open.popitem()[1].broker.close()

    def _prepared(self, account: AccountRef, leg: Leg) -> Leg | Outcome:
        """The leg as it is to be sent, or why it is not; nothing has been sent by then."""
        prepared = _undeclared(account, leg) or self._closed(account, leg) or self._reducing(account, leg)
        self._broker(account)
        begins_by = leg.submit_by and leg.submit_by - timedelta(seconds=LONGEST_WAIT_S)
        if isinstance(prepared, Leg) and begins_by and self._services.clock.now() >= begins_by:
            return RateLimited(0.0, "the time to send it was over before it could be sent")
        return prepared

    def _closed(self, account: AccountRef, leg: Leg) -> Rejected | None:
        """A market order that the venue would keep until the open is refused until then, unless its account wants it kept.

        One that only reduces is no exception: left there without a word, it would meet a position that is another by then.
        """
        if leg.resting or not registry.capabilities(account.venue).queues_when_closed:
            return None
        text = self._closed_text(account, leg.contract)
        return Rejected("market_closed", text) if text else None

    def _closed_text(self, account: AccountRef, contract: str) -> str | None:
        able = registry.capabilities(account.venue)
        if not (able.queues_when_closed or able.refuses_when_closed):
            return None
        self._broker(account)
        record, instrument = self._open[account].record, instrument_of(contract)
        if record is None or instrument is None:
            return None
        if able.queues_when_closed and record.outside_hours is OutsideHours.QUEUE:
            return None
        return self._market_hours.closed_text(instrument, contract)

    def _reducing(self, account: AccountRef, leg: Leg) -> Leg | Outcome:
        """What only reduces is cut to what is held just now, where the venue itself would let it cross zero."""
        if not leg.reduce_only or leg.resting or registry.capabilities(account.venue).reduce_only:
            return leg
        held = sum((p.quantity for p in self._ask(account, lambda b: b.positions()) if p.contract == leg.contract), Decimal(0))
        left = max(Decimal(0), -leg.side.sign * held)
        if not left:
            return Rejected("nothing_to_reduce", f"nothing is held of {leg.contract} that a {leg.side} would reduce")
        return leg if left >= leg.quantity else leg.model_copy(update={"quantity": left})

    def _ask(self, account: AccountRef, question: Callable[[Broker], Answer]) -> Answer:
        try:
            return question(self._broker(account))
        except BrokerError:
            raise
        except Exception as exc:  # the boundary to the venues: a read that failed says nothing about orders
            raise BrokerUnavailable(f"{account.venue}: {type(exc).__name__}") from exc

    def _broker(self, account: AccountRef) -> Broker:
        now = self._services.clock.now()
        known = self._open.get(account)
        if known and known.read_at + _READ_AGAIN > now:
            return known.broker
        record = self._record(account)
        if known and known.record == record:
            known.read_at = now
            return known.broker
        if known:
            known.broker.close()
        broker = self._open_account(account.venue, account.account_id, self._services)
        self._open[account] = _Open(broker, record, now)
        return broker

    def _record(self, account: AccountRef) -> Account | None:
        needed = registry.capabilities(account.venue).credentials_required
        return self._services.accounts.account(account.account_id) if needed else None


def _undeclared(account: AccountRef, leg: Leg) -> Rejected | None:
    """Kinds that the venue has none of are not sent, whoever asks for them."""
    lacking = registry.capabilities(account.venue).lacks(account.venue, leg.type, leg.time_in_force)
    return Rejected("unsupported", lacking) if lacking else None


def _not_sent(exc: BrokerError, leg: Leg) -> Outcome:
    """What went wrong before anything was sent is evidence that nothing was placed.

    What only reduces waits, as long as its own deadline lets it, for a person who signs in.
    """
    match exc:
        case Unsupported():
            return Rejected("unsupported", str(exc))
        case NeedsReauth() if leg.reduce_only:
            return RateLimited(_SIGN_IN_S, str(exc), "needs_reauth")
        case NeedsReauth():
            return Rejected("needs_reauth", str(exc))
        case NotSent(delay_s=delay_s):
            return RateLimited(delay_s, str(exc))
    return RateLimited(1.0, f"the position could not be read: {exc}")


def _ref(leg: Leg, others: frozenset[str]) -> OrderRef:
    return OrderRef(leg.client_order_id, leg.broker_order_id, leg, others)
