"""Preview: what an alert would become now, and every reason against it. It passes the layers of `accept`, and writes nothing.

Accept stops at the first reason, here all are told. What another order of the lane may be doing meanwhile is not looked at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.accounts.ports.master_key import MasterKey
from fillpath.alerts.case import Case, Hit, Sender, open_case, sender_of
from fillpath.alerts.checks import objections
from fillpath.alerts.inbox import Entry
from fillpath.alerts.ports.alert_store import AlertStore
from fillpath.alerts.ports.venues import Venues
from fillpath.alerts.route import Draft, drafts
from fillpath.errors import BrokerError, Refused, Replayed
from fillpath.orders.model import Operation, Order
from fillpath.orders.outcomes import Position
from fillpath.orders.plan import Nothing, Plan, Refusal, Reversal, Trade, plan

Positions = Callable[[Order], tuple[Position, ...]]
"""What the order's account holds of its root; raises BrokerError."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a preview reads."""

    alerts: AlertStore
    master_key: MasterKey
    venues: Venues


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for a refusal, and the layer that has it."""

    code: str
    layer: str
    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done: `nothing`, `refusal`, `cancel`, `trade`, `reversal`, or `unknown` where the venue shows no position.

    Quantities are positive: `close` of what is held, then `open`. `after` is the signed position if all of it fills.
    """

    kind: str
    reason: str = ""
    side: str | None = None
    close: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    after: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RoutePreview:
    """The order that one route would get. `held` by contract, `before` their signed sum; None where the venue does not say."""

    order: Order
    held: dict[str, Decimal] | None
    before: Decimal | None
    planned: Planned
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything about an alert that can be known without executing it; `canonical` without secrets."""

    received_at: datetime
    webhook_id: str | None = None
    dialect: str = ""
    canonical: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    routes: tuple[RoutePreview, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the alert would be refused as a whole."""
        return bool(self.reasons) or all(route.reasons for route in self.routes)


def preview(hit: Hit, sources: Sources, positions: Positions) -> Preview:
    """What would become of the hit; raises StorageUnavailable only."""
    try:
        sender = sender_of(hit, sources.alerts, sources.master_key)
    except Refused as refusal:
        return Preview(hit.received_at, reasons=(Reason(refusal.code, "token", refusal.message),))
    entry = Entry(hit, sender)
    try:
        case = open_case(hit, sender, sources.alerts)
    except Refused as refusal:
        return Preview(hit.received_at, sender.owner.webhook_id, reasons=(_reason(refusal, "parse", entry),))
    entry.understood(case)
    return _of_case(case, sender, entry, sources, positions)


def _of_case(case: Case, sender: Sender, entry: Entry, sources: Sources, positions: Positions) -> Preview:
    reasons = [_reason(objection.error, objection.layer, entry) for objection in objections(case)]
    drafted: tuple[Draft, ...] = ()
    try:
        drafted = drafts(case.alert, case.context, entry.alert_id, case.hit.received_at, sources.venues)
    except Refused as refusal:
        reasons.append(_reason(refusal, "rules", entry))
    understood = entry.record("preview")
    return Preview(
        received_at=case.hit.received_at,
        webhook_id=sender.owner.webhook_id,
        dialect=understood.dialect,
        canonical=understood.canonical,
        limits=dict(_limits(case)),
        reasons=tuple(reasons),
        routes=tuple(_route(draft, case, entry, positions) for draft in drafted),
    )


def _reason(error: Refused | Replayed, layer: str, entry: Entry) -> Reason:
    if isinstance(error, Replayed):
        return Reason("replayed_alert", layer, str(error))
    told = entry.without_secrets(error)
    return Reason(told.code, layer, told.message)


def _limits(case: Case) -> Iterator[tuple[str, Any]]:
    """The webhook's own, and how much of the day's is used up."""
    webhook = case.webhook
    yield "daily_limit", webhook.daily_limit
    yield "accepted_today", case.context.accepted_today
    yield "symbols", list(webhook.symbols)
    yield "windows", list(webhook.windows)
    yield "cooldown_s", webhook.cooldown_s


def _route(draft: Draft, case: Case, entry: Entry, positions: Positions) -> RoutePreview:
    order = draft.order
    reasons = tuple(_reason(Refused(code, text), "rules", entry) for code, text in draft.refusals)
    account = case.context.accounts.get(order.account_id)
    ours = account is not None and account.user_id == case.context.user.user_id
    held = _held(order, positions) if ours else None
    before = None if held is None else sum(held.values(), Decimal(0))
    return RoutePreview(order, held, before, _planned(order, before), reasons)


def _held(order: Order, positions: Positions) -> dict[str, Decimal] | None:
    try:
        return {position.contract: position.quantity for position in positions(order)}
    except BrokerError:
        return None


def _planned(order: Order, before: Decimal | None) -> Planned:
    if order.operation is Operation.CANCEL:
        return Planned("cancel", after=before)
    if before is None:
        return Planned("unknown", "position_unknown")
    return _shown(plan(order, before), before)


def _shown(decision: Plan, before: Decimal) -> Planned:
    match decision:
        case Nothing(reason):
            return Planned("nothing", reason, after=before)
        case Refusal(reason):
            return Planned("refusal", reason, after=before)
        case Trade(side, quantity, reduces=True):
            return Planned("trade", side=side, close=quantity, after=before + side.sign * quantity)
        case Trade(side, quantity):
            return Planned("trade", side=side, open=quantity, after=before + side.sign * quantity)
        case Reversal(side, quantity):
            return Planned("reversal", side=side, close=abs(before), open=quantity, after=side.sign * quantity)
