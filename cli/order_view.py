"""Orders for a person: records come in, a table of many or everything about one goes out."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.directory import short
from fillpath.accounts.model import Account
from fillpath.orders.model import Event, Leg, LegStatus, Order, OrderState

_COLOURS = {
    OrderState.FILLED: "green",
    OrderState.REJECTED: "red",
    OrderState.ABORTED: "bold red",
    OrderState.EXPIRED: "red",
    OrderState.UNKNOWN: "bold yellow",
    OrderState.CANCELLED: "dim",
    OrderState.SKIPPED: "dim",
    LegStatus.FILLED: "green",
    LegStatus.REJECTED: "red",
    LegStatus.UNKNOWN: "bold yellow",
    LegStatus.CANCELLED: "dim",
}
_DOING = "cyan"


def order_table(orders: Iterable[Order], accounts: Mapping[str, Account]) -> Table:
    """One line per order; `accounts` by id, for their labels."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for name in ("Order", "Time", "Account", "Symbol", "Action"):
        table.add_column(name, no_wrap=True)
    table.add_column("State", overflow="fold")
    table.add_column("Filled", justify="right", no_wrap=True)
    table.add_column("Price", justify="right", no_wrap=True)
    for order in orders:
        table.add_row(
            short(order.order_id),
            clock_time(order.received_at),
            account_name(order.account_id, accounts),
            order.contract,
            wanted(order),
            _state(order),
            number(order.filled_quantity),
            "" if order.average_price is None else number(order.average_price),
        )
    return table


def order_detail(order: Order, accounts: Mapping[str, Account]) -> RenderableType:
    """The record, its legs at the broker, and its timeline."""
    parts: list[RenderableType] = [_facts(order, accounts)]
    if order.legs:
        parts += [_legs(order)]
    return Group(*parts, _timeline(order.events, order.received_at))


def wanted(order: Order) -> str:
    """What the signal asks for, in a few words: `buy 1`, `sell 2 exit`, `target -1`, `buy 1 limit 5890`."""
    words = [order.action]
    if order.target is not None:
        words = ["target", number(order.target)]
    elif order.quantity is not None:
        words.append(number(order.quantity))
    if order.order_type != "entry":
        words.append(order.order_type)
    if order.resting:
        words += [str(order.type), *(number(price) for price in (order.stop_price, order.limit_price) if price is not None)]
    return " ".join(words)


def number(value: Decimal) -> str:
    """The exact number, without trailing zeros."""
    return f"{value.normalize():f}" if value else "0"


def clock_time(at: datetime) -> str:
    """The local time, with the date unless it is today's."""
    local = at.astimezone()
    return f"{local:%H:%M:%S}" if _is_today(local) else f"{local:%m-%d %H:%M}"


def account_name(account_id: str, accounts: Mapping[str, Account]) -> str:
    """Its label, else the end of its id."""
    return accounts[account_id].label if account_id in accounts else short(account_id)


def _state(order: Order) -> Text:
    text = Text(order.state, _COLOURS.get(order.state, _DOING))
    return text.append(f" {order.reason}", "dim") if order.reason else text


def _facts(order: Order, accounts: Mapping[str, Account]) -> Table:
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("Order", order.order_id)
    table.add_row("Signal", f"{wanted(order)} {order.symbol} from {order.source} at {_exact(order.received_at)}")
    table.add_row("Account", f"{account_name(order.account_id, accounts)} ({order.venue}) {order.account_id}")
    table.add_row("State", _state(order))
    for name, value in _particulars(order).items():
        if value:
            table.add_row(name, value)
    return table


def _particulars(order: Order) -> dict[str, str]:
    fill = ""
    if order.filled_quantity:
        price = f" at {number(order.average_price)}" if order.average_price is not None else ""
        fill = f"{number(order.filled_quantity)} {order.contract}{price}, commission {number(order.commission)}"
    return {
        "Why": order.message or "",
        "Filled": fill,
        "Position before": "" if order.position_before is None else number(order.position_before),
        "Reversal": f"closes {number(order.exit_quantity)} first" if order.exit_quantity is not None else "",
        "Held": "" if order.held is None else f"[bold]{number(order.held)} {order.root}[/]",
    }


def _legs(order: Order) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Leg", "Order", "Status"):
        table.add_column(name, overflow="fold")
    for name in ("Filled", "Price"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("At the broker", style="dim", overflow="fold")
    for leg in order.legs:
        table.add_row(
            leg.leg,
            _leg_order(leg),
            Text(leg.status, _COLOURS.get(leg.status, _DOING)).append(f" {leg.reason}" if leg.reason else "", "dim"),
            f"{number(leg.filled_quantity)}/{number(leg.quantity)}",
            "" if leg.average_price is None else number(leg.average_price),
            leg.broker_order_id or "",
        )
    return table


def _leg_order(leg: Leg) -> str:
    prices = [number(price) for price in (leg.stop_price, leg.limit_price) if price is not None]
    return " ".join([str(leg.side), number(leg.quantity), leg.contract, str(leg.type), *prices])


def _timeline(events: Iterable[Event], received_at: datetime) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Time", no_wrap=True)
    table.add_column("Step", overflow="fold")
    table.add_column("ms since receipt", justify="right", no_wrap=True)
    table.add_column("since the step before", justify="right", no_wrap=True)
    before = received_at
    for event in events:
        step = Text(event.to_state, _colour_of(event.to_state))
        if event.reason:
            step.append(f" {event.reason}", "dim")
        table.add_row(_exact(event.at), step, f"{_ms(received_at, event.at):,}", f"+{_ms(before, event.at):,}")
        before = event.at
    return table


def _colour_of(state: str) -> str:
    return _COLOURS.get(OrderState(state), _DOING) if state in set(OrderState) else ""


def _exact(at: datetime) -> str:
    local = at.astimezone()
    date = "" if _is_today(local) else f"{local:%Y-%m-%d} "
    return f"{date}{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def _is_today(local: datetime) -> bool:
    return local.date() == datetime.now(UTC).astimezone().date()


def _ms(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds() * 1000)
