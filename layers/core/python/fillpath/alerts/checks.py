"""The layers between an alert that is understood and its commit: time, secret, replay, rules.

Each gives its objections one by one: who accepts stops at the first, who previews wants them all.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from fillpath.accounts.model import SecretIn
from fillpath.accounts.tokens import is_secret
from fillpath.alerts.case import Case
from fillpath.alerts.ports.alert_store import GUARD_KEPT
from fillpath.alerts.route import reduces
from fillpath.alerts.rules import held_back
from fillpath.alerts.signature import HEADER, is_signed
from fillpath.errors import Refused, Replayed

LAYERS = ("parse", "time", "secret", "replay", "rules", "commit")
"""Every layer that a hit on a known token passes, in order."""
UNTIMED_GUARD_KEPT = timedelta(seconds=60)
"""How long an alert without a time of its own is known again: longer than TradingView sends it again."""
_FUTURE_S = 10


class Objection(NamedTuple):
    """What one layer has against an alert."""

    layer: str
    error: Refused | Replayed


def objections(case: Case) -> Iterator[Objection]:
    """Everything that the webhook itself has against the alert, in the order of the layers."""
    for layer, check in _CHECKS:
        for error in check(case):
            yield Objection(layer, error)


def guard_kept(case: Case) -> timedelta:
    """How long the alert is to be known again: as long as it could be sent again and pass."""
    if case.timed:
        return GUARD_KEPT
    signed = timedelta(seconds=_oldest_s(case) + _FUTURE_S) if case.signature else timedelta(0)
    return max(UNTIMED_GUARD_KEPT, signed)


def _time(case: Case) -> Iterator[Refused]:
    if case.timed:
        yield from _untimely("timestamp", case.at, "send {{timenow}}", case)
    if case.signature:
        yield from _untimely(HEADER, case.signature.at, "sign with the present time", case)


def _untimely(name: str, at: datetime, remedy: str, case: Case) -> Iterator[Refused]:
    age, limit = (case.hit.received_at - at).total_seconds(), _oldest_s(case)
    if age > limit:
        yield Refused("stale_alert", f"{name}: is {age:.0f} s old; this webhook takes {limit} s for this kind of signal")
    if age < -_FUTURE_S:
        yield Refused("stale_alert", f"{name}: lies {-age:.0f} s in the future; {remedy}")


def _oldest_s(case: Case) -> int:
    return case.webhook.reduction_staleness_s if reduces(case.alert) else case.webhook.entry_staleness_s


def _secret(case: Case) -> Iterator[Refused]:
    if reason := _unsigned(case) if case.hit.signature is not None else _unproven(case):
        yield Refused("bad_secret", reason)


def _unsigned(case: Case) -> str | None:
    if case.signature is None:
        return f"{HEADER}: is not t=<unix seconds>,v1=<64 hexadecimal digits>"
    if is_signed(case.signature, case.sender.access.secret, case.hit.body):
        return None
    return f"{HEADER}: is wrong; sign t, a dot and the body with the secret that ./fillpath webhook show shows"


def _unproven(case: Case) -> str | None:
    in_url = case.webhook.secret_in is SecretIn.URL
    given = case.hit.secret if in_url else case.alert.secret
    if given is None:
        other = case.alert.secret if in_url else case.hit.secret
        place, elsewhere = ("after the token in the URL", "body") if in_url else ("in the message", "url")
        remedy = f"./fillpath webhook set --secret-in {elsewhere} changes that" if other else "./fillpath webhook show shows it"
        return f"secret: is missing; this webhook wants it {place}; {remedy}"
    return None if is_secret(given, case.sender.access.secret) else "secret: is wrong; ./fillpath webhook show shows it"


def _replay(case: Case) -> Iterator[Replayed]:
    if case.context.replay_of:
        yield Replayed(*case.context.replay_of)


def _rules(case: Case) -> Iterator[Refused]:
    if reduces(case.alert):
        return
    yield from held_back(case.context, case.resolved.instrument.root, case.hit.received_at)


_CHECKS: tuple[tuple[str, Callable[[Case], Iterator[Refused | Replayed]]], ...] = (
    ("time", _time),
    ("secret", _secret),
    ("replay", _replay),
    ("rules", _rules),
)
