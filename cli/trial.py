"""Access on trial: what a person entered comes in, what it reaches at the venue goes out. Nothing is kept anywhere."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from rich.markup import escape

from cli import terminal
from cli.account_settings import ENDPOINT
from cli.means import Person
from cli.problem import NOTHING_KEPT, Problem
from cli.target import Target
from cli.terminal import working
from cli.venue_form import ATTEMPTS, Entered, ask_for_code
from cli.venue_words import plain
from fillpath.accounts.access import Access, Token, TokenStatus
from fillpath.accounts.model import Account
from fillpath.accounts.ports.account_store import AccountStore
from fillpath.errors import BrokerError, FillpathError, NeedsReauth, NotSent, Refused
from fillpath_brokers.facade import VenueAccount
from fillpath_brokers.services import Services
from fillpath_brokers.signing_in import SignInContext
from fillpath_brokers.token_store import TokenStore

_NO_SUCH_PAGE = re.compile(r"\b40[45]\b")


@dataclass(frozen=True)
class Proven:
    """An account as it is to be kept, what lets it in, and what the venue showed for it."""

    account: Account
    credentials: dict[str, str] = field(repr=False)
    token: Token | None
    reached: tuple[VenueAccount, ...]


def prove(account: Account, entered: Entered, target: Target, person: Person) -> Proven:
    """Sign in with what was entered and ask the venue which accounts it reaches; Problem names what the venue said."""
    access = Access(entered.credentials)
    try:
        token = _sign_in(account, access, target, person)
        access = replace(access, token=token)
        with working("Asking which accounts that reaches"):
            reached = _reached(account, access, target)
    except FillpathError as error:
        raise _told(error, access, target.venues.name(account.venue), account) from None
    return Proven(_chosen(account, reached, person), entered.credentials, token, reached)


def _sign_in(account: Account, access: Access, target: Target, person: Person) -> Token | None:
    venue = target.venues.sign_in(account.venue)
    venue.check(account.connection)
    context = SignInContext(account.account_id, account.connection, target.services.web, target.clock)
    url = venue.authorize_url(access.credentials, context)
    code = ask_for_code(url, person) if url else None
    with working(f"Signing in at {target.venues.name(account.venue)}"):
        return venue.sign_in(access.credentials, context, code)


def _reached(account: Account, access: Access, target: Target) -> tuple[VenueAccount, ...]:
    accounts = cast(AccountStore, _OneAccount(account))  # a venue reads the record of its account, and nothing else
    tokens = TokenStore(_OneSecret(access), _NoLedger(), target.clock)
    services: Services = replace(target.services, accounts=accounts, tokens=tokens)
    broker = target.venues.open_account(account.venue, account.account_id, services)
    try:
        return broker.accounts()
    finally:
        broker.close()


def prove_stored(account: Account, target: Target, person: Person) -> Account:
    """The account, tried at its new connection with what is stored of it; Problem names what the venue said."""
    name = target.venues.name(account.venue)
    access = Access({})
    try:
        access = target.tokens.access(account.account_id)
        with working(f"Asking {name} which accounts that reaches"):
            reached = _reached(account, access, target)
    except NeedsReauth as error:
        raise Problem(
            f"{name} lets nobody in there with what is stored: {access.hidden_in(str(error))}",
            hint=f"./fillpath account sign-in {account.typed} asks where it is, and for its credentials; {NOTHING_KEPT}",
        ) from None
    except FillpathError as error:
        raise _told(error, access, name, account) from None
    return _chosen(account, reached, person)


def _chosen(account: Account, reached: tuple[VenueAccount, ...], person: Person) -> Account:
    """The account with the number of the venue's account that is meant."""
    wanted = account.connection.get("account")
    known = [each.account_id for each in reached]
    listed = ", ".join(f"{each.account_id} ({each.name})" for each in reached)
    if not reached:
        raise Problem("the venue lets you in, but shows no account", hint=f"look there whether one is open; {NOTHING_KEPT}")
    if wanted is not None and wanted not in known:
        raise Problem(f"the venue shows no account {wanted}", hint=f"it shows {listed}; {NOTHING_KEPT}")
    if wanted is None:
        wanted = known[0] if len(known) == 1 else _asked(reached, listed, person)
    kinds = next((tuple(sorted(each.trades)) for each in reached if each.account_id == wanted), ())
    return account.model_copy(update={"connection": {**account.connection, "account": wanted}, "kinds": kinds})


