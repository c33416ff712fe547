"""Settings of an account as they are typed: options and the venue's abilities come in, changes of the record go out.

What a venue cannot honour is refused here with what is possible instead, before anything is kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cli.labels import clean_label
from cli.means import Venues
from cli.problem import Problem
from cli.venue_form import fits
from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Account, OutsideHours, RollBy
from fillpath_brokers.signing_in import SignIn

MOST_ROLL_DAYS = 60
ENDPOINT = "endpoint"
LIVE = "live"


@dataclass(frozen=True)
class Options:
    """What was typed; None where nothing was."""

    label: str | None = None
    terms: bool | None = None
    symbols: str | None = None
    roll: str | None = None
    one_order_flip: bool | None = None
    outside_hours: str | None = None

    def changes(self, venues: Venues, venue: str) -> dict[str, Any]:
        """The record's fields that they change; raises Problem for what makes no sense or the venue cannot do."""
        changes: dict[str, Any] = {} if self.label is None else {"label": clean_label(self.label)}
        if self.terms is not None:
            changes["terms_accepted_at"] = datetime.now(UTC) if self.terms else None
        if self.symbols is not None:
            changes["symbols"] = _roots(self.symbols, venues.capabilities(venue), venues.name(venue))
        if self.roll is not None:
            changes |= _roll(self.roll)
        if self.one_order_flip is not None:
            changes["one_order_flip"] = self.one_order_flip
        if self.outside_hours is not None:
            changes["outside_hours"] = _outside_hours(self.outside_hours)
        _require_able(changes, venues.capabilities(venue), venues.name(venue))
        return changes


def connection_changes(texts: Iterable[str], endpoint: str | None, sign_in: SignIn, venue: str) -> dict[str, str]:
    """What --set and --endpoint say of the connection; raises Problem for secrets, which a shell's history would keep."""
    typed = [text.partition("=") for text in texts]
    if not all(key.strip() and equals for key, equals, _ in typed):
        raise Problem("--set: what stands there is not KEY=VALUE", hint="such as --set environment=paper")
    found = {key.strip(): value.strip() for key, _, value in typed}
    secret = {field.key for field in sign_in.fields if field.secret}
    if exposed := sorted(secret & found.keys()):
        raise Problem(
            f"{', '.join(exposed)} of {venue} is secret and does not belong on a command line, which the shell keeps",
            hint="you are asked for it, unseen; or --credentials FILE. If others read that history, change it at the venue",
        )
    for field in sign_in.fields:
        if found.get(field.key) and not fits(field, found[field.key]):
            raise Problem(f"--set: {field.key} is not what it must be", hint=field.help)
    if endpoint is not None:
        found[ENDPOINT] = endpoint
    for key in {ENDPOINT, *sign_in.endpoints} & found.keys():
        _require_address(key, found[key])
    return found


def merged(connection: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """The connection with the changes; an empty value takes a setting away."""
    return {key: value for key, value in {**connection, **changes}.items() if value}


def trades_real_money(account: Account, venues: Venues) -> bool:
    """Whether orders go to the venue itself, in an environment that is not one for trying."""
    capabilities = venues.capabilities(account.venue)
    if not capabilities.credentials_required or not capabilities.can_trade:
        return False
    replaced = {ENDPOINT, *venues.sign_in(account.venue).endpoints} & account.connection.keys()
    return not replaced and account.connection.get("environment", LIVE) == LIVE


def _require_address(key: str, text: str) -> None:
    parts = urlsplit(text)
    if parts.username is not None:
        raise Problem(f"{key}: an address with a user or a password in it is not kept", hint="such as https://127.0.0.1:8443")
    if text and (parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname):
        raise Problem(f"{key}: {text!r} is not an address", hint="such as https://127.0.0.1:8443")


def _require_able(changes: Mapping[str, Any], capabilities: Capabilities, name: str) -> None:
    if changes.get("one_order_flip") and not capabilities.single_order_flip:
        raise Problem(
            f"--one-order-flip: {name} cannot go through zero with one order",
            hint="leave it away: a reversal closes, sees the fill, and then opens",
        )
    if "roll_by" in changes and "future" not in capabilities.asset_classes:
        raise Problem(f"--roll: {name} trades no futures, and nothing else moves on to a next contract", hint="leave it away")
    if changes.get("roll_by") is RollBy.VENUE and not capabilities.front_month:
        raise Problem(f"--roll venue: {name} does not say which contract is the front month", hint="--roll days:8")
    if changes.get("outside_hours") is OutsideHours.QUEUE and not capabilities.queues_when_closed:
        raise Problem(f"--outside-hours queue: {name} keeps no order until the open", hint="--outside-hours refuse")


def _roots(text: str, able: Capabilities, name: str) -> tuple[str, ...]:
    from fillpath.market.instruments import resolve  # noqa: PLC0415  the catalogue, which most commands do without
    from fillpath_brokers.canonical import many  # noqa: PLC0415  the same

    if text.strip().lower() == "all":
        return ()
    today = datetime.now(UTC).date()
    found = [resolve(symbol, today).instrument for symbol in text.split(",")]
    if foreign := [each.root for each in found if each.kind not in able.asset_classes]:
        kinds = ", ".join(map(many, sorted(able.asset_classes)))
        raise Problem(f"--symbols: {name} does not trade {', '.join(foreign)}", hint=f"it trades {kinds}")
    return tuple(dict.fromkeys(each.root for each in found))


def _roll(text: str) -> dict[str, Any]:
    if text == RollBy.VENUE:
        return {"roll_by": RollBy.VENUE}
    kind, _, days = text.partition(":")
    if kind != RollBy.DAYS or not (days.isascii() and days.isdecimal()):
        raise Problem(
            f"--roll: {text!r} says neither days nor venue",
            hint="days:8 (before the last trading day), or venue where it names the front month",
        )
    if int(days) > MOST_ROLL_DAYS:
        raise Problem(f"--roll: {days} days before the last trading day are too many", hint=f"days:0 to days:{MOST_ROLL_DAYS}")
    return {"roll_by": RollBy.DAYS, "roll_days": int(days)}


def _outside_hours(text: str) -> OutsideHours:
    try:
        return OutsideHours(text)
    except ValueError:
        raise Problem(f"--outside-hours: there is no {text!r}", hint=f"one of {', '.join(OutsideHours)}") from None
