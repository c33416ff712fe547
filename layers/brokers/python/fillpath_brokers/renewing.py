"""Keeping accounts signed in: all accounts come in, tokens that end soon are renewed, and each record says what is known of it.

Runs each minute. Accounts come one after the other, those first whose renewal is overdue for longest, counted anew from each
failure, so that venues that do not answer keep nobody else waiting for ever. What there is no time for comes next minute.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from fillpath.accounts.access import TokenStatus
from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Account, Credentials
from fillpath.accounts.ports.account_store import AccountStore
from fillpath.clock import Clock
from fillpath.errors import NotFound, Unsupported
from fillpath.orders.ports.telemetry import Telemetry
from fillpath_brokers.signing_in import SignIn, SignInContext
from fillpath_brokers.token_store import Renewal, TokenStore, due_at
from fillpath_brokers.web import Web

DUE_SOON = timedelta(days=2)
_NEVER = datetime.max.replace(tzinfo=UTC)
_log = logging.getLogger(__name__)


class Venues(Protocol):
    """What has to be known of venues; the registry does."""

    def capabilities(self, key: str) -> Capabilities:
        """What the venue can do; Unsupported."""
        ...

    def sign_in(self, key: str) -> SignIn:
        """How accounts get into the venue; Unsupported."""
        ...


@dataclass(frozen=True, slots=True)
class Office:
    """Who is at work: the accounts, their tokens, the venues and the way there. `owner` names this run."""

    accounts: AccountStore
    tokens: TokenStore
    venues: Venues
    web: Web
    clock: Clock
    telemetry: Telemetry
    owner: str


class Tally(NamedTuple):
    """What became of the accounts: how many were renewed, failed, were left for the next run, need a person."""

    renewed: int
    failed: int
    left: int
    need_a_person: int


class _Case(NamedTuple):
    account: Account
    sign_in: SignIn
    status: TokenStatus | None

    @property
    def turn(self) -> datetime:
        """Since when it waits; what nobody knows anything about has waited for longest."""
        if self.status is None:
            return datetime.min.replace(tzinfo=UTC)
        due = due_at(self.status, self.sign_in) or _NEVER
        return max(due, self.status.tried_at) if self.status.tried_at else due


class _End(NamedTuple):
    renewal: Renewal | None
    """None: there was no time left for it."""
    status: TokenStatus | None = None


def renew_all(office: Office, finish_by: datetime) -> Tally:
    """Renew what is due, begin nothing after `finish_by`, and report. StorageUnavailable if not even the accounts are known."""
    ends: list[_End] = []
    cases: list[_Case] = []
    for account in _accounts(office):
        try:
            cases.append(_Case(account, office.venues.sign_in(account.venue), office.tokens.status(account.account_id)))
        except Exception:  # noqa: BLE001  one account's trouble keeps no other from being looked after
            ends.append(_trouble(account))
    for case in sorted(cases, key=lambda case: case.turn):
        try:
            ends.append(_look_after(case, office, finish_by))
        except Exception:  # noqa: BLE001  the same
            ends.append(_trouble(case.account))
    return _report(ends, office)


def _accounts(office: Office) -> Iterator[Account]:
    for user in office.accounts.users():
        for account in office.accounts.of_user(user.user_id)[0]:
            if account.credentials is not Credentials.MISSING and _has_credentials(account, office.venues):
                yield account


def _has_credentials(account: Account, venues: Venues) -> bool:
    try:
        return venues.capabilities(account.venue).credentials_required
    except Unsupported:
        return True  # a venue that is gone: it is told as trouble


def _look_after(case: _Case, office: Office, finish_by: datetime) -> _End:
    if office.clock.now() >= finish_by:
        return _End(None, case.status)
    account, status = case.account, case.status
    context = SignInContext(account.account_id, account.connection, office.web, office.clock)
    renewal = office.tokens.renew_if_due(account.account_id, case.sign_in, context, office.owner)
    if renewal is not Renewal.NOT_DUE:
        status = office.tokens.status(account.account_id)
    if status is not None:
        _mark(account, status, office.accounts)
    return _End(renewal, status)


def _mark(account: Account, status: TokenStatus, accounts: AccountStore) -> None:
    """The record says what is known; it is read again, because a listing may be behind."""
    known = (Credentials.NEEDS_REAUTH if status.needs_reauth else Credentials.VERIFIED, status.refresh_expires_at)
    if (account.credentials, account.sign_in_by) == known:
        return
    try:
        account = accounts.account(account.account_id)
        if (account.credentials, account.sign_in_by) != known:
            accounts.mark_access(account.account_id, *known)
    except NotFound:
        _log.info("account %s was removed in the meantime", account.account_id)


def _trouble(account: Account) -> _End:
    _log.exception("account %s at %s could not be looked after", account.account_id, account.venue)
    return _End(Renewal.FAILED)


def _report(ends: list[_End], office: Office) -> Tally:
    renewals, known = [end.renewal for end in ends], [end.status for end in ends if end.status]
    failed, need_a_person = renewals.count(Renewal.FAILED), sum(status.needs_reauth for status in known)
    for _ in range(failed):
        office.telemetry.count("TokenRenewalFailed")
    soon = office.clock.now() + DUE_SOON
    ending = [status for status in known if status.refresh_expires_at and status.refresh_expires_at <= soon]
    office.telemetry.measure("NeedsReauth", need_a_person)
    office.telemetry.measure("SignInDueSoon", sum(not status.needs_reauth for status in ending))
    return Tally(renewals.count(Renewal.RENEWED), failed, renewals.count(None), need_a_person)
