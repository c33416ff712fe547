"""Users, accounts, webhooks and token digests in the accounts table."""

from datetime import datetime
from typing import Any

from fillpath.accounts.model import Account, Credentials, User, Webhook
from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.errors import NotFound
from fillpath_aws import pages, wire
from fillpath_aws.account_items import account_item, account_of, key, token_item, user_items, user_of, webhook_item, webhook_of
from fillpath_aws.clients import DynamoDb
from fillpath_aws.wire import Item


class DynamoAccountStore:
    """AccountStore on DynamoDB."""

    def __init__(self, dynamodb: DynamoDb, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def user(self, user_id: str) -> User:
        """One user."""
        return user_of(self._read("USER", user_id))

    def users(self) -> tuple[User, ...]:
        """Every user, by id."""
        return tuple(map(user_of, pages.query(self._dynamodb, ("pk", "USERS"), TableName=self._table)))

    def account(self, account_id: str) -> Account:
        """One account."""
        return account_of(self._read("ACCOUNT", account_id))

    def webhook(self, webhook_id: str) -> Webhook:
        """One webhook."""
        return webhook_of(self._read("WEBHOOK", webhook_id))

    def of_user(self, user_id: str) -> tuple[tuple[Account, ...], tuple[Webhook, ...]]:
        """What a user owns, by id."""
        owned = tuple(pages.query(self._dynamodb, ("user", user_id), TableName=self._table, IndexName="by_user"))
        accounts = tuple(account_of(item) for item in owned if item["sk"]["S"] == "ACCOUNT")
        webhooks = tuple(webhook_of(item) for item in owned if item["sk"]["S"] == "WEBHOOK")
        return accounts, webhooks

    def save(self, record: User | Account) -> None:
        """Write a user or an account."""
        if isinstance(record, User):
            self._dynamodb.transact_write_items(TransactItems=[self._put(item) for item in user_items(record)])
        else:
            self._dynamodb.put_item(TableName=self._table, Item=account_item(record))

    def mark_access(self, account_id: str, credentials: Credentials, sign_in_by: datetime | None) -> None:
        """Change these two attributes, and nothing else of the record."""
        values = wire.item({":credentials": credentials, ":by": sign_in_by})
        known = self._dynamodb.set_if(
            TableName=self._table,
            Key=key("ACCOUNT", account_id),
            UpdateExpression="SET credentials = :credentials" + (", sign_in_by = :by" if sign_in_by else " REMOVE sign_in_by"),
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues=values,
        )
        if not known:
            raise NotFound(f"account {account_id}")

    def remove_account(self, account_id: str) -> None:
        """Delete an account's record."""
        self._dynamodb.delete_item(TableName=self._table, Key=key("ACCOUNT", account_id))

    def save_webhook(self, webhook: Webhook, tokens: dict[str, TokenOwner], revoked: tuple[str, ...] = ()) -> None:
        """Write a webhook with its token digests and delete revoked ones, in one transaction."""
        writes = [self._put(webhook_item(webhook))]
        writes += [self._put(token_item(digest, owner)) for digest, owner in tokens.items()]
        writes += [{"Delete": {"TableName": self._table, "Key": key("TOKEN", digest)}} for digest in revoked]
        self._dynamodb.transact_write_items(TransactItems=writes)

    def _put(self, item: Item) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": item}}

    def _read(self, kind: str, record_id: str) -> Item:
        answer = self._dynamodb.get_item(TableName=self._table, Key=key(kind, record_id), ConsistentRead=True)
        found: Item | None = answer.get("Item")
        if found is None:
            raise NotFound(f"{kind.lower()} {record_id}")
        return found
