"""Orders for a person: records as `--json` prints them come in, a table of many or everything about one goes out."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cli.directory import short
from cli.terminal import facts, listing
from fillpath.accounts.model import Account
from fillpath.market.instruments import instrument_of

Record = Mapping[str, Any]
Accounts = Mapping[str, Account]

_COLOURS = {
    "FILLED": "green",
    "REJECTED": "red",
    "ABORTED": "bold red",
    "EXPIRED": "red",
    "UNKNOWN": "bold yellow",
    "CANCELLED": "dim",
    "SKIPPED": "dim",
}
_UNDER_WAY = "cyan"


def order_table(orders: Iterable[Record], accounts: Accounts) -> Table:
    """One line per order; `accounts` by id, for their labels."""
    table = listing("Order", "Time", "Account", "Symbol", "Action", "State", numbers=("Filled", "Price"))
    for order in orders:
        table.add_row(
            short(order["order_id"]),
            clock_time(_moment(order["received_at"])),
            account_name(order["account_id"], accounts),
            order["contract"],
            wanted(order),
            _state(order["state"], order["reason"]),
            order["filled_quantity"],
            in_ticks(order["average_price"], order["contract"]),
        )
    return table


def order_detail(order: Record, accounts: Accounts) -> RenderableType:
    """The record, its legs at the broker, and its timeline."""
    parts: list[RenderableType] = [_facts(order, accounts)]
    if order["legs"]:
        parts.append(_legs(order["legs"]))
    return Group(*parts, _timeline(order["events"], _moment(order["received_at"])))


def wanted(order: Record) -> str:
    """What the signal asks for, in a few words: `buy 1`, `sell 2 exit`, `target -1`, `buy 1 limit 5890`."""
    words = [order["action"], order["quantity"]]
    if order["target"] is not None:
        words = ["target", order["target"]]
    if order["order_type"] != "entry":
        words.append(order["order_type"])
    return " ".join(word for word in [*words, *_terms(order)] if word)


def number(value: Decimal) -> str:
    """The exact number, without trailing zeros."""
    return f"{value.normalize():f}" if value else "0"


def clock_time(at: datetime) -> str:
    """The local time, with the date unless it is today's."""
    local = at.astimezone()
    return f"{local:%H:%M:%S}" if _is_today(local) else f"{local:%m-%d %H:%M}"


def account_name(account_id: str, accounts: Accounts) -> str:
    """Its label, else the end of its id."""
    return escape(accounts[account_id].label) if account_id in accounts else short(account_id)


def in_ticks(price: str | None, contract: str) -> str:
    """The price with the decimals of its instrument's tick, more where it has more; empty where there is none."""
    instrument = instrument_of(contract)
    if price is None or instrument is None:
        return price or ""
    exact = Decimal(price)
    on_tick = exact.quantize(instrument.tick_size)
    return f"{on_tick if on_tick == exact else exact:f}"


def _terms(order_or_leg: Record) -> list[str]:
    if order_or_leg["type"] == "market":
        return []
    return [order_or_leg["type"], order_or_leg["stop_price"], order_or_leg["limit_price"]]


def _state(state: str, reason: str | None) -> Text:
    text = Text(state, _COLOURS.get(state, _UNDER_WAY))
    return text.append(f" {reason}", "dim") if reason else text


def _facts(order: Record, accounts: Accounts) -> Table:
    table = facts()
    received = _exact(_moment(order["received_at"]))
    table.add_row("Order", order["order_id"])
    table.add_row("Signal", escape(f"{wanted(order)} {order['symbol']} from {order['source']} at {received}"))
    table.add_row("Account", f"{account_name(order['account_id'], accounts)} at {order['venue']}, {order['account_id']}")
    table.add_row("State", _state(order["state"], order["reason"]))
    for name, value in _particulars(order).items():
        if value:
            table.add_row(name, value)
    return table


def _particulars(order: Record) -> dict[str, str]:
    price = in_ticks(order["average_price"], order["contract"])
    fill = f"{order['filled_quantity']} {order['contract']} at {price}, commission {order['commission']}"
    return {
        "Why": escape(order["message"] or ""),
        "Filled": fill if price else "",
        "Held before": order["position_before"] or "",
        "Closed first": order["exit_quantity"] or "",
        "Held now": "" if order["held"] is None else f"[bold]{order['held']} {order['root']}[/]",
    }


def _legs(legs: Iterable[Record]) -> Table:
    table = listing("Leg", "Order", "Status", "At the broker", numbers=("Filled", "Price"))
    for leg in legs:
        words = [leg["side"], leg["quantity"], leg["contract"], *(_terms(leg) or ["market"])]
        table.add_row(
            leg["leg"],
            " ".join(word for word in words if word),
            _state(leg["status"], leg["reason"]),
            f"[dim]{leg['broker_order_id'] or ''}[/]",
            leg["filled_quantity"],
            in_ticks(leg["average_price"], leg["contract"]),
        )
    return table


def _timeline(events: Iterable[Record], received_at: datetime) -> Table:
    table = listing("Time", "Step", numbers=("Total ms", "Step ms"))
    before = received_at
    for event in events:
        at = _moment(event["at"])
        table.add_row(_exact(at), _state(event["to"], event["reason"]), f"{_ms(received_at, at):,}", f"+{_ms(before, at):,}")
        before = at
    return table


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _exact(at: datetime) -> str:
    local = at.astimezone()
    date = "" if _is_today(local) else f"{local:%Y-%m-%d} "
    return f"{date}{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def _is_today(local: datetime) -> bool:
    return local.date() == datetime.now(UTC).astimezone().date()


def _ms(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds() * 1000)
