"""Accept: the layers that an alert passes, in order, and the one transaction that makes it orders.

token -> user; time not stale; secret; replay hash; then, for entries, what the user and the account allow. Every hit on a known
token is kept in the inbox with the layer that decided and its reason.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.accounts.ports.master_key import MasterKey
from fillpath.accounts.tokens import is_secret, token_digest, webhook_secret, webhook_token
from fillpath.alerts.body import read_object
from fillpath.alerts.canonical import CanonicalAlert
from fillpath.alerts.dialects import understand
from fillpath.alerts.ports.alert_store import AlertStore, Context, InboxEntry
from fillpath.alerts.ports.venues import Venues
from fillpath.alerts.route import draft_orders, reduces
from fillpath.errors import Refused, Replayed, StorageUnavailable
from fillpath.ids import new_id
from fillpath.orders.model import Listing, Order
from fillpath.orders.ports.lane_queue import LaneQueue

_log = logging.getLogger(__name__)
_FUTURE_S = 10
_MASK = "***"


@dataclass(frozen=True, slots=True)
class Hit:
    """One request: the token of its path, its raw body, and when the gateway received it."""

    token: str | None
    body: bytes
    received_at: datetime


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
    early = None if hit.token else _parsed(hit.body)
    owner = _owner(hit.token or (early[1].token if early else None), hit, desks)
    entry = _Entry(hit, owner)
    try:
        raw, alert = early or _parsed(hit.body)
        return _decide(alert, raw, owner, entry, hit, desks)
    except Refused as refusal:
        told = entry.without_secrets(refusal, desks)
        entry.keep(told.code, told.message, told.details, desks)
        raise told from None
    except Replayed as replay:
        entry.keep("replayed_alert", str(replay), {"alert_id": replay.alert_id}, desks)
        raise


def _parsed(body: bytes) -> tuple[Mapping[str, Any], CanonicalAlert]:
    raw = read_object(body)
    return raw, understand(raw)


def _owner(token: str | None, hit: Hit, desks: Desks) -> TokenOwner:
    if not token:
        raise Refused(
            "unknown_token", "the token is missing: post to /webhook/tradingview/<token>, or send it as token in the body"
        )
    owner = desks.alerts.owner_of(token_digest(token))
    if owner is None or (owner.expires_at is not None and owner.expires_at < hit.received_at):
        raise Refused("unknown_token", "no webhook has this token; ./fillpath webhook list --show-secrets shows them")
    return owner


def _decide(
    alert: CanonicalAlert, raw: Mapping[str, Any], owner: TokenOwner, entry: "_Entry", hit: Hit, desks: Desks
) -> AcceptedAlert:
    guard = replay_hash(owner.webhook_id, raw)
    context = desks.alerts.context(owner, _day(hit.received_at), guard)
    entry.layer = "time"
    _check_time(alert, context, hit.received_at)
    entry.knows(desks)
    entry.layer = "secret"
    _check_secret(alert, owner, desks)
    entry.layer = "replay"
    if context.replay_of:
        raise Replayed(*context.replay_of)
    entry.layer = "rules"
    _check_daily_limit(alert, context, hit.received_at)
    orders = draft_orders(alert, context, entry.alert_id, hit.received_at, desks.venues)
    entry.layer = "commit"
    desks.alerts.accept(guard, orders, entry.record("accepted", "", {}, tuple(order.order_id for order in orders)))
    _send(orders, desks)
    _count(alert, context, hit.received_at, desks)
    wait_s = context.webhook.wait_s
    return AcceptedAlert(entry.alert_id, orders, None if wait_s is None else float(wait_s))


def send_unsent(orders: tuple[Order, ...], desks: Desks) -> None:
    """Wake the lanes of a replayed alert's orders again: one whose wake-up was lost goes on from here."""
    _send(tuple(order for order in orders if order.listing is Listing.WAITING), desks)


