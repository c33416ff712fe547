"""Where an account is at its venue: its connection comes in, whether it moves and may move goes out."""

from collections.abc import Iterable, Mapping

from cli.account_settings import ENDPOINT
from cli.problem import NOTHING_KEPT, Problem
from cli.target import Target
from cli.venue_words import told
from fillpath.accounts.model import Account
from fillpath.errors import BrokerError
from fillpath.orders.model import Listing, Order
from fillpath_brokers.signing_in import SignIn

ACCOUNT = "account"
ENVIRONMENT = "environment"


def place_keys(sign_in: SignIn) -> set[str]:
    """The settings that say where an account is."""
    return {ACCOUNT, ENVIRONMENT, ENDPOINT, *sign_in.endpoints}


def moved(before: Mapping[str, str], after: Mapping[str, str], sign_in: SignIn) -> bool:
    """Whether the connection leads elsewhere; an account's number that was not known before is no move."""
    keys = place_keys(sign_in) - (set() if before.get(ACCOUNT) else {ACCOUNT})
    defaults = _defaults(sign_in)
    return any(before.get(key, defaults.get(key)) != after.get(key, defaults.get(key)) for key in keys)


def where(before: Mapping[str, str], after: Mapping[str, str], sign_in: SignIn) -> str:
    """Where else it leads, and where it was: `account 2 instead of 1`."""
    defaults = _defaults(sign_in)
    told = []
    for key in sorted(place_keys(sign_in)):
        old, new = (connection.get(key, defaults.get(key, "none")) for connection in (before, after))
        if old != new:
            told.append(f"{key} {new} instead of {old}")
    return ", ".join(told)


def require_alone(account: Account, others: Iterable[Account], sign_in: SignIn) -> None:
    """Raises Problem where another account leads to the same place: each would take the other's orders for strangers."""
    if ACCOUNT not in account.connection:
        return
    for other in others:
        elsewhere = other.account_id == account.account_id or other.venue != account.venue or ACCOUNT not in other.connection
        if not elsewhere and not moved(other.connection, account.connection, sign_in):
            raise Problem(
                f"account {other.label} is the venue's account {account.connection[ACCOUNT]} already",
                hint=f"{NOTHING_KEPT}; several strategies share {other.label} by webhooks of their own that lead to it",
            )


def require_no_open_orders(account: Account, target: Target) -> None:
    """Raises Problem with how to end them."""
    unfinished = [order for order in target.orders.open_orders() if order.account_id == account.account_id]
    if unfinished:
        raise Problem(
            f"account {account.label} has {len(unfinished)} open order{'s' if len(unfinished) > 1 else ''}",
            hint=f"{_ended_by(account, unfinished)}, then ./fillpath orders shows when they have ended",
        )


def require_quiet(account: Account, target: Target) -> None:
    """Raises Problem while orders are open or something is held where the account is now, or nobody can tell."""
    require_no_open_orders(account, target)
    try:
        held = [position.contract for position in target.broker(account).positions()]
    except BrokerError as error:
        raise Problem(
            f"whether account {account.label} holds anything cannot be read: {told(error, account)}",
            hint="--force leads it elsewhere all the same; what it holds stays where it is",
        ) from error
    if held:
        raise Problem(
            f"account {account.label} holds {', '.join(held)}, which would stay behind",
            hint=f"./fillpath flatten {account.typed} first, or --force leads it elsewhere all the same",
        )


def _ended_by(account: Account, orders: Iterable[Order]) -> str:
    """What ends them: a cancellation reaches only what rests at the venue."""
    if all(order.listing is Listing.WORKING for order in orders):
        return f"./fillpath cancel {account.typed}"
    return f"./fillpath flatten {account.typed}, which also calls off what has not been sent"


def _defaults(sign_in: SignIn) -> dict[str, str]:
    return {field.key: field.default for field in sign_in.fields if field.default}
