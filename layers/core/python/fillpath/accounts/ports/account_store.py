"""AccountStore: users, accounts and webhooks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fillpath.accounts.model import Account, Credentials, User, Webhook


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """What a webhook token leads to; `expires_at` is set on the older generation of a rotation."""

    webhook_id: str
    generation: int
    user_id: str
    account_ids: tuple[str, ...]
    expires_at: datetime | None = None


class AccountStore(Protocol):
    """Reads are consistent except listings; NotFound where there is nothing. Raises StorageUnavailable."""

    def user(self, user_id: str) -> User:
        """One user."""
        ...

    def users(self) -> tuple[User, ...]:
        """Every user; may lag a little."""
        ...

    def account(self, account_id: str) -> Account:
        """One account."""
        ...

    def webhook(self, webhook_id: str) -> Webhook:
        """One webhook."""
        ...

    def of_user(self, user_id: str) -> tuple[tuple[Account, ...], tuple[Webhook, ...]]:
        """What a user owns; may lag a little."""
        ...

    def save(self, record: User | Account) -> None:
        """Write a user or an account."""
        ...

    def mark_access(self, account_id: str, credentials: Credentials, sign_in_by: datetime | None) -> None:
        """Change what is known of an account's access, and nothing else of its record; NotFound if it was removed."""
        ...

    def remove_account(self, account_id: str) -> None:
        """Delete an account's record; nothing happens if there is none. Its orders stay."""
        ...

    def save_webhook(self, webhook: Webhook, tokens: dict[str, TokenOwner], revoked: tuple[str, ...] = ()) -> None:
        """Write a webhook with its token digests (digest -> owner) and delete revoked digests, in one transaction."""
        ...
