"""A hit becomes a case: whose it is, what its message says by the webhook's settings, and everything that decides about it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from fillpath.accounts.manage import Access
from fillpath.accounts.model import TimeOf, Webhook
from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.accounts.ports.master_key import MasterKey
from fillpath.accounts.tokens import token_digest, webhook_secret, webhook_token
from fillpath.alerts.body import Message, invalid, read_message
from fillpath.alerts.canonical import CanonicalAlert
from fillpath.alerts.dialects.registry import Understood, understand
from fillpath.alerts.masking import scrubbed
from fillpath.alerts.ports.alert_store import AlertStore, Context
from fillpath.alerts.signature import Signature, read_signature
from fillpath.errors import Refused
from fillpath.market.instruments import Resolved, resolve


@dataclass(frozen=True, slots=True)
class Hit:
    """One request: token and secret of its path, its raw body, its signature header, and when the gateway received it."""

    token: str | None = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime
    secret: str | None = field(default=None, repr=False)
    signature: str | None = field(default=None, repr=False)


class Sender(NamedTuple):
    """Who sent a hit: the webhook behind its token, and the token and secret that this generation of it has."""

    owner: TokenOwner
    access: Access


@dataclass(frozen=True, slots=True)
class Case:
    """A hit that is understood. `at` is the moment that it counts from; `timed`: the alert itself tells it."""

    hit: Hit
    sender: Sender
    guard: str
    context: Context
    understood: Understood
    resolved: Resolved
    at: datetime
    timed: bool
    signature: Signature | None = None

    @property
    def alert(self) -> CanonicalAlert:
        """What the message means."""
        return self.understood.alert

    @property
    def webhook(self) -> Webhook:
        """The settings that it is judged by."""
        return self.context.webhook


def sender_of(hit: Hit, alerts: AlertStore, master_key: MasterKey) -> Sender:
    """Who sent the hit; Refused(unknown_token), or (invalid_alert) where the token stands in a body that cannot be read."""
    token = hit.token or _token_in(hit.body)
    if not token:
        raise Refused(
            "unknown_token", "the token is missing: post to /webhook/tradingview/<token>, or send it as token in the body"
        )
    owner = alerts.owner_of(token_digest(token))
    if owner is None or (owner.expires_at is not None and owner.expires_at < hit.received_at):
        raise Refused("unknown_token", "no webhook has this token; ./fillpath webhook show shows the address")
    key = master_key.read()
    make = (webhook_token, webhook_secret)
    return Sender(owner, Access(*(each(key, owner.webhook_id, owner.generation) for each in make)))


def open_case(hit: Hit, sender: Sender, alerts: AlertStore) -> Case:
    """Read and understand the hit by the webhook's settings; Refused(invalid_alert)."""
    message = read_message(hit.body)
    guard = replay_hash(sender.owner.webhook_id, message.fields, sender.access)
    context = alerts.context(sender.owner, guard, hit.received_at)
    understood = _understood(message, context.webhook)
    own_time = _own_time(understood, context.webhook)
    at = hit.received_at if own_time is None else own_time
    changes = {"timestamp": at, "symbol": _our_symbol(understood.alert.symbol, context.webhook.symbol_map)}
    settled = understood._replace(alert=understood.alert.model_copy(update=changes))
    resolved = resolve(settled.alert.symbol, hit.received_at.date(), exchange=settled.alert.exchange)
    signature = None if hit.signature is None else read_signature(hit.signature)
    return Case(hit, sender, guard, context, settled, resolved, at, own_time is not None, signature)


def replay_hash(webhook_id: str, fields: Mapping[str, Any], access: Access) -> str:
    """SHA-256 over the webhook and the message without its secret, in hex: the same alert spelt differently is the same."""
    try:
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), default=str)
    except RecursionError:
        raise invalid("body", "is nested too deeply") from None
    content = scrubbed(text, (access.token, access.secret))
    return hashlib.sha256(f"{webhook_id}\n{content}".encode("utf-8", "surrogatepass")).hexdigest()


def _understood(message: Message, webhook: Webhook) -> Understood:
    if webhook.mapping is None:
        return understand(message)
    from fillpath.alerts.mapping import mapped  # noqa: PLC0415  only webhooks that have a mapping load its library

    return mapped(message, webhook.mapping)


def _own_time(understood: Understood, webhook: Webhook) -> datetime | None:
    """The time that the alert itself tells, where the webhook goes by it."""
    if webhook.time is TimeOf.ARRIVAL:
        return None
    if understood.alert.timestamp is None and understood.dialect.timed:
        raise invalid(
            "timestamp", "is missing; send {{timenow}}, or let the arrival count: ./fillpath webhook set --time arrival"
        )
    return understood.alert.timestamp


def _our_symbol(symbol: str, symbol_map: Mapping[str, str]) -> str:
    """By the webhook's map: the symbol as it stands there, else without its exchange."""
    text = symbol.upper()
    return symbol_map.get(text) or symbol_map.get(text.rpartition(":")[2]) or symbol


def _token_in(body: bytes) -> str | None:
    token = read_message(body).fields.get("token")
    return token if isinstance(token, str) else None
