"""TokenStore: what lets each account in, shared by all functions and workers, with one refresher at a time.

Who trades only reads here: a token is renewed beforehand, with margin, by who has been given that job (`renew_if_due`), so that
no order waits for it. A token that its venue refuses is not used again: entries are refused until a person signs in.

The vault has the secrets, the ledger says what they are good for and who is renewing them. The vault is written first: where a
process ends in between, or the ledger does not answer, the vault is ahead, and the next renewal takes over what it finds there
instead of making another one. Versions only grow, and the vault is written only under a lease that was confirmed just before, so
that neither an old token nor one that came too late ever replaces a newer one.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NoReturn

from fillpath.accounts.access import Access, Token, TokenStatus
from fillpath.accounts.ports.access_vault import AccessVault
from fillpath.accounts.ports.token_ledger import TokenLedger
from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, Conflict, NeedsReauth, NotFound, NotSent, StorageUnavailable
from fillpath_brokers.signing_in import SignIn, SignInContext

LEASE = timedelta(seconds=50)
"""Longer than a renewal may take, with a venue's penalty of some seconds in it; ended by whoever finishes earlier."""
DEAD_MARGIN = timedelta(seconds=5)
READ_AGAIN = timedelta(seconds=60)
REFUSED_AGAIN = timedelta(minutes=4)
"""How long after a refused token was replaced the next refused one is: a venue that refuses each must not be asked all day."""
WRITE_PAUSES_S = (1.0, 3.0)
"""Between attempts to store a renewed token: one that is lost may be the last that its refresh token gives."""
_log = logging.getLogger(__name__)


class Renewal(StrEnum):
    """What `renew_if_due` found and did."""

    NOT_DUE = "not_due"
    RENEWED = "renewed"
    BUSY = "busy"
    FAILED = "failed"
    NEEDS_REAUTH = "needs_reauth"


class _LeaseLost(StorageUnavailable):
    """The lease ran out while the venue took its time, and somebody else has it."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One account to be renewed, and by whom: an owner is one attempt."""

    account_id: str
    sign_in: SignIn
    context: SignInContext
    owner: str


