"""Orders for a person: records as `--json` prints them come in, a table of many or everything about one goes out."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from cli.directory import short
from cli.tables import Facts, Listing
from cli.terminal import facts, listing
from cli.venue_words import plain
from fillpath.accounts.model import Account
from fillpath.market.instruments import instrument_of
from fillpath.orders.model import LegStatus

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
# Reasons that say little by their name alone; docs/webhook.md has more of each.
_REASONS = {
    ("SKIPPED", "spoken_for"): "spoken for: other orders may still take all that is held",
    ("SKIPPED", "superseded"): "superseded: a newer exit or target was carried out",
    ("CANCELLED", "superseded"): "superseded by a newer order",
    ("QUEUED", "suspended"): "suspended until another order has acted",
    ("QUEUED", "resized"): "resized to what is held",
    ("QUEUED", "pair_refused"): "pair refused: the stop alone is placed",
    ("QUEUED", "half_lost"): "one exit of the pair had ended: both are placed again",
    ("CANCELLED", "vanished"): "vanished: the broker does not know it any more",
    ("FILLED", "overfilled"): "overfilled: more was filled than was ordered here",
    ("QUEUED", "exits_filled"): "exits filled: is a rest left to protect?",
}


def order_table(orders: Iterable[Record], accounts: Accounts) -> Listing:
    """One row per order, a reason below its state; `accounts` by id, for their labels."""
    columns = ("Order", "Time", "Account", "Symbol", "Action", "State")
    table = listing(*columns, numbers=("Filled", "Price"), whole=("Order", "Time"))
    for order in orders:
        table.add_row(
            short(order["order_id"]),
            clock_time(_moment(order["received_at"])),
            account_name(order["account_id"], accounts),
            order["contract"],
            wanted(order, _working_quantity(order)),
            Text("\n").join(part for part in (_state(order["state"]), _why(order["state"], order["reason"])) if part),
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


def wanted(order: Record, quantity: str | None = None) -> str:
    """What the signal asks for, in a few words: `buy 1`, `sell 2 exit`, `target -1`, `buy 1 limit 5890`; or so much of it."""
    words = [order["action"], quantity or order["quantity"]]
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
    """The price with the decimals of its instrument's tick, an average with up to two more; empty where there is none."""
    instrument = instrument_of(contract)
    if price is None or instrument is None:
        return price or ""
    exact, tick = Decimal(price), instrument.tick_size
    on_tick = exact.quantize(tick)
    return f"{on_tick if on_tick == exact else exact.quantize(tick / 100):f}"


def _terms(order_or_leg: Record) -> list[str]:
    """Its prices, each with its name."""
    stop, limit = order_or_leg["stop_price"], order_or_leg["limit_price"]
    named = [f"{name} {price}" for name, price in (("stop", stop), ("limit", limit)) if price]
    match order_or_leg["type"]:
        case "market":
            return []
        case "trailing_stop":
            percent = order_or_leg["trail_percent"]
            return [f"trail {percent} %" if percent else f"trail {order_or_leg['trail_amount']}"]
        case "oco":
            return [" / ".join(named)]
    return named


def _working_quantity(order: Record) -> str | None:
    """How much works at the broker, of an order that rests there: less than was wanted once something else has exited."""
    leg = order["legs"][-1] if order["legs"] else None
    if leg is None or order["type"] == "market" or LegStatus(leg["status"]).ended or leg["type"] == "market":
        return None
    if leg["open_quantity"] is None:
        return str(leg["quantity"])
    return number(Decimal(leg["open_quantity"]) + Decimal(leg["filled_quantity"]))


def _state(state: str) -> Text:
    return Text(state, _COLOURS.get(state, _UNDER_WAY))


def _why(state: str, reason: str | None) -> Text:
    """The reason in words, which wrap; nothing where it says no more than the state."""
    said = " ".join(plain(reason or "").replace("_", " ").lower().split())
    words = _REASONS.get((state, reason or ""), said)
    return Text("" if words == state.lower() else words, "dim")


def _facts(order: Record, accounts: Accounts) -> Facts:
    table = facts()
    received = _exact(_moment(order["received_at"]))
    table.add_row("Order", order["order_id"])
    table.add_row("Signal", escape(f"{wanted(order)} {order['symbol']} from {order['source']} at {received}"))
    table.add_row("Account", f"{account_name(order['account_id'], accounts)} at {order['venue']}, {order['account_id']}")
    table.add_row("State", _state(order["state"]))
    for name, value in _particulars(order).items():
        if value:
            table.add_row(name, value)
    return table


def _particulars(order: Record) -> dict[str, str]:
    price = in_ticks(order["average_price"], order["contract"])
    paid = f", commission {order['commission']}" if order["commission"] != "0" else ""
    fill = f"{order['filled_quantity']} {order['contract']} at {price}{paid}"
    return {
        "Why": escape(": ".join(filter(None, (_why(order["state"], order["reason"]).plain, plain(order["message"] or ""))))),
        "Filled": fill if price else "",
        "Exits": _exits(order),
        "Protects": f"order {short(order['parent_id'])}" if order["parent_id"] else "",
        "Held before": _held(order["position_before"], order["root"]),
        "Closed first": order["exit_quantity"] or "",
        "Held now": _held(order["held"], order["root"]),
    }


def _exits(order: Record) -> str:
    levels = {"take profit": order["take_profit"], "stop loss": order["stop_loss"]}
    told = ", ".join(f"{name} {price}" for name, price in levels.items() if price)
    return f"{told}: order {short(order['protection_id'])}" if told and order["protection_id"] else told


def _held(quantity: str | None, root: str) -> str:
    return "" if quantity is None else f"[bold]{'nothing' if quantity == '0' else f'{quantity} {root}'}[/]"


def _legs(legs: Iterable[Record]) -> Listing:
    table = listing("Leg", "Order", "Status", "Why", "At the broker", numbers=("Filled", "Price"), whole=("Leg", "Status"))
    for leg in legs:
        words = [leg["side"], leg["quantity"], leg["contract"], *(_terms(leg) or ["market"])]
        table.add_row(
            leg["leg"],
            " ".join(word for word in words if word),
            _state(leg["status"]),
            _why(leg["status"], leg["reason"]),
            f"[dim]{leg['broker_order_id'] or ''}[/]",
            leg["filled_quantity"],
            in_ticks(leg["average_price"], leg["contract"]),
        )
    return table


def _timeline(events: Iterable[Record], received_at: datetime) -> Listing:
    table = listing("Time", "Step", "Why", numbers=("Total ms", "Step ms"), whole=("Time", "Step"))
    before = received_at
    for event in events:
        at = _moment(event["at"])
        why = _why(event["to"], event["reason"])
        table.add_row(_exact(at), _state(event["to"]), why, f"{_ms(received_at, at):,}", f"+{_ms(before, at):,}")
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
