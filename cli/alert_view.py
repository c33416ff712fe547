"""Alerts for programs and for a person: inbox entries and previews come in, JSON-like records and tables of these go out."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape

from cli.directory import short
from cli.labels import with_account, with_webhook
from cli.order_view import Accounts, account_name, clock_time, number, order_table
from cli.tables import Facts, Listing
from cli.terminal import facts, listing, pasteable
from fillpath.accounts.model import Webhook
from fillpath.alerts.body import read_message
from fillpath.alerts.checks import LAYERS
from fillpath.alerts.dialects.registry import dialect_of
from fillpath.alerts.ports.alert_store import InboxEntry
from fillpath.alerts.preview import Preview, RoutePreview
from fillpath.errors import Refused
from fillpath.orders.model import Order
from fillpath.orders.result import order_record

Record = Mapping[str, Any]
Labels = Mapping[str, str]


def alert_record(entry: InboxEntry) -> dict[str, Any]:
    """The entry for programs."""
    return asdict(entry) | {"received_at": _utc(entry.received_at), "order_ids": list(entry.order_ids)}


def detail_record(entry: InboxEntry, orders: Iterable[Order]) -> dict[str, Any]:
    """The entry with what each layer said (`passed`, `refused`, `not reached`) and its orders as they are now."""
    return alert_record(entry) | {"layers": verdicts(entry), "orders": [order_record(order) for order in orders]}


def verdicts(entry: InboxEntry) -> dict[str, str]:
    """What each layer said."""
    if entry.code == "accepted":
        return dict.fromkeys(LAYERS, "passed")
    decided = LAYERS.index(entry.layer)
    said = ["passed"] * decided + ["refused"] + ["not reached"] * (len(LAYERS) - decided - 1)
    return dict(zip(LAYERS, said, strict=True))


def alert_table(entries: Iterable[InboxEntry], webhooks: Labels) -> Listing:
    """One row per alert; `webhooks` by id, for their labels."""
    columns = ("Alert", "Time", "Webhook", "Dialect", "Answer")
    table = listing(*columns, "Why, or its orders", whole=columns)
    for entry in entries:
        accepted = entry.code == "accepted"
        table.add_row(
            short(entry.alert_id),
            clock_time(entry.received_at),
            _label(entry.webhook_id, webhooks),
            entry.dialect,
            f"[{'green' if accepted else 'red'}]{escape(entry.code)}[/]",
            ", ".join(map(short, entry.order_ids))
            if accepted
            else f"[dim]{entry.layer}:[/] {_remedied(entry.reason, webhooks.get(entry.webhook_id))}",
        )
    return table


def alert_detail(record: Record, webhooks: Labels, accounts: Accounts) -> RenderableType:
    """Everything about one alert, from its `detail_record`."""
    table = facts()
    table.add_row("Alert", record["alert_id"])
    table.add_row("Webhook", _label(record["webhook_id"], webhooks))
    table.add_row("Received", record["received_at"])
    table.add_row("Message", escape(record["body"]))
    _add_meaning(table, record)
    reason = _remedied(record["reason"], webhooks.get(record["webhook_id"]))
    for layer, verdict in record["layers"].items():
        table.add_row(f"  {layer}", f"[red]{escape(record['code'])}[/]: {reason}" if verdict == "refused" else verdict)
    orders = order_table(record["orders"], accounts) if record["orders"] else "No order was made of it."
    return Group(table, orders)


def preview_record(shown: Preview, webhook: Webhook) -> dict[str, Any]:
    """The preview for programs; numbers are exact, as text."""
    return {
        "refused": shown.refused,
        "webhook_id": webhook.webhook_id,
        "webhook": webhook.label,
        "received_at": _utc(shown.received_at),
        "dialect": shown.dialect,
        "canonical": shown.canonical,
        "limits": shown.limits,
        "reasons": [asdict(reason) for reason in shown.reasons],
        "routes": [_route(route) for route in shown.routes],
    }


def preview_view(record: Record, accounts: Accounts) -> RenderableType:
    """The same for a person, from its `preview_record`."""
    table = facts()
    refused = "[bold red]It would be refused.[/]" if record["refused"] else "[bold green]It would be accepted.[/]"
    table.add_row("Answer", refused)
    table.add_row("Webhook", escape(record["webhook"]))
    _add_meaning(table, record)
    for reason in record["reasons"]:
        table.add_row(f"[red]{reason['code']}[/]", _remedied(reason["text"], record["webhook"]))
    return Group(table, *(_route_view(route, accounts) for route in record["routes"]))


def spoken(body: bytes) -> str:
    """The name of the dialect that a message is written in, whatever else is wrong with it; empty where it cannot be read."""
    try:
        return dialect_of(read_message(body)).name
    except Refused:
        return ""


def _add_meaning(table: Facts, record: Record) -> None:
    """How it was understood, as far as it was."""
    if record["dialect"]:
        table.add_row("Dialect", record["dialect"])
    if record["canonical"]:
        table.add_row("Understood as", escape(_words(record["canonical"])))


def _remedied(text: str, webhook: str | None) -> str:
    """The text with commands as they are to be typed for the webhook of that label."""
    return escape(pasteable(text if webhook is None else with_webhook(text, webhook)))


def _route(route: RoutePreview) -> dict[str, Any]:
    order, planned = route.order, route.planned
    numbers = {name: _number(getattr(planned, name)) for name in ("close", "open", "after")}
    return {
        "account_id": order.account_id,
        "contract": order.contract,
        "operation": order.operation,
        "quantity": _number(order.quantity),
        "target": _number(order.target),
        "type": order.type,
        "limit_price": _number(order.limit_price),
        "stop_price": _number(order.stop_price),
        "gate": order.gate,
        "reduces": order.reduces,
        "deadline": None if order.deadline is None else _utc(order.deadline),
        "position_before": _number(route.before),
        "held": None if route.held is None else {contract: _number(held) for contract, held in route.held.items()},
        "plan": {"kind": planned.kind, "reason": planned.reason, "side": planned.side, **numbers},
        "reasons": [asdict(reason) for reason in route.reasons],
    }


def _route_view(route: Record, accounts: Accounts) -> Facts:
    planned, table = route["plan"], facts()
    before, after = (_or_unknown(each) for each in (route["position_before"], planned["after"]))
    held = ", ".join(f"{quantity} {contract}" for contract, quantity in (route["held"] or {}).items())
    account = accounts.get(route["account_id"])
    table.add_row("Account", account_name(route["account_id"], accounts))
    table.add_row("Contract", route["contract"])
    table.add_row("Operation", str(route["operation"]))
    table.add_row("Position", f"{before} -> {after}" + (f" (held: {held})" if held else ""))
    table.add_row("Plan", _plan_words(planned))
    for reason in route["reasons"]:
        text = with_account(reason["text"], account) if account else reason["text"]
        table.add_row(f"[red]{reason['code']}[/]", escape(pasteable(text)))
    return table


def _plan_words(planned: Record) -> str:
    match planned["kind"]:
        case "reversal":
            return f"reversal: closes {planned['close']}, then opens {planned['open']} ({planned['side']})"
        case "trade" if planned["close"] != "0":
            return f"{planned['side']} {planned['close']}, which reduces"
        case "trade":
            return f"{planned['side']} {planned['open']}"
        case "cancel":
            return "cancels the resting orders of the instrument"
    return " ".join(word for word in (planned["kind"], planned["reason"]) if word)


def _words(canonical: Record) -> str:
    return "  ".join(f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in canonical.items())


def _or_unknown(value: str | None) -> str:
    return "unknown" if value is None else value


def _number(value: Decimal | None) -> str | None:
    return None if value is None else number(value)


def _label(webhook_id: str, webhooks: Labels) -> str:
    return escape(webhooks.get(webhook_id, short(webhook_id)))


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
