"""alert: a signal by hand, through the same webhook that TradingView posts to; `alert preview` in a file of its own."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import terminal
from cli.commands.alert_preview import SendsByDefault, preview
from cli.commands.options import Env, Json, target_of
from cli.problem import Problem

if TYPE_CHECKING:
    from cli.alert_sender import Answer
    from cli.directory import Directory
    from fillpath.accounts.model import Webhook


TARGET = "target"
_FAILED = {"REJECTED", "EXPIRED", "ABORTED"}


def register(app: typer.Typer) -> None:
    """Adds the command: `alert buy ES1! 1` is short for `alert send buy ES1! 1`.

    A quantity may be negative (target -1), so what begins with a dash is not taken for an option.
    """
    group = typer.Typer(cls=SendsByDefault, help="Send an alert as TradingView would, or see what one would do.")
    group.command("send", context_settings={"ignore_unknown_options": True})(alert)
    group.command()(preview)
    app.add_typer(group, name="alert", rich_help_panel="Trading")


def alert(
    context: typer.Context,
    action: Annotated[
        str | None,
        typer.Argument(help="buy, sell, close, close_long, close_short, target, cancel or flatten.", show_default=False),
    ] = None,
    symbol: Annotated[str | None, typer.Argument(help="ES1!, ESZ6, CME_MINI:ES1!, AAPL ...", show_default=False)] = None,
    quantity: Annotated[str | None, typer.Argument(help="Contracts, shares or coins.", show_default=False)] = None,
    *,
    order_type: Annotated[str | None, typer.Option(help="entry or exit; entry unless told.", show_default=False)] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--type", help="market, limit, stop, stop_limit, trailing_stop or oco; market unless told.", show_default=False
        ),
    ] = None,
    limit_price: Annotated[str | None, typer.Option(help="Of a limit, stop_limit or oco order.", show_default=False)] = None,
    stop_price: Annotated[str | None, typer.Option(help="Of a stop, stop_limit or oco order.", show_default=False)] = None,
    take_profit: Annotated[str | None, typer.Option(help="Where an entry is to be left with a gain.", show_default=False)] = None,
    stop_loss: Annotated[str | None, typer.Option(help="Where an entry is to be left with a loss.", show_default=False)] = None,
    time_in_force: Annotated[str | None, typer.Option(help="day, gtc, ioc or fok; day unless told.", show_default=False)] = None,
    trail_amount: Annotated[str | None, typer.Option(help="Of a trailing_stop, in price.", show_default=False)] = None,
    trail_percent: Annotated[
        str | None, typer.Option(help="Of a trailing_stop, in percent of the price.", show_default=False)
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Any other field, e.g. market_position=long.", show_default=False),
    ] = None,
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="The alert as JSON, from a file or - for stdin.", show_default=False)
    ] = None,
    webhook: Annotated[str | None, typer.Option(help="Id or label; the first one unless told.", show_default=False)] = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Send an alert as TradingView would, e.g. ./fillpath alert buy ES1! 1. Time and secret are added."""
    from cli.alert_sender import complete, post, read_fields, with_target
    from cli.directory import Directory
    from cli.webhooks import Sender

    _require_no_stray_option(action, symbol, quantity)
    fields = read_fields(field or ())
    if file is None and action is None and "action" not in fields:
        raise Problem("ACTION is missing", hint="./fillpath alert buy ES1! 1, or --file FILE")
    typed = {"action": action, "symbol": symbol, "quantity": quantity, "order_type": order_type, "type": kind}
    typed |= {"limit_price": limit_price, "stop_price": stop_price, "trail_amount": trail_amount}
    typed |= {"trail_percent": trail_percent}
    typed |= {"take_profit": take_profit, "stop_loss": stop_loss, "time_in_force": time_in_force}
    signal = _of_file(file) | {name: value for name, value in typed.items() if value is not None} | fields
    signal = with_target(signal) if action == TARGET else signal
    target = target_of(context, env)
    directory = Directory(target.accounts)
    found = directory.webhook(webhook)
    sender = Sender.of(found, target)
    answer = post(sender.url, complete(signal, sender.secret))
    if as_json:
        terminal.print_json({"status": answer.status, "elapsed_ms": round(answer.elapsed_ms), **answer.body})
    elif answer.accepted:
        _show(answer, directory)
    if not answer.accepted:
        raise _refusal(answer, signal, found, directory)
    _require_not_all_failed(answer)


def _of_file(name: str | None) -> dict[str, Any]:
    from cli.alert_sender import read_alert

    if name is None:
        return {}
    if name == "-":
        return read_alert(sys.stdin.read())
    try:
        return read_alert(Path(name).read_text())
    except OSError as error:
        raise Problem(f"--file: {name} cannot be read: {error.strerror}") from error


def _show(answer: "Answer", directory: "Directory") -> None:
    from cli.order_view import order_table

    labels = {account.account_id: account for account in directory.accounts()}
    results = answer.body["orders"]
    said = "all orders have ended" if answer.status == 200 else "accepted, not all orders have ended yet"
    terminal.err.print(f"[bold]{answer.status}[/] {said} [dim]{answer.elapsed_ms:.0f} ms[/]")
    terminal.out.print(order_table(results, labels))
    last = results[-1]["order_id"]
    terminal.hint("Each step with its time:", f"./fillpath orders {last[-6:]}")


def _require_no_stray_option(action: str | None, symbol: str | None, quantity: str | None) -> None:
    for text in (action, symbol, quantity):
        if text is not None and text.startswith("-") and not text[1:2].isdigit():
            raise Problem(f"there is no option {text}", hint="./fillpath alert --help shows them")
    if quantity is not None and quantity.startswith("-") and action != TARGET:
        raise Problem(f"QUANTITY: {quantity} is not above 0", hint="the action gives the side: buy or sell; target takes -1, too")


def _require_not_all_failed(answer: "Answer") -> None:
    """A sender who sees success thinks of a fill."""
    results = answer.body["orders"]
    if results and all(result["state"] in _FAILED for result in results):
        told = [f"{result['state']}: {result['reason']}: {result['message'] or 'no more is known'}" for result in results]
        raise Problem("; ".join(dict.fromkeys(told)))


def _refusal(answer: "Answer", signal: dict[str, Any], webhook: "Webhook", directory: "Directory") -> Problem:
    """The code and the reason, and for each route its own."""
    from cli.alert_sender import remedy
    from cli.labels import with_webhook

    labels = {account.account_id: account.label for account in directory.accounts()}
    routes = [
        f"account {labels.get(route['account_id'], route['account_id'])}: {route['code']}: {route['message']}"
        for route in (answer.body.get("details") or {}).get("routes", ())
    ]
    message = terminal.pasteable(with_webhook(str(answer.body.get("message")), webhook.label))
    reason = f"{answer.status} {answer.body.get('error')}: {message}"
    return Problem(reason, hint=remedy(signal, message), output="\n".join(routes) if len(routes) > 1 else "")
