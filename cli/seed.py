"""What a new stack begins with: one user, one paper account, one webhook; found again on every later start."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cli.directory import Directory
from cli.target import Target
from cli.webhooks import Sender
from fillpath.accounts.manage import save_webhook
from fillpath.accounts.model import Account, Route, User, Webhook
from fillpath.ids import new_id

EMAIL = "trader@example.com"
VENUE = "paper"
LABEL = "paper"
WEBHOOK_LABEL = "tradingview"


def seed(target: Target, before: Mapping[str, Any]) -> dict[str, Any]:
    """Makes what is not there and describes it for stack.json; `before` is the stack.json that was there, for the password."""
    directory = Directory(target.accounts)
    user = next(iter(directory.users()), None) or _user(target)
    account = next(iter(directory.accounts(user)), None) or _account(user, target)
    webhook = next(iter(directory.webhooks(user)), None) or _webhook(user, account, target)
    sender = Sender.of(webhook, target)
    return {
        "webhook_url": sender.url,
        "webhook_secret": sender.secret,
        "user": {"id": user.user_id, "email": user.email, "password": _password(user, before)},
        "account_id": account.account_id,
    }


def _user(target: Target) -> User:
    now = datetime.now(UTC)
    user = User(user_id=new_id(now), email=EMAIL, created_at=now)
    target.accounts.save(user)
    return user


def _account(user: User, target: Target) -> Account:
    now = datetime.now(UTC)
    account = Account(
        account_id=new_id(now), user_id=user.user_id, venue=VENUE, label=LABEL, terms_accepted_at=now, created_at=now
    )
    target.accounts.save(account)
    return account


def _webhook(user: User, account: Account, target: Target) -> Webhook:
    now = datetime.now(UTC)
    route = Route(account_id=account.account_id)
    webhook = Webhook(webhook_id=new_id(now), user_id=user.user_id, label=WEBHOOK_LABEL, routes=(route,), created_at=now)
    save_webhook(webhook, target.accounts, target.master_key.read())
    return webhook


def _password(user: User, before: Mapping[str, Any]) -> str:
    """Made once, for signing in on the dashboard."""
    known = before.get("user", {})
    return str(known["password"]) if known.get("id") == user.user_id else secrets.token_urlsafe(18)
