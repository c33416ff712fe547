"""The ports of the use cases as one host reaches them: over lines that take time and fail, to what the cloud keeps."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.accounts.ports.controls import Halt
from fillpath.alerts.ports.alert_store import GUARD_KEPT, Context, InboxEntry
from fillpath.orders.model import Lane, Leg, Order
from fillpath.orders.outcomes import LegView, Outcome, Position, RateLimited, Rejected, Unknown
from fillpath.orders.ports.desk import AccountRef
from fillpath.orders.ports.order_store import LaneView
from fillpath.orders.ports.reversal_runner import ExecutionStatus
from fillpath.orders.ports.verification_queue import Check
from tests.fakes.alert_store import FakeAlertStore
from tests.fakes.controls import FakeControls
from tests.simulation.history import Asked, History, Send
from tests.simulation.host import AWS, BROKER, Host, RateLimitStruck
from tests.simulation.queues import FifoQueue
from tests.simulation.tables import RecordedOrders
from tests.simulation.venue import Venue
from tests.simulation.workflow import Workflows


class Unanswered(Exception):
    """A submit without a readable answer."""


SUBMIT = BROKER._replace(error=Unanswered)
_LATE_AT_MOST_S, _SKEW_S = 60.0, 2.0


class Orders:
    """OrderStore of a host."""

    def __init__(self, host: Host, store: RecordedOrders) -> None:
        self._host = host
        self._store = store

    def get(self, order_id: str) -> Order:
        """One order."""
        return self._host.call("orders.get", AWS, self._store.get, order_id)

    def lane(self, lane: Lane) -> LaneView:
        """One lane."""
        return self._host.call("orders.lane", AWS, self._store.lane, lane)

    def take(self, view: LaneView, order: Order, run_until: datetime) -> Order:
        """Make `order` the owner."""
        return self._host.call("orders.take", AWS, self._store.take, view, order, run_until)

    def save(self, old: Order, new: Order, *, reduced_at: datetime | None = None) -> Order:
        """Write `new` over `old`."""
        return self._host.call("orders.save", AWS, self._store.save, old, new, reduced_at)

    def add(self, order: Order) -> None:
        """Put a new order there."""
        self._host.call("orders.add", AWS, self._store.add, order)

    def open_orders(self) -> Iterable[Order]:
        """What the sweeper looks at."""
        return self._host.call("orders.open_orders", AWS, self._store.open_orders)

    def of_user(self, user_id: str, limit: int) -> tuple[Order, ...]:
        """Nothing in the simulation lists orders."""
        raise NotImplementedError


class Lanes:
    """LaneQueue of a host."""

    def __init__(self, host: Host, queue: FifoQueue) -> None:
        self._host = host
        self._queue = queue

    def wake(self, lane: Lane, wake_id: str) -> None:
        """Wake the lane."""
        self._host.call("lanes.wake", AWS, self._queue.send, str(lane), wake_id, lane)


class Checks:
    """VerificationQueue of a host."""

    def __init__(self, host: Host, queue: FifoQueue, history: History) -> None:
        self._host = host
        self._queue = queue
        self._history = history

    def check(self, check: Check) -> None:
        """Have the leg checked."""
        self._host.call("checks.check", AWS, self._sent, check)

    def _sent(self, check: Check) -> None:
        self._queue.send(check.group, check.check_id, check)
        self._history.checks.append(Asked(self._host.true_now, check.order_id, check.leg, check.attempt))

    def give_up(self, check: Check, reason: str) -> None:
        """Put the check where an alarm sees it."""
        self._host.call("checks.give_up", AWS, self._history.dead_letters.append, f"{check.group}: {reason}")


class Reversals:
    """ReversalRunner of a host."""

    def __init__(self, host: Host, workflows: Workflows) -> None:
        self._host = host
        self._workflows = workflows

    def start(self, order_id: str) -> None:
        """Start the execution."""
        self._host.call("reversals.start", AWS, self._workflows.start, order_id)

    def status(self, order_id: str) -> ExecutionStatus:
        """Where the execution is."""
        return self._host.call("reversals.status", AWS, self._workflows.status, order_id)


class Controls:
    """Controls of a host."""

    def __init__(self, host: Host, flags: FakeControls) -> None:
        self._host = host
        self._flags = flags

    def halted(self, user_id: str, account_id: str) -> Halt | None:
        """The widest halt."""
        return self._host.call("controls.halted", AWS, self._flags.halted, user_id, account_id)

    def halt(self, scope: str, at: datetime, reason: str) -> None:
        """Set a flag."""
        self._host.call("controls.halt", AWS, self._flags.halt, scope, at, reason)

    def resume(self, scope: str) -> None:
        """Clear a flag."""
        self._host.call("controls.resume", AWS, self._flags.resume, scope)


class Alerts:
    """AlertStore of a host."""

    def __init__(self, host: Host, alerts: FakeAlertStore, store: RecordedOrders) -> None:
        self._host = host
        self._alerts = alerts
        self._store = store

    def owner_of(self, token_digest: str) -> TokenOwner | None:
        """The webhook behind a token."""
        return self._host.call("alerts.owner_of", AWS, self._alerts.owner_of, token_digest)

    def context(self, owner: TokenOwner, guard: str, now: datetime) -> Context:
        """All that decides."""
        return self._host.call("alerts.context", AWS, self._alerts.context, owner, guard, now)

    def accept(self, guard: str, orders: tuple[Order, ...], entry: InboxEntry, kept: timedelta = GUARD_KEPT) -> None:
        """The one transaction."""
        self._host.call("alerts.accept", AWS, self._store.accept, guard, orders, entry, kept)

    def record(self, entry: InboxEntry) -> None:
        """Keep a refusal."""
        self._host.call("alerts.record", AWS, self._alerts.record, entry)

    def count(self, webhook_id: str, day: str) -> None:
        """Raise the counter."""
        self._host.call("alerts.count", AWS, self._alerts.count, webhook_id, day)

    def entered(self, webhook_id: str, root: str, at: datetime) -> None:
        """Mark an entry."""
        self._host.call("alerts.entered", AWS, self._alerts.entered, webhook_id, root, at)


class Desk:
    """Desk of a host."""

    def __init__(self, host: Host, venue: Venue, history: History) -> None:
        self._host = host
        self._venue = venue
        self._history = history
        quarantine = venue.known.quarantine_s
        self._submit = SUBMIT._replace(late_s=_LATE_AT_MOST_S if quarantine is None else quarantine - _SKEW_S)

    def capabilities(self, account: AccountRef) -> Capabilities:
        """What the venue can do: no call, it stands in the registry."""
        return self._venue.known

    def positions(self, account: AccountRef, root: str) -> tuple[Position, ...]:
        """What is held."""
        return self._host.call("desk.positions", BROKER, self._venue.positions, account, root)

    def front_month(self, account: AccountRef, root: str) -> str:
        """The calendar's contract is everybody's here."""
        raise NotImplementedError

    def precheck(self, account: AccountRef, leg: Leg, after_closing: object) -> Rejected | None:
        """The simulated venue refuses only what is sent."""
        return self._host.call("desk.precheck", BROKER, lambda: None)

    def closed(self, account: AccountRef, contract: str) -> str | None:
        """The simulated market never closes; no call, hours are known beforehand."""
        return None

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        """Send it once."""
        lane = Lane(account.account_id, leg.contract[:-2])
        self._history.sends.append(Send(self._host.true_now, leg.client_order_id[:26], lane, leg))
        try:
            return self._host.call("desk.submit", self._submit, self._venue.submit, account, leg)
        except Unanswered as exc:
            return Unknown(str(exc))
        except RateLimitStruck:
            return RateLimited(2.0, "slow down")

    def look_up(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> LegView | None:
        """The leg as the venue shows it."""
        return self._host.call("desk.look_up", BROKER, self._venue.look_up, account, leg, others)

    def cancel(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> None:
        """Ask for the cancellation."""
        self._host.call("desk.cancel", BROKER, self._venue.cancel, account, leg, others)
