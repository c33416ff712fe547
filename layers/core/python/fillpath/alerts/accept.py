"""Accept: the layers that an alert passes, in order, and the one transaction that makes it orders.

token -> webhook; what the message means; time not stale; secret; replay hash; then, for entries, what webhook, user and account
allow. Every hit on a known token is kept in the inbox with the layer that decided and its reason.
"""

import logging
from dataclasses import dataclass

from fillpath.accounts.ports.master_key import MasterKey
from fillpath.alerts.case import Case, Hit, open_case, sender_of
from fillpath.alerts.checks import guard_kept, objections
from fillpath.alerts.inbox import Entry
from fillpath.alerts.ports.alert_store import AlertStore
from fillpath.alerts.ports.venues import Venues
from fillpath.alerts.route import draft_orders, reduces
from fillpath.errors import Refused, Replayed, StorageUnavailable
from fillpath.orders.model import Listing, Order
from fillpath.orders.ports.lane_queue import LaneQueue

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desks:
    """What accepting an alert needs from outside."""

    alerts: AlertStore
    lanes: LaneQueue
    master_key: MasterKey
    venues: Venues


@dataclass(frozen=True, slots=True)
class AcceptedAlert:
    """What the alert became; `wait_s` is the webhook's own setting, if it has one."""

    alert_id: str
    orders: tuple[Order, ...]
    wait_s: float | None


def accept(hit: Hit, desks: Desks) -> AcceptedAlert:
    """Turn the hit into orders and wake their lanes. Refused with a code; Replayed; StorageUnavailable before the commit."""
    sender = sender_of(hit, desks.alerts, desks.master_key)
    entry = Entry(hit, sender)
    try:
        case = open_case(hit, sender, desks.alerts)
        orders = _commit(case, entry, desks)
    except Refused as refusal:
        told = entry.without_secrets(refusal)
        entry.keep(entry.record(told.code, told.message, told.details), desks.alerts)
        raise told from None
    except Replayed as replay:
        entry.keep(entry.record("replayed_alert", str(replay), {"alert_id": replay.alert_id}), desks.alerts)
        raise
    _send(orders, desks)
    _note_entry(case, orders, desks)
    wait_s = case.webhook.wait_s
    return AcceptedAlert(entry.alert_id, orders, None if wait_s is None else float(wait_s))


def send_unsent(orders: tuple[Order, ...], desks: Desks) -> None:
    """Wake the lanes of a replayed alert's orders again: one whose wake-up was lost goes on from here."""
    _send(tuple(order for order in orders if order.listing is Listing.WAITING), desks)


def _commit(case: Case, entry: Entry, desks: Desks) -> tuple[Order, ...]:
    entry.understood(case)
    for objection in objections(case):
        entry.layer = objection.layer
        raise objection.error
    entry.layer = "rules"
    orders = draft_orders(case.alert, case.context, entry.alert_id, case.hit.received_at, desks.venues)
    entry.layer = "commit"
    record = entry.record("accepted", order_ids=tuple(order.order_id for order in orders))
    desks.alerts.accept(case.guard, orders, record, guard_kept(case))
    return orders


def _send(orders: tuple[Order, ...], desks: Desks) -> None:
    for order in orders:
        if order.listing is not Listing.WAITING:
            continue
        try:
            desks.lanes.wake(order.lane, order.order_id)
        except StorageUnavailable:
            _log.warning("order %s is kept but its lane was not woken; the table's stream will", order.order_id)


def _note_entry(case: Case, orders: tuple[Order, ...], desks: Desks) -> None:
    """For the daily limit and the cooldown: not part of the transaction, where alerts of one webhook would fail each other."""
    if reduces(case.alert):
        return
    webhook, at = case.webhook, case.hit.received_at
    try:
        desks.alerts.count(webhook.webhook_id, f"{at:%Y-%m-%d}")
        if webhook.cooldown_s:
            desks.alerts.entered(webhook.webhook_id, orders[0].root, at)
    except StorageUnavailable:
        _log.warning("an entry of webhook %s was not counted for its limits", webhook.webhook_id)
