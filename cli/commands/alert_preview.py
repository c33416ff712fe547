"""alert preview: what a message would do, and every reason against it, without doing it."""

import sys
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cli import terminal
from cli.commands.options import Env, Json, target_of
from cli.problem import Problem

if TYPE_CHECKING:
    from cli.target import Target
    from fillpath.accounts.model import Webhook
    from fillpath.alerts.case import Hit
    from fillpath.orders.model import Order
    from fillpath.orders.outcomes import Position


class SendsByDefault(TyperGroup):
    """`alert preview FILE` is a command of the group; whatever else stands behind `alert` is an alert to send."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click's, with the command put in where none is named."""
        named = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["send", *args])


def preview(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="The message as it would be posted; - for stdin.")],
    *,
    webhook: Annotated[str | None, typer.Option(help="Id or label; the first one unless told.", show_default=False)] = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Show what a message would do now: how it is understood, each order, and every reason for which it would be refused.

    Nothing is added to the message and nothing is sent: what it lacks (a time, the secret) is among the reasons.
    """
    from cli.alert_view import preview_record, preview_view, spoken
    from cli.directory import Directory
    from fillpath.alerts.preview import Sources, preview
    from fillpath.clock import SystemClock
    from fillpath_brokers import registry

    body = _read(file)
    target = target_of(context, env)
    directory = Directory(target.accounts)
    found = directory.webhook(webhook)
    accounts = {account.account_id: account for account in directory.accounts()}

    def positions(order: "Order") -> "tuple[Position, ...]":
        held = target.broker(accounts[order.account_id]).positions()
        return tuple(position for position in held if position.root == order.root)

    hit = _hit(found, body, target, SystemClock().now())
    seen = preview(hit, Sources(target.alerts, target.master_key, registry), positions)
    if not seen.dialect and found.mapping is None:
        seen = replace(seen, dialect=spoken(body))
    shown = preview_record(seen, found)
    if as_json:
        terminal.print_json(shown)
    else:
        terminal.out.print(preview_view(shown, accounts))
        _tell_remedies(body, shown)


def _tell_remedies(body: bytes, shown: dict[str, Any]) -> None:
    from cli.alert_sender import remedy
    from fillpath.alerts.body import read_message
    from fillpath.errors import Refused

    with suppress(Refused):
        fields = read_message(body).fields
        for told in filter(None, (remedy(fields, reason["text"]) for reason in shown["reasons"])):
            terminal.hint("Instead:", told)


def _hit(webhook: "Webhook", body: bytes, target: "Target", now: "datetime") -> "Hit":
    """As it would arrive under the webhook's URL."""
    from fillpath.accounts.manage import access_to
    from fillpath.accounts.model import SecretIn
    from fillpath.alerts.case import Hit

    access = access_to(webhook, target.master_key.read())
    return Hit(access.token, body, now, access.secret if webhook.secret_in is SecretIn.URL else None)


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise Problem(f"FILE: {name} cannot be read: {error.strerror}") from error
