"""POST /webhook/tradingview/{token} or /{token}/{secret} -> orders, and their result if it is there in time."""

import base64
import gc
import logging
from datetime import datetime, timedelta
from typing import Any

from fillpath.alerts.accept import AcceptedAlert, accept, send_unsent
from fillpath.alerts.case import Hit
from fillpath.alerts.signature import HEADER
from fillpath.clock import from_epoch_ms
from fillpath.errors import Refused, Replayed, StorageUnavailable
from fillpath.orders.model import Listing, Order
from functions.webhook import answers
from functions.webhook.env import env
from functions.webhook.wiring import clock, desks, orders

# Lambda itself writes these lines as JSON, `extra` included: powertools' logger would add its import to every cold start.
_log = logging.getLogger("fillpath.webhook")
_LOOK_EVERY_S = 0.04

# Loaded: what stands now is never collected, and from here on the collector works as ever.
gc.freeze()
gc.enable()
_SIGNATURE = HEADER.lower()


def handler(event: dict[str, Any], context: object) -> answers.Answer:  # noqa: ARG001  Lambda's signature
    """Answer one request of the gateway; whatever goes wrong before the commit asks for a resend."""
    logging.basicConfig()  # does nothing on Lambda, which has set up the root logger already; an emulator has not
    logging.getLogger("fillpath").setLevel(env().log_level)
    hit = hit_of(event)
    try:
        return _answer(hit)
    except StorageUnavailable as exc:
        _log.warning("storage did not answer: %s", exc)
    except Exception:  # noqa: BLE001  the entry point: a resend is safe, because the replay guard knows what was committed
        _log.exception("an alert met an error")
    return answers.try_again()


def hit_of(event: dict[str, Any]) -> Hit:
    """The request of the gateway's proxy event."""
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
    path = event.get("pathParameters") or {}
    return Hit(
        token=path.get("token"),
        body=raw,
        received_at=from_epoch_ms(event["requestContext"]["requestTimeEpoch"]),
        secret=path.get("secret"),
        signature=next((value for name, value in (event.get("headers") or {}).items() if name.lower() == _SIGNATURE), None),
    )


def _answer(hit: Hit) -> answers.Answer:
    try:
        accepted = accept(hit, desks())
    except Replayed as replay:
        return _replayed(replay)
    except Refused as refusal:
        _log.info("refused: %s", refusal.code)
        return answers.refused(refusal)
    order_ids = [order.order_id for order in accepted.orders]
    _log.info("alert %s became %s", accepted.alert_id, ", ".join(order_ids), extra={"order_ids": order_ids})
    return answers.settled(accepted.alert_id, _results(accepted, hit.received_at))


def _replayed(replay: Replayed) -> answers.Answer:
    first = tuple(orders().get(order_id) for order_id in replay.order_ids)
    send_unsent(first, desks())
    return answers.replayed(replay.alert_id, first)


def _results(accepted: AcceptedAlert, received_at: datetime) -> tuple[Order, ...]:
    """The orders as they stand when nothing more is to be waited for, or the caller's patience is over."""
    wait_s = env().wait_s if accepted.wait_s is None else min(accepted.wait_s, env().wait_s)
    until = received_at + timedelta(seconds=wait_s)
    current = accepted.orders
    while any(_moving(order) for order in current) and clock().now() + timedelta(seconds=_LOOK_EVERY_S) < until:
        clock().sleep(_LOOK_EVERY_S)
        current = _looked_up(current)
    return current


def _moving(order: Order) -> bool:
    """Whether the order may end soon: one that rests at the broker waits for its price."""
    return not order.state.ended and order.listing is not Listing.WORKING


def _looked_up(current: tuple[Order, ...]) -> tuple[Order, ...]:
    try:
        return tuple(orders().get(order.order_id) if _moving(order) else order for order in current)
    except StorageUnavailable:
        return current  # committed already: the answer is then 202, never a request to send again
