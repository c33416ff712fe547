"""Accounts for people and programs: records come in, lines, rows and documents go out. No secret is in any of them."""

from datetime import datetime, timedelta
from typing import Any

from rich.markup import escape

from cli import terminal
from cli.means import Venues
from fillpath.accounts.model import Account, Credentials
from fillpath.errors import Unsupported

ENDS_SOON = timedelta(days=2)


def record_of(account: Account, venues: Venues) -> dict[str, Any]:
    """The record for programs; `signed_in` is false where a person must act, null where nobody has to sign in."""
    signed_in = account.credentials is Credentials.VERIFIED if needs_credentials(account, venues) else None
    return account.model_dump(mode="json") | {"signed_in": signed_in}


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


def venue_text(account: Account) -> str:
    """The venue with its environment, whether that is real money (in bold), and where it is reached where that was chosen."""
    environment = account.connection.get("environment")
    lines = [escape(f"{account.venue} ({environment})" if environment else account.venue)]
    lines.append("[dim]simulation[/]" if account.simulation else "[bold]real money[/]")
    lines += [f"[dim]{escape(value)}[/]" for key, value in sorted(account.connection.items()) if key.endswith("endpoint")]
    return "\n".join(lines)


def entries_text(account: Account) -> str:
    """What its entries may trade."""
    if account.terms_accepted_at is None:
        return "[yellow]terms not accepted[/]"
    return ", ".join(account.symbols) or "all symbols"


def tell(account: Account, done: str, venues: Venues, *, as_json: bool) -> None:
    """What was done to an account."""
    if as_json:
        terminal.print_json(record_of(account, venues))
        return
    name = escape(account.label)
    terminal.out.print(f"Account {name} at {account.venue} {done}: {account.account_id}, entries: {entries_text(account)}")
    if not account.simulation:
        terminal.out.print("[bold]It trades real money.[/]")
    if account.terms_accepted_at is None:
        terminal.err.print(
            terminal.pasteable(f"[dim]To let it enter positions:[/] ./fillpath account set {account.account_id} --terms")
        )


def _left(left: timedelta) -> str:
    minutes = int(left.total_seconds() // 60)
    if minutes <= 0:
        return "now"
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"in {days} d {hours} h"
    return f"in {hours} h {minutes} min" if hours else f"in {minutes} min"
