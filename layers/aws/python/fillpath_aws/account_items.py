"""The items of the accounts table, as docs/tables.md describes them: records go in, items come out, and back."""

from datetime import UTC, datetime
from typing import Any

from fillpath.accounts.model import Account, User, Webhook
from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.accounts.ports.controls import Halt
from fillpath_aws import wire
from fillpath_aws.wire import Item

_OF_THE_TABLE = ("pk", "sk", "user", "sk_user")


def key(kind: str, record_id: str) -> Item:
    """Where the item of one user, account, webhook or token is."""
    return wire.item({"pk": f"{kind}#{record_id}", "sk": kind})


def halt_key(scope: str) -> Item:
    """Where the flag of a scope (`environment`, `user:<id>`, `account:<id>`) is."""
    kind, _, scope_id = scope.partition(":")
    return wire.item({"pk": f"HALT#{kind.upper()}#{scope_id}" if scope_id else f"HALT#{kind.upper()}", "sk": "HALT"})


def user_items(user: User) -> tuple[Item, Item]:
    """The user and the user's entry in the list of all."""
    content = wire.item(user.model_dump(exclude_none=True))
    return key("USER", user.user_id) | content, wire.item({"pk": "USERS", "sk": user.user_id}) | content


def account_item(account: Account) -> Item:
    """An account, listed under its user."""
    return key("ACCOUNT", account.account_id) | _owned(account, f"ACCOUNT#{account.account_id}")


def webhook_item(webhook: Webhook) -> Item:
    """A webhook, listed under its user."""
    return key("WEBHOOK", webhook.webhook_id) | _owned(webhook, f"WEBHOOK#{webhook.webhook_id}")


def token_item(digest: str, owner: TokenOwner) -> Item:
    """A token's digest and what it leads to; an older generation goes by itself after its end."""
    expires_at = int(owner.expires_at.timestamp()) if owner.expires_at else None
    content = {
        "webhook_id": owner.webhook_id,
        "generation": owner.generation,
        "user_id": owner.user_id,
        "account_ids": owner.account_ids,
        "expires_at": expires_at,
    }
    return key("TOKEN", digest) | wire.item(content)


def halt_item(halt: Halt) -> Item:
    """A flag that is set; one that is not has no item."""
    return halt_key(halt.scope) | wire.item({"scope": halt.scope, "at": halt.at, "reason": halt.reason})


def user_of(item: Item) -> User:
    """The user of an item."""
    return User.model_validate(_content(item))


def account_of(item: Item) -> Account:
    """The account of an item."""
    return Account.model_validate(_content(item))


def webhook_of(item: Item) -> Webhook:
    """The webhook of an item."""
    return Webhook.model_validate(_content(item))


def owner_of(item: Item) -> TokenOwner:
    """What the token of an item leads to."""
    content = _content(item)
    expires_at = content.get("expires_at")
    return TokenOwner(
        content["webhook_id"],
        int(content["generation"]),
        content["user_id"],
        tuple(content["account_ids"]),
        datetime.fromtimestamp(int(expires_at), UTC) if expires_at else None,
    )


def halt_of(item: Item) -> Halt:
    """The flag of an item."""
    content = _content(item)
    return Halt(content["scope"], datetime.fromisoformat(content["at"]), content["reason"])


def _owned(record: Account | Webhook, listed_as: str) -> Item:
    return wire.item({"user": record.user_id, "sk_user": listed_as} | record.model_dump(exclude_none=True))


def _content(item: Item) -> dict[str, Any]:
    return wire.record({name: value for name, value in item.items() if name not in _OF_THE_TABLE})
