"""What an account's venue shows for it: the account comes in, what was seen goes out, for people and programs."""

import re
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape

from cli.holdings import Holdings, balances_record, holdings_view
from cli.order_view import number
from cli.problem import Problem
from cli.target import Target
from cli.terminal import listing, working
from cli.venue_words import told
from fillpath.accounts.model import Account
from fillpath.errors import BrokerUnavailable, NeedsReauth
from fillpath.orders.outcomes import Position
from fillpath_brokers.facade import Balances, VenueAccount

_REFUSED = re.compile(r"\banswers 4(?!29)\d\d\b")


@dataclass(frozen=True)
class Seen:
    """An account, the venue's accounts that its credentials reach (none where it needs none), and what it holds."""

    account: Account
    reached: tuple[VenueAccount, ...]
    positions: tuple[Position, ...]
    balances: Balances


def look(account: Account, target: Target) -> Seen:
    """Ask with what is stored; Problem says what the venue said, and what to do."""
    name = target.venues.name(account.venue)
    broker = target.broker(account)
    try:
        with working(f"Asking {name}"):
            reached = broker.accounts() if target.venues.capabilities(account.venue).credentials_required else ()
            _require_shown(account, reached)
            return Seen(account, reached, broker.positions(), broker.balances())
    except NeedsReauth as error:
        reason = told(error, account)
        raise Problem(f"{name} lets nobody in: {reason}", hint=f"./fillpath account sign-in {account.typed}") from error
    except BrokerUnavailable as error:
        raise Problem(f"{name} gave no answer: {told(error, account)}", hint=_remedy(account, error)) from error
    finally:
        broker.close()


def _require_shown(account: Account, reached: tuple[VenueAccount, ...]) -> None:
    wanted = account.connection.get("account")
    known = [each.account_id for each in reached]
    if wanted is not None and reached and wanted not in known:
        raise Problem(
            f"the venue shows no account {wanted}",
            hint=f"it shows {', '.join(known)}: ./fillpath account set {account.typed} --set account=ID",
        )


def _remedy(account: Account, error: BrokerUnavailable) -> str:
    if _REFUSED.search(str(error)):
        return f"the venue refuses what was asked: look at the settings of {account.label}, ./fillpath account list --json"
    return "try again in a minute; nothing has changed"


def view(seen: Seen) -> RenderableType:
    """For people."""
    parts: list[RenderableType] = []
    if seen.reached:
        table = listing("Reaches", "Name", "Currency", "Trades", "")
        chosen = seen.account.connection.get("account")
        for each in seen.reached:
            mark = "[green]this one[/]" if each.account_id == chosen or len(seen.reached) == 1 else ""
            trades = ", ".join(sorted(each.trades))
            table.add_row(escape(each.account_id), escape(each.name), each.currency, trades, mark)
        parts.append(table)
    return Group(*parts, holdings_view([Holdings(seen.account, seen.positions, seen.balances)]))


def as_document(seen: Seen) -> dict[str, Any]:
    """For programs; numbers are exact, as text."""
    return {
        "account_id": seen.account.account_id,
        "reaches": [{**asdict(each), "trades": sorted(each.trades)} for each in seen.reached],
        "positions": [{"symbol": each.contract, "quantity": number(each.quantity)} for each in seen.positions],
        "balances": balances_record(seen.balances),
    }
