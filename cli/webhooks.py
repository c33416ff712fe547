"""Webhooks as a person sets them up: routes and choices as typed come in, webhooks and what a sender needs go out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from cli.directory import Directory
from cli.problem import Problem
from cli.target import Target
from fillpath.accounts.manage import Access, access_to
from fillpath.accounts.model import Account, Gate, Route, SecretIn, User, Webhook
from fillpath.alerts.message import strategy_message

# One transaction accepts an alert for all routes.
MOST_ROUTES = 49
MOST_WAIT_S = 25
_OVERLAP = re.compile(r"^(?P<number>\d{1,6})(?P<unit>[smhd]?)$")
_UNITS = {"": "hours", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Sender:
    """What a sender of alerts needs."""

    webhook_id: str
    url: str
    secret: str
    message: str

    @property
    def secret_in_message(self) -> str | None:
        """The secret as messages carry it: not at all where the URL does."""
        return None if self.url.endswith(f"/{self.secret}") else self.secret

    @classmethod
    def of(cls, webhook: Webhook, target: Target) -> "Sender":
        """The webhook's present address, secret and message."""
        return cls.with_access(webhook, access_to(webhook, target.master_key.read()), target)

    @classmethod
    def with_access(cls, webhook: Webhook, access: Access, target: Target) -> "Sender":
        """The same, where token and secret are known already."""
        in_url = webhook.secret_in is SecretIn.URL
        url = target.webhook_url(access.token) + (f"/{access.secret}" if in_url else "")
        return cls(webhook.webhook_id, url, access.secret, strategy_message(None if in_url else access.secret))


def parse_routes(texts: Sequence[str], directory: Directory, user: User | None) -> tuple[User, tuple[Route, ...]]:
    """The routes of `ACCOUNT[:MULTIPLIER]` texts and whose they are; without any, the user's first account. Raises Problem."""
    if not texts:
        owner = user or directory.user(None)
        return owner, (Route(account_id=_first_account(directory.accounts(owner), owner).account_id),)
    parsed = [_route(text, directory) for text in texts]
    accounts = [account for account, _ in parsed]
    if len({account.account_id for account in accounts}) < len(accounts):
        raise Problem("--route: an account stands there twice", hint="one route per account, with the whole multiplier")
    if len(accounts) > MOST_ROUTES:
        raise Problem(f"--route: {len(accounts)} routes; a webhook has at most {MOST_ROUTES}")
    owner_ids = {account.user_id for account in accounts} | ({user.user_id} if user else set())
    if len(owner_ids) > 1:
        raise Problem("--route: the accounts belong to different users", hint="./fillpath account list shows whose they are")
    return directory.user(accounts[0].user_id), tuple(route for _, route in parsed)


def parse_limit(text: str) -> int | None:
    """A number of entries a day, or none. Raises Problem."""
    if text.lower() == "none":
        return None
    if not text.isdecimal():
        raise Problem(f"--daily-limit: {text!r} is not a number of entries", hint="a whole number from 0, or none")
    return int(text)


def parse_gate(text: str) -> Gate:
    """What to do if the strategy's position is not the account's. Raises Problem."""
    try:
        return Gate(text.lower())
    except ValueError:
        raise Problem(f"--gate: there is no {text!r}", hint=f"one of {', '.join(Gate)}") from None


def parse_wait(text: str) -> Decimal:
    """Seconds, no longer than the gateway lets a request take. Raises Problem."""
    value = _decimal(text)
    if not 0 <= value <= MOST_WAIT_S:
        raise Problem(f"--wait-s: {text!r} is not a number of seconds", hint=f"from 0 to {MOST_WAIT_S}")
    return value


def parse_overlap(text: str) -> timedelta:
    """A time such as `24h`, `30m`, `7d` or `0`. Raises Problem."""
    match = _OVERLAP.match(text.strip().lower())
    if match is None:
        raise Problem(f"--overlap: {text!r} is not a time", hint="such as 24h, 30m, 7d or 0")
    return timedelta(**{_UNITS[match["unit"]]: int(match["number"])})


def _route(text: str, directory: Directory) -> tuple[Account, Route]:
    name, colon, multiplier = text.rpartition(":")
    account = directory.account(name if colon else text)
    return account, Route(account_id=account.account_id, multiplier=_multiplier(multiplier, text) if colon else Decimal(1))


def _multiplier(text: str, route: str) -> Decimal:
    value = _decimal(text)
    if value <= 0:
        reason = f"--route {route}: the multiplier {text!r} is not a number above 0"
        raise Problem(reason, hint="ACCOUNT:MULTIPLIER, such as ABC123:0.5")
    return value


def _decimal(text: str) -> Decimal:
    """The number; below every bound if it is none."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return Decimal(-1)
    return value if value.is_finite() else Decimal(-1)


def _first_account(accounts: Sequence[Account], owner: User) -> Account:
    if not accounts:
        raise Problem(f"{owner.email} has no account to send orders to", hint="./fillpath account add paper --terms")
    return accounts[0]
