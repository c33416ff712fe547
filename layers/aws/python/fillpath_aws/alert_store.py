"""What the webhook reads and writes: tokens and settings, replay guards, daily counters, the inbox, and accepted orders."""

import random
import secrets
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.alerts.ports.alert_store import Context, InboxEntry
from fillpath.errors import NotFound, Replayed
from fillpath.orders.model import Listing, Order
from fillpath_aws import account_items, batches, pages, wire
from fillpath_aws.clients import DynamoDb
from fillpath_aws.json_rpc import AwsError
from fillpath_aws.order_items import listing_item, order_item
from fillpath_aws.wire import Item

ATTEMPTS = 4
GUARD_KEPT = timedelta(hours=48)
COUNTER_KEPT = timedelta(days=3)
INBOX_KEPT = timedelta(days=30)


class Tables(NamedTuple):
    """The names of the tables that an alert touches."""

    orders: str
    accounts: str
    guards: str


class DynamoAlertStore:
    """AlertStore on DynamoDB. One transaction holds at most 100 items: an alert may have 49 routes."""

    def __init__(self, dynamodb: DynamoDb, tables: Tables) -> None:
        self._dynamodb = dynamodb
        self._tables = tables

    def owner_of(self, token_digest: str) -> TokenOwner | None:
        """The webhook behind a token, if there is one."""
        key = account_items.key("TOKEN", token_digest)
        found = self._dynamodb.get_item(TableName=self._tables.accounts, Key=key, ConsistentRead=True).get("Item")
        return account_items.owner_of(found) if found else None

    def context(self, owner: TokenOwner, day: str, guard: str) -> Context:
        """All that decides about an alert, in one consistent batch; NotFound if webhook or user is gone."""
        accounts, guards = self._tables.accounts, self._tables.guards
        webhook = accounts, account_items.key("WEBHOOK", owner.webhook_id)
        user = accounts, account_items.key("USER", owner.user_id)
        counter, first = (guards, _counter_key(owner.webhook_id, day)), (guards, _guard_key(guard))
        account_ids = dict.fromkeys(owner.account_ids)  # a batch may not name a key twice
        routes = [(accounts, account_items.key("ACCOUNT", account_id)) for account_id in account_ids]
        scopes = ["environment", f"user:{owner.user_id}", *(f"account:{account_id}" for account_id in account_ids)]
        flags = [(accounts, account_items.halt_key(scope)) for scope in scopes]
        found = batches.get(self._dynamodb, [webhook, user, counter, first, *routes, *flags])
        if not found.of(webhook) or not found.of(user):
            raise NotFound(f"webhook {owner.webhook_id} of user {owner.user_id}")
        routed = [account_items.account_of(item) for item in map(found.of, routes) if item]
        halts = [account_items.halt_of(item) for item in map(found.of, flags) if item]
        return Context(
            account_items.webhook_of(found.of(webhook)),
            account_items.user_of(found.of(user)),
            {account.account_id: account for account in routed},
            {halt.scope: halt for halt in halts},
            int(wire.record(found.of(counter)).get("count", 0)),
            _acceptance_of(found.of(first)),
        )

    def accept(self, guard: str, orders: tuple[Order, ...], entry: InboxEntry) -> None:
        """Write guard, orders with their place in their lanes and the inbox entry in one transaction; raises Replayed.

        Another transaction at the same items (the same alert twice at once) makes it try again, a few times.
        """
        writes = self._acceptance(guard, orders, entry)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._dynamodb.transact_write_items(TransactItems=writes)
            except AwsError as error:
                reasons = error.cancellation_reasons
                if reasons and reasons[0] == "ConditionalCheckFailed":
                    self._raise_replayed(guard, entry, error)
                    return
                if "TransactionConflict" not in reasons or attempt == ATTEMPTS:
                    raise
            else:
                return
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  no secret depends on it

    def record(self, entry: InboxEntry) -> None:
        """Keep a refusal in the inbox."""
        self._dynamodb.put_item(TableName=self._tables.guards, Item=_inbox_item(entry))

    def count(self, webhook_id: str, day: str) -> None:
        """Raise the webhook's daily counter by one."""
        expires_at = datetime.fromisoformat(day).replace(tzinfo=UTC) + COUNTER_KEPT
        self._dynamodb.update_item(
            TableName=self._tables.guards,
            Key=_counter_key(webhook_id, day),
            UpdateExpression="SET #expires = :expires ADD #count :one",
            ExpressionAttributeNames={"#expires": "expires_at", "#count": "count"},
            ExpressionAttributeValues={":expires": wire.value(int(expires_at.timestamp())), ":one": wire.value(1)},
        )

    def inbox(self, user_id: str, limit: int) -> tuple[InboxEntry, ...]:
        """The newest entries first."""
        key = ("pk", f"INBOX#{user_id}")
        items = pages.query(
            self._dynamodb, key, TableName=self._tables.guards, ConsistentRead=True, ScanIndexForward=False, Limit=limit
        )
        return tuple(map(_entry_of, islice(items, limit)))

    def _acceptance(self, guard: str, orders: tuple[Order, ...], entry: InboxEntry) -> list[dict[str, Any]]:
        content = {
            "alert_id": entry.alert_id,
            "order_ids": [order.order_id for order in orders],
            "expires_at": _epoch(entry.received_at + GUARD_KEPT),
        }
        writes = [_put_new(self._tables.guards, _guard_key(guard) | wire.item(content))]
        writes += [_put_new(self._tables.orders, order_item(order, secrets.token_hex(8))) for order in orders]
        waiting = [order for order in orders if order.listing is Listing.WAITING]
        writes += [{"Put": {"TableName": self._tables.orders, "Item": listing_item(order)}} for order in waiting]
        return [*writes, {"Put": {"TableName": self._tables.guards, "Item": _inbox_item(entry)}}]

    def _raise_replayed(self, guard: str, entry: InboxEntry, error: AwsError) -> None:
        answer = self._dynamodb.get_item(TableName=self._tables.guards, Key=_guard_key(guard), ConsistentRead=True)
        first = _acceptance_of(answer.get("Item", {}))
        if first is None:
            raise error
        if first[0] != entry.alert_id:  # else it is this call's own first attempt, which was not answered
            raise Replayed(*first) from error


def _acceptance_of(item: Item) -> tuple[str, tuple[str, ...]] | None:
    if not item:
        return None
    content = wire.record(item)
    return content["alert_id"], tuple(content["order_ids"])


def _put_new(table: str, item: Item) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def _guard_key(guard: str) -> Item:
    return wire.item({"pk": f"GUARD#{guard}", "sk": "GUARD"})


def _counter_key(webhook_id: str, day: str) -> Item:
    return wire.item({"pk": f"COUNT#{webhook_id}#{day}", "sk": "COUNT"})


def _inbox_item(entry: InboxEntry) -> Item:
    keys = {"pk": f"INBOX#{entry.user_id}", "sk": entry.alert_id, "expires_at": _epoch(entry.received_at + INBOX_KEPT)}
    return wire.item(asdict(entry) | keys)


def _entry_of(item: Item) -> InboxEntry:
    content = wire.record({name: value for name, value in item.items() if name not in {"pk", "sk", "expires_at"}})
    content["received_at"] = datetime.fromisoformat(content["received_at"])
    content["order_ids"] = tuple(content["order_ids"])
    return InboxEntry(**content)


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
