"""Accounts for people and programs: records come in, lines, rows and documents go out. No secret is in any of them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from rich.markup import escape

from cli import terminal
from cli.means import Venues
from fillpath.accounts.model import Account, Credentials, RollBy
from fillpath.accounts.ports.controls import Halt
from fillpath.errors import Unsupported
from fillpath_brokers.exchange.scenario import Scenario

ENDS_SOON = timedelta(days=2)


def record_of(account: Account, venues: Venues, scenario: Scenario | None = None) -> dict[str, Any]:
    """The record for programs; `signed_in` is false where a person must act, null where nobody has to sign in."""
    signed_in = account.credentials is Credentials.VERIFIED if needs_credentials(account, venues) else None
    told = {} if scenario is None else {"scenario": scenario.to_document()}
    return account.model_dump(mode="json") | {"signed_in": signed_in} | told


def needs_credentials(account: Account, venues: Venues) -> bool:
    """Whether its venue lets nobody in without; true too for a venue that is not there any more."""
    try:
        return venues.capabilities(account.venue).credentials_required
    except Unsupported:
        return True


def access_text(account: Account, venues: Venues, now: datetime) -> str:
    """How it stands with the account's access, with markup."""
    if not needs_credentials(account, venues):
        return "[dim]not needed[/]"
    if account.credentials is Credentials.NEEDS_REAUTH:
        return "[red]needs sign-in[/]"
    if account.credentials is Credentials.MISSING:
        return "[red]no credentials[/]"
    if account.sign_in_by is not None and account.sign_in_by - now < ENDS_SOON:
        return f"[yellow]signs out {_left(account.sign_in_by - now)}[/]"
    return "verified"


def venue_text(account: Account, scenario: Scenario | None = None) -> str:
    """The venue with its environment, whether that is real money (in bold), how it misbehaves, and where it was said to be."""
    environment = account.connection.get("environment")
    lines = [escape(f"{account.venue} ({environment})" if environment else account.venue)]
    lines.append("[dim]simulation[/]" if account.simulation else "[bold]real money[/]")
    if scenario is not None:
        lines.append(f"[yellow]scenario {escape(scenario_words(scenario))}[/]")
    lines += [f"[dim]{escape(value)}[/]" for key, value in sorted(account.connection.items()) if key.endswith("endpoint")]
    return "\n".join(lines)


def scenario_words(scenario: Scenario) -> str:
    """Its name and settings, as they are typed."""
    return " ".join([scenario.name, *(f"{key}={value}" for key, value in scenario.settings.items())])


def entries_text(account: Account, halted: Halt | None = None) -> str:
    """What its entries may trade."""
    if halted is not None:
        return f"[red]halted ({halted.scope.partition(':')[0]})[/]"
    if account.terms_accepted_at is None:
        return "[yellow]terms not accepted[/]"
    return ", ".join(account.symbols) or "all symbols"


def set_words(account: Account, fields: Iterable[str], settings: Iterable[str] = ()) -> str:
    """These fields of the record and settings of its connection as they are now, in words."""
    days = f"roll {account.roll_days} days before the last trading day"
    words = {
        "label": f"called {account.label}",
        "terms_accepted_at": f"terms {'not ' if account.terms_accepted_at is None else ''}accepted",
        "symbols": f"entries of {', '.join(account.symbols) or 'all symbols'}",
        "roll_by": "roll by the venue's front month" if account.roll_by is RollBy.VENUE else days,
        "one_order_flip": f"reversals by {'one order' if account.one_order_flip else 'two orders'}",
        "outside_hours": f"market orders outside hours: {account.outside_hours}",
    }
    said = [words[name] for name in words if name in fields]
    return "; ".join([*said, *(f"{key} {account.connection.get(key, 'as by default')}" for key in settings)])


def tell(account: Account, done: str, venues: Venues, *, as_json: bool) -> None:
    """What was done to an account."""
    if as_json:
        terminal.print_json(record_of(account, venues))
        return
    terminal.out.print(f"Account {escape(account.label)} at {account.venue} {escape(done)}")
    if not account.simulation:
        terminal.out.print("[bold]It trades real money.[/]")
    if account.terms_accepted_at is None:
        terminal.hint("To let it enter positions:", f"./fillpath account set {account.typed} --terms")


def _left(left: timedelta) -> str:
    minutes = int(left.total_seconds() // 60)
    if minutes <= 0:
        return "now"
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"in {days} d {hours} h"
    return f"in {hours} h {minutes} min" if hours else f"in {minutes} min"
