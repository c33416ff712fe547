"""Letting an account in: what was typed comes in, an account that has been tried at its venue goes out; then it is kept."""

import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cli.account_settings import ENDPOINT, LIVE, connection_changes, merged, trades_real_money
from cli.directory import Directory
from cli.means import Means, Person, Venues
from cli.place_at_venue import ACCOUNT, moved, place_keys, require_alone, require_quiet, where
from cli.problem import NOTHING_KEPT, Problem
from cli.target import Target
from cli.trial import Proven, prove, prove_stored
from cli.venue_form import Entered, ask_for, read_from
from fillpath.accounts.model import Account, Credentials, OutsideHours
from fillpath.errors import FillpathError, Refused, StorageUnavailable
from fillpath.ids import new_id
from fillpath_brokers.signing_in import SignIn

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Typed:
    """What the command line says of a connection. `credentials`: the file that has them, `-` for standard input."""

    endpoint: str | None
    settings: tuple[str, ...]
    credentials: str | None
    live: bool
    outside_hours_told: bool
    force: bool = False

    def require_nothing(self, venue: str) -> None:
        """Raises Problem for options that mean nothing where nobody signs in."""
        given = {"--endpoint": self.endpoint, "--set": self.settings, "--credentials": self.credentials, "--live": self.live}
        if useless := [option for option, value in given.items() if value]:
            raise Problem(f"{', '.join(useless)}: nobody signs in at {venue}", hint="leave it away")


def enter(account: Account, typed: Typed, target: Target, person: Person) -> Proven:
    """Ask for what the venue needs (or read it), and try it there; raises Problem, and then nothing is kept anywhere."""
    sign_in, venue = target.venues.sign_in(account.venue), target.venues.name(account.venue)
    changes = connection_changes(typed.settings, typed.endpoint, sign_in, venue)
    connection = merged(account.connection, changes)
    fields = [each if each.secret else replace(each, default=connection.get(each.key, each.default)) for each in sign_in.fields]
    if typed.credentials is None:
        entered = ask_for(fields, changes, person)
    else:
        entered = read_from(_text(typed.credentials, person), fields, changes, venue)
    connected = _connected(account, {**connection, **entered.connection}, typed, target.venues, person)
    replaced = {ENDPOINT, *sign_in.endpoints} & connected.connection.keys()
    if replaced and not typed.outside_hours_told:
        connected = connected.model_copy(update={"outside_hours": OutsideHours.QUEUE})
    try:
        proven = prove(connected, Entered(credentials=entered.credentials), target, person)
    except Problem as problem:
        raise _with_suggestions(problem, connected, sign_in) from None
    require_alone(proven.account, Directory(target.accounts).accounts(), sign_in)
    return proven


def signed_in_again(account: Account, typed: Typed, target: Target, person: Person) -> Proven:
    """The same for an account that there is. What leads it to another account needs it to be quiet, or force; raises Problem."""
    known = account.connection
    if typed.force:
        account = account.model_copy(update={"connection": {key: known[key] for key in known if key != ACCOUNT}})
    proven = enter(account, typed, target, person)
    sign_in = target.venues.sign_in(account.venue)
    if not typed.force and moved(known, proven.account.connection, sign_in):
        _require_quiet(account, proven.account, target, sign_in)
    return proven


def reconnected(account: Account, typed: Typed, means: Means, target: Target) -> Account:
    """The account with other settings of its connection and the same credentials, tried where it moves; raises Problem."""
    sign_in, venue = means.venues.sign_in(account.venue), means.venues.name(account.venue)
    changes = connection_changes(typed.settings, typed.endpoint, sign_in, venue)
    connected = _connected(account, merged(account.connection, changes), typed, means.venues, means.person)
    if not place_keys(sign_in) & changes.keys():
        return connected
    if not typed.force and moved(account.connection, connected.connection, sign_in):
        _require_quiet(account, connected, target, sign_in)
    proven = prove_stored(connected, target, means.person)
    require_alone(proven, Directory(target.accounts).accounts(), sign_in)
    return proven


def keep(proven: Proven, target: Target, *, new: bool) -> Account:
    """Store the secret, then the record; of a new account nothing is left where that fails. Conflict, StorageUnavailable."""
    account_id, token = proven.account.account_id, proven.token
    target.tokens.keep(account_id, proven.credentials, token, new_id(target.clock.now()))
    # Somebody may have changed its other settings while the questions were answered.
    record = proven.account if new else target.accounts.account(account_id)
    verified = record.model_copy(
        update={
            "connection": proven.account.connection,
            "simulation": proven.account.simulation,
            "kinds": proven.account.kinds,
            "credentials": Credentials.VERIFIED,
            "sign_in_by": token.refresh_expires_at if token else None,
        }
    )
    try:
        target.accounts.save(verified)
    except StorageUnavailable:
        if new:
            with suppress(FillpathError):
                target.tokens.forget(account_id, new_id(target.clock.now()))
        raise
    return verified


def _require_quiet(before: Account, after: Account, target: Target, sign_in: SignIn) -> None:
    """Raises Problem with where it would lead, and that nothing was kept."""
    try:
        require_quiet(before, target)
    except Problem as problem:
        elsewhere = where(before.connection, after.connection, sign_in)
        reason = f"this leads {before.label} to {elsewhere}; {problem.reason}"
        raise Problem(reason, hint=f"{problem.hint}; {NOTHING_KEPT}") from problem


def _connected(account: Account, connection: dict[str, str], typed: Typed, venues: Venues, person: Person) -> Account:
    try:
        venues.sign_in(account.venue).check(connection)
    except Refused as error:
        raise Problem(f"--set: {error.message}", hint=NOTHING_KEPT) from error
    connected = account.model_copy(update={"connection": connection})
    real = trades_real_money(connected, venues)
    if real and account.simulation and not typed.live:
        _confirm(account, person)
    return connected.model_copy(update={"simulation": not real})


def _with_suggestions(problem: Problem, account: Account, sign_in: SignIn) -> Problem:
    """What is suggested anew each time, such as a device's id, must be the same the next time: the venue may know it by then."""
    new = [one.key for one, other in zip(sign_in.fields, sign_in.fields, strict=True) if one.default != other.default]
    same = [f"--set {shlex.quote(f'{key}={account.connection[key]}')}" for key in new if key in account.connection]
    if not same:
        return problem
    return Problem(problem.reason, hint=f"{problem.hint}; the next time with {' '.join(same)}", output=problem.output)


def _confirm(account: Account, person: Person) -> None:
    if not person.is_there:
        raise Problem(f"account {account.label} would trade real money", hint=f"--live says that it may; {NOTHING_KEPT}")
    if person.ask(f"Account {account.label} will trade real money. Type {LIVE} to go on: ").strip() != LIVE:
        raise Problem(NOTHING_KEPT)


def _text(source: str, person: Person) -> str:
    if source == STANDARD_INPUT:
        return person.handed_over()
    try:
        return Path(source).read_text("utf-8")
    except UnicodeDecodeError:
        raise Problem(f"--credentials: {source} is not text", hint="a file with one JSON object") from None
    except OSError as error:
        raise Problem(f"--credentials: {source} cannot be read: {error.strerror}", hint="a file with one JSON object") from None
