"""Users, accounts, webhooks and token digests in dictionaries."""

from datetime import datetime
from typing import TypeVar

from fillpath.accounts.model import Account, Credentials, User, Webhook
from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.errors import NotFound
from tests.fakes.tables import FakeTables

Record = TypeVar("Record")


class FakeAccountStore:
    """AccountStore over the records that FakeAlertStore shows as well."""

    def __init__(self, tables: FakeTables | None = None) -> None:
        self.tables = tables or FakeTables()

    def user(self, user_id: str) -> User:
        """One user."""
        return _found(self.tables.users, "user", user_id)

    def users(self) -> tuple[User, ...]:
        """Every user, by id."""
        return _by_id(self.tables.users)

    def account(self, account_id: str) -> Account:
        """One account."""
        return _found(self.tables.accounts, "account", account_id)

    def webhook(self, webhook_id: str) -> Webhook:
        """One webhook."""
        return _found(self.tables.webhooks, "webhook", webhook_id)

    def of_user(self, user_id: str) -> tuple[tuple[Account, ...], tuple[Webhook, ...]]:
        """What a user owns, by id."""
        accounts = tuple(account for account in _by_id(self.tables.accounts) if account.user_id == user_id)
        webhooks = tuple(webhook for webhook in _by_id(self.tables.webhooks) if webhook.user_id == user_id)
        return accounts, webhooks

    def save(self, record: User | Account) -> None:
        """Write a user or an account."""
        if isinstance(record, User):
            self.tables.users[record.user_id] = record
        else:
            self.tables.accounts[record.account_id] = record

    def mark_access(self, account_id: str, credentials: Credentials, sign_in_by: datetime | None) -> None:
        """Change what is known of an account's access."""
        changes = {"credentials": credentials, "sign_in_by": sign_in_by}
        self.tables.accounts[account_id] = self.account(account_id).model_copy(update=changes)

    def remove_account(self, account_id: str) -> None:
        """Delete an account's record."""
        self.tables.accounts.pop(account_id, None)

    def save_webhook(self, webhook: Webhook, tokens: dict[str, TokenOwner], revoked: tuple[str, ...] = ()) -> None:
        """Write a webhook with its token digests and delete revoked ones."""
        self.tables.webhooks[webhook.webhook_id] = webhook
        self.tables.tokens.update(tokens)
        for digest in revoked:
            self.tables.tokens.pop(digest, None)


def _found(records: dict[str, Record], kind: str, record_id: str) -> Record:
    try:
        return records[record_id]
    except KeyError:
        raise NotFound(f"{kind} {record_id}") from None


def _by_id(records: dict[str, Record]) -> tuple[Record, ...]:
    return tuple(records[record_id] for record_id in sorted(records))