class TokenStore:
    """Keeps what it has read for as long as it is good, at most a minute."""

    def __init__(self, vault: AccessVault, ledger: TokenLedger, clock: Clock) -> None:
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._known: dict[str, tuple[Access, datetime]] = {}
        self._refused: dict[str, int] = {}
        self._unsaved: dict[str, Access] = {}

    def access(self, account_id: str) -> Access:
        """What lets the account in now. NeedsReauth; NotSent while its token is being renewed."""
        access = self._read(account_id)
        if not self._is_usable(account_id, access):
            access = self._read(account_id, again=True)
            if not self._is_usable(account_id, access):
                self._explain(account_id, access)
        return access

    def refused(self, account_id: str, access: Access, reason: str) -> None:
        """The venue did not let this access in: it is not used again here, and everybody is told."""
        self._refused[account_id] = max(access.version, self._refused.get(account_id, 0))
        try:
            self._ledger.refused(account_id, access.version, access.hidden_in(reason))
        except StorageUnavailable:
            _log.warning("that the token of account %s was refused could not be told", account_id)

    def status(self, account_id: str) -> TokenStatus | None:
        """What is known of the account's token; no secret in it."""
        return self._ledger.of(account_id)

    def keep(self, account_id: str, credentials: Mapping[str, str], token: Token | None, owner: str) -> None:
        """A person has signed in: store it over whatever was there. Conflict while somebody else is renewing."""
        self._take_for_a_person(account_id, owner)
        try:
            access = Access(credentials, token, self._newest(account_id) + 1)
            self._vault.write(account_id, access)
        except StorageUnavailable:
            self._give_back(account_id, owner)
            raise
        self._unsaved.pop(account_id, None)
        self._known.pop(account_id, None)
        self._ledger.settle(account_id, owner, self._status(access, None))

    def forget(self, account_id: str, owner: str) -> None:
        """Delete the account's secrets. Conflict while somebody is renewing, who would write them again."""
        self._take_for_a_person(account_id, owner)
        version = self._newest(account_id)
        self._vault.delete(account_id)
        self._unsaved.pop(account_id, None)
        self._known.pop(account_id, None)
        self._ledger.settle(account_id, owner, TokenStatus(version, needs_reauth=True, reason="it was signed out"))

    def renew_if_due(self, account_id: str, sign_in: SignIn, context: SignInContext, owner: str) -> Renewal:
        """Renew the account's token if it ends soon or was refused; only one process does at a time. `owner`: this attempt."""
        status, now = self._ledger.of(account_id), self._clock.now()
        if status and not is_due(status, sign_in, now) and not self._holds_newer(account_id, status):
            return _why_not_due(status)
        if not self._ledger.take(account_id, owner, now, now + LEASE):
            return Renewal.BUSY
        status = self._ledger.of(account_id)
        if status and not is_due(status, sign_in, now) and not self._holds_newer(account_id, status):  # somebody was faster
            self._give_back(account_id, owner)
            return Renewal.NOT_DUE
        return self._renew(_Task(account_id, sign_in, context, owner), status)

    def _renew(self, task: _Task, status: TokenStatus | None) -> Renewal:
        known = status.version if status else 0
        try:
            access = self._stored(task.account_id, known)
        except NotFound:
            return self._give_up(task, status or TokenStatus(), "nobody has signed in")
        except StorageUnavailable as exc:
            return self._fail(task, status, f"the vault does not answer: {exc}")
        if access.version < known:
            return self._fail(task, status, "the vault does not show the newest token yet")
        if access is self._unsaved.get(task.account_id):
            return self._store(task, access, status)
        if status is None or (
            access.version > known and not _refuses(status, access)
        ):  # the vault is ahead: take over what it has
            self._settle(task, self._status(access, status))
            return Renewal.RENEWED
        return self._replace(task, access, status)

    def _replace(self, task: _Task, access: Access, status: TokenStatus) -> Renewal:
        try:
            token = _new_token(access, task.sign_in, task.context)
        except NeedsReauth as exc:
            newer = self._newer_than(access, task.account_id)
            if newer is not None:  # whoever was slow has used up the token that was refused just now
                self._settle(task, self._status(newer, status))
                return Renewal.RENEWED
            return self._give_up(task, status, access.hidden_in(str(exc)))
        except (BrokerUnavailable, StorageUnavailable) as exc:
            return self._fail(task, status, access.hidden_in(str(exc)))
        except Exception:  # the venue's defect; the lease is given back, so that the next attempt need not wait for its end
            self._fail(task, status, "the venue's sign-in ended in an error")
            raise
        return self._store(task, Access(access.credentials, token, access.version + 1), status)

    def _store(self, task: _Task, access: Access, before: TokenStatus | None) -> Renewal:
        self._unsaved[task.account_id] = access
        for pause_s in (*WRITE_PAUSES_S, None):
            try:
                if self._write(task, access):
                    break
            except StorageUnavailable as exc:
                if pause_s is None:
                    _log.exception("the renewed token of account %s is not stored yet; it is tried again", task.account_id)
                    return Renewal.BUSY if isinstance(exc, _LeaseLost) else Renewal.FAILED
                self._clock.sleep(pause_s)
            else:
                _log.warning("the token of account %s came after one that somebody else has renewed", task.account_id)
                return Renewal.BUSY
        self._settle(task, self._status(access, before))
        return Renewal.RENEWED

    def _write(self, task: _Task, access: Access) -> bool:
        """Only while the lease is ours and nothing newer is there; False: there is, and the token is dropped.

        While somebody else has the lease it is kept (_LeaseLost): its refresh token may be the only one that is good.
        """
        now = self._clock.now()
        if not self._ledger.take(task.account_id, task.owner, now, now + LEASE):
            raise _LeaseLost("somebody else is renewing it")
        newest = self._newest(task.account_id) < access.version
        if newest:
            self._vault.write(task.account_id, access)
            self._known.pop(task.account_id, None)
        else:
            self._give_back(task.account_id, task.owner)
        self._unsaved.pop(task.account_id, None)
        return newest

    def _holds_newer(self, account_id: str, status: TokenStatus) -> bool:
        """Whether this process has a token that it could not store, newer than all that is known."""
        unsaved = self._unsaved.get(account_id)
        return unsaved is not None and unsaved.version > status.version

    def _newer_than(self, access: Access, account_id: str) -> Access | None:
        """What somebody else has stored meanwhile."""
        try:
            stored = self._vault.read(account_id)
        except (NotFound, StorageUnavailable):
            return None
        return stored if stored.version > access.version else None

    def _give_up(self, task: _Task, status: TokenStatus, reason: str) -> Renewal:
        _log.warning("account %s needs a person to sign in: %s", task.account_id, reason)
        self._settle(task, replace(status, needs_reauth=True, reason=reason))
        return Renewal.NEEDS_REAUTH

    def _fail(self, task: _Task, status: TokenStatus | None, reason: str) -> Renewal:
        _log.warning("the token of account %s was not renewed: %s", task.account_id, reason)
        if status is not None:  # else there is nothing to write it to; the lease ends by itself
            self._settle(task, replace(status, reason=reason, tried_at=self._clock.now()))
        return Renewal.FAILED

    def _settle(self, task: _Task, status: TokenStatus) -> None:
        """What is not written down here is found in the vault by the next renewal."""
        try:
            self._ledger.settle(task.account_id, task.owner, status)
        except (Conflict, StorageUnavailable) as exc:
            _log.warning("what became of the token of account %s could not be told: %s", task.account_id, exc)

    def _take_for_a_person(self, account_id: str, owner: str) -> None:
        now = self._clock.now()
        if not self._ledger.take(account_id, owner, now, now + LEASE):
            raise Conflict("the token is being renewed right now; try again in a minute")

    def _give_back(self, account_id: str, owner: str) -> None:
        with suppress(StorageUnavailable, Conflict):
            status = self._ledger.of(account_id)
            if status is not None:
                self._ledger.settle(account_id, owner, status)

    def _newest(self, account_id: str) -> int:
        """The highest version that was ever given to somebody."""
        status = self._ledger.of(account_id)
        try:
            stored = self._vault.read(account_id).version
        except NotFound:
            stored = 0
        return max(stored, status.version if status else 0)

    def _stored(self, account_id: str, known: int) -> Access:
        """What the vault has, or the token that this process could not store there yet, if nothing newer has come since."""
        stored, unsaved = self._vault.read(account_id), self._unsaved.get(account_id)
        if unsaved is None or unsaved.version <= max(known, stored.version):
            self._unsaved.pop(account_id, None)
            return stored
        return unsaved

    def _status(self, access: Access, before: TokenStatus | None) -> TokenStatus:
        """What to say of it once it is stored in place of what there was `before`."""
        replaced_at = before.replaced_at if before else None
        if before and before.is_refused:
            replaced_at = self._clock.now()
        token = access.token
        if token is None:
            return TokenStatus(access.version, replaced_at=replaced_at)
        return TokenStatus(access.version, token.expires_at, token.refresh_expires_at, replaced_at=replaced_at)

    def _read(self, account_id: str, *, again: bool = False) -> Access:
        known = self._known.get(account_id)
        if known and not again and known[1] > self._clock.now():
            return known[0]
        try:
            access = self._vault.read(account_id)
        except NotFound as exc:
            raise NeedsReauth(f"account {account_id} has no credentials: ./fillpath account sign-in {account_id}") from exc
        except StorageUnavailable as exc:
            raise NotSent(f"the account's credentials could not be read: {exc}") from exc
        self._known[account_id] = (access, self._clock.now() + READ_AGAIN)
        self._heed(account_id, access)
        return access

    def _heed(self, account_id: str, access: Access) -> None:
        """What another process was refused is not sent from here either."""
        with suppress(StorageUnavailable):
            status = self._ledger.of(account_id)
            if status and _refuses(status, access):
                self._refused[account_id] = max(access.version, self._refused.get(account_id, 0))

    def _is_usable(self, account_id: str, access: Access) -> bool:
        dead = access.token is not None and access.token.expires_at - DEAD_MARGIN <= self._clock.now()
        return not dead and access.version > self._refused.get(account_id, -1)

    def _explain(self, account_id: str, access: Access) -> NoReturn:
        """Why there is no usable access: a person must act, or a renewal is on its way."""
        try:
            status = self._ledger.of(account_id)
        except StorageUnavailable:
            status = None
        reason = status.reason if status else None
        if (status and status.needs_reauth) or access.token is None:
            why = reason or "the venue does not let it in"
            raise NeedsReauth(f"account {account_id} must be signed in again: {why}")
        failed = f"; the last try failed: {reason}" if status and status.tried_at and reason else ""
        raise NotSent(f"the token of account {account_id} is being renewed{failed}", 2.0)