def replay_hash(webhook_id: str, raw: Mapping[str, Any]) -> str:
    """SHA-256 over the webhook and the parsed alert without its secret, in hex: the same alert spelt differently is the same."""
    content = {key: value for key, value in raw.items() if key not in {"secret", "token"}}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(f"{webhook_id}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def _check_time(alert: CanonicalAlert, context: Context, received_at: datetime) -> None:
    age = (received_at - alert.timestamp).total_seconds()
    limit = context.webhook.reduction_staleness_s if reduces(alert) else context.webhook.entry_staleness_s
    if age > limit:
        raise Refused("stale_alert", f"timestamp: is {age:.0f} s old; this webhook takes {limit} s for this kind of signal")
    if age < -_FUTURE_S:
        raise Refused("stale_alert", f"timestamp: lies {-age:.0f} s in the future; send {{{{timenow}}}}")


def _check_secret(alert: CanonicalAlert, owner: TokenOwner, desks: Desks) -> None:
    expected = webhook_secret(desks.master_key.read(), owner.webhook_id, owner.generation)
    if alert.secret is None or not is_secret(alert.secret, expected):
        word = "is missing" if alert.secret is None else "is wrong"
        raise Refused("bad_secret", f"secret: {word}; ./fillpath webhook list --show-secrets shows it")


def _check_daily_limit(alert: CanonicalAlert, context: Context, now: datetime) -> None:
    limit = context.webhook.daily_limit
    if limit is not None and context.accepted_today >= limit and not reduces(alert):
        reset = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        text = f"this webhook's limit of {limit} entries a day is used up; it starts again at {reset:%Y-%m-%dT%H:%M:%SZ}"
        raise Refused("daily_limit", text, {"limit": limit, "resets_at": f"{reset:%Y-%m-%dT%H:%M:%SZ}"})


def _send(orders: tuple[Order, ...], desks: Desks) -> None:
    for order in orders:
        if order.listing is not Listing.WAITING:
            continue
        try:
            desks.lanes.wake(order.lane, order.order_id)
        except StorageUnavailable:
            _log.warning("order %s is kept but its lane was not woken; the table's stream will", order.order_id)


def _count(alert: CanonicalAlert, context: Context, now: datetime, desks: Desks) -> None:
    if reduces(alert):
        return
    try:
        desks.alerts.count(context.webhook.webhook_id, _day(now))
    except StorageUnavailable:
        _log.warning("an entry of webhook %s was not counted against its daily limit", context.webhook.webhook_id)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


class _Entry:
    """The inbox entry in the making: knows which layer is deciding."""

    def __init__(self, hit: Hit, owner: TokenOwner) -> None:
        self.alert_id = new_id(hit.received_at)
        self.layer = "parse"
        self._hit = hit
        self._owner = owner
        self._secrets: tuple[str, ...] = (hit.token,) if hit.token else ()

    def knows(self, desks: Desks) -> None:
        """From here on no text of this entry shows the webhook's own secret or token."""
        try:
            key = desks.master_key.read()
        except StorageUnavailable:
            return
        owner = self._owner
        make = (webhook_secret, webhook_token)
        self._secrets += tuple(each(key, owner.webhook_id, owner.generation) for each in make)

    def without_secrets(self, refusal: Refused, desks: Desks) -> Refused:
        self.knows(desks)
        details = json.loads(_scrubbed(json.dumps(refusal.details, default=str), self._secrets))
        return type(refusal)(refusal.code, _scrubbed(refusal.message, self._secrets), details)

    def record(self, code: str, reason: str, details: dict[str, Any], order_ids: tuple[str, ...] = ()) -> InboxEntry:
        return InboxEntry(
            alert_id=self.alert_id,
            user_id=self._owner.user_id,
            webhook_id=self._owner.webhook_id,
            received_at=self._hit.received_at,
            code=code,
            layer=self.layer,
            reason=reason,
            body=_scrubbed(masked(self._hit.body), self._secrets),
            order_ids=order_ids,
            details=details,
        )

    def keep(self, code: str, reason: str, details: dict[str, Any], desks: Desks) -> None:
        """A refusal stands whether or not it can be kept."""
        try:
            desks.alerts.record(self.record(code, reason, details))
        except StorageUnavailable:
            _log.warning("alert %s was refused (%s) and could not be kept in the inbox", self.alert_id, code)


def masked(body: bytes) -> str:
    """The body for the inbox, without its secret; a body that cannot be read is kept only by its length."""
    try:
        raw = read_object(body)
    except Refused:
        return f"<{len(body)} bytes that are not a JSON object>"
    shown = {key: _MASK if key in {"secret", "token"} else value for key, value in raw.items()}
    return json.dumps(shown, default=str, ensure_ascii=False).encode("utf-8", "replace").decode()


def _scrubbed(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, _MASK)
    return text
