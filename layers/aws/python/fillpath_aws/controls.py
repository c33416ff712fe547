"""Halt flags as items of the accounts table: one that exists is set."""

from datetime import datetime

from fillpath.accounts.ports.controls import Halt
from fillpath_aws import batches
from fillpath_aws.account_items import halt_item, halt_key, halt_of
from fillpath_aws.clients import DynamoDb


class DynamoControls:
    """Controls on DynamoDB, read consistently in one batch."""

    def __init__(self, dynamodb: DynamoDb, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def halted(self, user_id: str, account_id: str) -> Halt | None:
        """The widest halt that blocks the account."""
        scopes = ("environment", f"user:{user_id}", f"account:{account_id}")
        places = [(self._table, halt_key(scope)) for scope in scopes]
        found = batches.get(self._dynamodb, places)
        return next((halt_of(item) for item in map(found.of, places) if item), None)

    def halt(self, scope: str, at: datetime, reason: str) -> None:
        """Set the flag of a scope."""
        self._dynamodb.put_item(TableName=self._table, Item=halt_item(Halt(scope, at, reason)))

    def resume(self, scope: str) -> None:
        """Clear the flag of a scope."""
        self._dynamodb.delete_item(TableName=self._table, Key=halt_key(scope))