def is_due(status: TokenStatus, sign_in: SignIn, now: datetime) -> bool:
    """Whether the token is to be renewed now: it ends soon, or was refused."""
    at = due_at(status, sign_in)
    return at is not None and at <= now


def due_at(status: TokenStatus, sign_in: SignIn) -> datetime | None:
    """When the token is to be renewed; None: never, as far as is known."""
    if status.needs_reauth:
        return None
    if status.is_refused:
        return status.replaced_at + REFUSED_AGAIN if status.replaced_at else datetime.min.replace(tzinfo=UTC)
    if sign_in.renew_before is None or status.expires_at is None:
        return None
    return status.expires_at - sign_in.renew_before


def _refuses(status: TokenStatus, access: Access) -> bool:
    return status.refused_version is not None and status.refused_version >= access.version


def _why_not_due(status: TokenStatus) -> Renewal:
    if status.needs_reauth:
        return Renewal.NEEDS_REAUTH
    return Renewal.FAILED if status.is_refused else Renewal.NOT_DUE


def _new_token(access: Access, sign_in: SignIn, context: SignInContext) -> Token | None:
    """A renewed token; where there is none to renew, or it cannot be, a new sign-in, if nobody has to sit at a browser for it."""
    if access.token is None:
        return sign_in.sign_in(access.credentials, context)
    try:
        return sign_in.renew(access.credentials, access.token, context)
    except NeedsReauth:
        if sign_in.authorize_url(access.credentials, context) is not None:
            raise
        return sign_in.sign_in(access.credentials, context)