def _asked(reached: tuple[VenueAccount, ...], listed: str, person: Person) -> str:
    if not person.is_there:
        raise Problem(f"the venue shows {len(reached)} accounts: {listed}", hint=f"--set account=ID says which; {NOTHING_KEPT}")
    ids = [each.account_id for each in reached]
    answers = {str(number): account_id for number, account_id in enumerate(ids, 1)} | {each: each for each in ids}
    for number, each in enumerate(reached, 1):
        terminal.err.print(f"  {number}  {escape(each.account_id)} ({escape(each.name)}, {each.currency})")
    for _ in range(ATTEMPTS):
        answer = person.ask(f"Which account? Its number in the list (1 to {len(ids)}) or its id: ").strip()
        if answer in answers:
            return answers[answer]
        terminal.err.print(f"  [yellow]{escape(f'{answer!r} is none of them' if answer else 'this is needed')}[/]")
    raise Problem("which account is meant was not said", hint=f"it is one of {listed}; {NOTHING_KEPT}")


def _told(error: FillpathError, access: Access, venue: str, account: Account) -> Problem:
    # There may be no such account yet.
    text = plain(access.hidden_in(str(error))).replace("./fillpath account sign-in ID", "the same command again")
    own_address = _own_address_remedy(error, venue, account)
    if isinstance(error, NeedsReauth):
        remedy = own_address or "check what you entered"
        return Problem(f"{venue} lets nobody in with that: {text}", hint=f"{remedy}; {NOTHING_KEPT}")
    if isinstance(error, Refused):
        return Problem(text, hint=f"--set KEY=VALUE; {NOTHING_KEPT}")
    if isinstance(error, BrokerError):
        reason = text if text.startswith(venue) else f"{venue}: {text}"
        return Problem(reason, hint=f"{own_address or 'try again later'}; {NOTHING_KEPT}")
    return Problem(text, hint=NOTHING_KEPT)


def _own_address_remedy(error: FillpathError, venue: str, account: Account) -> str:
    """Somebody's own address may lead to nobody, or to somebody else; empty where there is none, or it is not to blame."""
    own = ", ".join(value for key, value in sorted(account.connection.items()) if key.endswith(ENDPOINT))
    if own and _NO_SUCH_PAGE.search(str(error)):
        return f"what answers at {own} knows no such page: is the path right, and is it {venue}"
    return f"see whether {own} is right, and whether it runs" if own and isinstance(error, NotSent) else ""


@dataclass(frozen=True)
class _OneAccount:
    record: Account

    def account(self, account_id: str) -> Account:
        return self.record


@dataclass(frozen=True)
class _OneSecret:
    access: Access

    def read(self, account_id: str) -> Access:
        return self.access

    def write(self, account_id: str, access: Access) -> None:
        raise NotImplementedError("a trial keeps nothing")

    def delete(self, account_id: str) -> None:
        raise NotImplementedError("a trial keeps nothing")


class _NoLedger:
    def of(self, account_id: str) -> TokenStatus | None:
        return TokenStatus(needs_reauth=True, reason="the venue refused it")

    def take(self, account_id: str, owner: str, now: datetime, until: datetime) -> bool:
        return False

    def settle(self, account_id: str, owner: str, status: TokenStatus) -> None:
        raise NotImplementedError("a trial keeps nothing")

    def refused(self, account_id: str, version: int, reason: str) -> None:
        """The trial has failed, and its caller hears why."""
