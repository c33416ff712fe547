"""What the webhook reads and writes: tokens and settings, replay guards, counters and marks, the inbox, and accepted orders."""

import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.alerts.ports.alert_store import GUARD_KEPT, Context, InboxEntry
from fillpath.errors import NotFound, Replayed
from fillpath.orders.model import Listing, Order
from fillpath_aws import account_items, batches, wire
from fillpath_aws.clients import DynamoDb
from fillpath_aws.inbox import inbox_item
from fillpath_aws.json_rpc import AwsError
from fillpath_aws.order_items import listing_item, order_item
from fillpath_aws.wire import Item

ATTEMPTS = 4
COUNTER_KEPT = timedelta(days=3)
MARK_KEPT = timedelta(days=3)
_MARKED = "at."


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

    def context(self, owner: TokenOwner, guard: str, now: datetime) -> Context:
        """All that decides about an alert, in one consistent batch; NotFound if webhook or user is gone."""
        accounts, guards = self._tables.accounts, self._tables.guards
        webhook = accounts, account_items.key("WEBHOOK", owner.webhook_id)
        user = accounts, account_items.key("USER", owner.user_id)
        counter, marks = (guards, _counter_key(owner.webhook_id, f"{now:%Y-%m-%d}")), (guards, _marks_key(owner.webhook_id))
        first = guards, _guard_key(guard)
        account_ids = dict.fromkeys(owner.account_ids)  # a batch may not name a key twice
        routes = [(accounts, account_items.key("ACCOUNT", account_id)) for account_id in account_ids]
        scopes = ["environment", f"user:{owner.user_id}", *(f"account:{account_id}" for account_id in account_ids)]
        flags = [(accounts, account_items.halt_key(scope)) for scope in scopes]
        found = batches.get(self._dynamodb, [webhook, user, counter, marks, first, *routes, *flags])
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
            _holding(found.of(first), now),
            _marks_of(found.of(marks)),
        )

    def accept(self, guard: str, orders: tuple[Order, ...], entry: InboxEntry, kept: timedelta = GUARD_KEPT) -> None:
        """Write guard, orders with their place in their lanes and the inbox entry in one transaction; raises Replayed.

        Another transaction at the same items (the same alert twice at once) makes it try again, a few times.
        """
        writes = self._acceptance(guard, orders, entry, kept)
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
        self._dynamodb.put_item(TableName=self._tables.guards, Item=inbox_item(entry))

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

    def entered(self, webhook_id: str, root: str, at: datetime) -> None:
        """Note that an entry of this root was accepted then."""
        self._dynamodb.update_item(
            TableName=self._tables.guards,
            Key=_marks_key(webhook_id),
            UpdateExpression="SET #expires = :expires, #at = :at",
            ExpressionAttributeNames={"#expires": "expires_at", "#at": f"{_MARKED}{root}"},
            ExpressionAttributeValues={":expires": wire.value(_epoch(at + MARK_KEPT)), ":at": wire.value(at)},
        )

    def _acceptance(self, guard: str, orders: tuple[Order, ...], entry: InboxEntry, kept: timedelta) -> list[dict[str, Any]]:
        content = {
            "alert_id": entry.alert_id,
            "order_ids": [order.order_id for order in orders],
            "expires_at": _epoch(entry.received_at + kept),
        }
        writes = [_put_guard(self._tables.guards, _guard_key(guard) | wire.item(content), entry.received_at)]
        writes += [_put_new(self._tables.orders, order_item(order, secrets.token_hex(8))) for order in orders]
        waiting = [order for order in orders if order.listing is Listing.WAITING]
        writes += [{"Put": {"TableName": self._tables.orders, "Item": listing_item(order)}} for order in waiting]
        return [*writes, {"Put": {"TableName": self._tables.guards, "Item": inbox_item(entry)}}]

    def _raise_replayed(self, guard: str, entry: InboxEntry, error: AwsError) -> None:
        answer = self._dynamodb.get_item(TableName=self._tables.guards, Key=_guard_key(guard), ConsistentRead=True)
        first = _acceptance_of(answer.get("Item", {}))
        if first is None:
            raise error
        if first[0] != entry.alert_id:  # else it is this call's own first attempt, which was not answered
            raise Replayed(*first) from error


def _holding(item: Item, now: datetime) -> tuple[str, tuple[str, ...]] | None:
    """What a guard tells while it holds: the table removes it some time after its end."""
    return _acceptance_of(item) if item and int(item["expires_at"]["N"]) >= _epoch(now) else None


def _acceptance_of(item: Item) -> tuple[str, tuple[str, ...]] | None:
    if not item:
        return None
    content = wire.record(item)
    return content["alert_id"], tuple(content["order_ids"])


def _put_guard(table: str, item: Item, now: datetime) -> dict[str, Any]:
    """Over a guard whose time is over as well."""
    put = _put_new(table, item)
    put["Put"]["ConditionExpression"] += " OR expires_at < :now"
    put["Put"]["ExpressionAttributeValues"] = {":now": wire.value(_epoch(now))}
    return put


def _put_new(table: str, item: Item) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def _guard_key(guard: str) -> Item:
    return wire.item({"pk": f"GUARD#{guard}", "sk": "GUARD"})


def _counter_key(webhook_id: str, day: str) -> Item:
    return wire.item({"pk": f"COUNT#{webhook_id}#{day}", "sk": "COUNT"})


def _marks_key(webhook_id: str) -> Item:
    return wire.item({"pk": f"MARKS#{webhook_id}", "sk": "MARKS"})


def _marks_of(item: Item) -> dict[str, datetime]:
    content = wire.record(item)
    return {name.removeprefix(_MARKED): datetime.fromisoformat(at) for name, at in content.items() if name.startswith(_MARKED)}


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
