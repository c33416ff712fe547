"""Orders and lanes in the orders table. What changes one item is a conditional put, what changes more is one transaction."""

import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from fillpath.errors import Conflict, NotFound
from fillpath.orders.model import Lane, Listing, Order
from fillpath.orders.ports.order_store import LaneView
from fillpath_aws import pages
from fillpath_aws.clients import DynamoDb
from fillpath_aws.json_rpc import AwsError
from fillpath_aws.order_items import (
    SHARDS,
    lane_key,
    lane_view,
    listing_item,
    listing_key,
    mark_name,
    order_item,
    order_key,
    order_of,
)
from fillpath_aws.wire import instant, value


class DynamoOrderStore:
    """OrderStore on DynamoDB.

    Whether a failed condition was failed by this writer's own, unanswered first attempt is told by `write_id`: a nonce
    per write that the item carries. Without it two writers of equal content could both believe that they won.
    """

    def __init__(self, dynamodb: DynamoDb, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def get(self, order_id: str) -> Order:
        """The order; NotFound if there is none."""
        found = self._dynamodb.get_item(TableName=self._table, Key=order_key(order_id), ConsistentRead=True).get("Item")
        if found is None:
            raise NotFound(f"order {order_id}")
        return order_of(found)

    def lane(self, lane: Lane) -> LaneView:
        """The lane with all that stands in it."""
        key = ("pk", lane_key(lane)["pk"]["S"])
        return lane_view(lane, pages.query(self._dynamodb, key, TableName=self._table, ConsistentRead=True))

    def take(self, view: LaneView, order: Order, run_until: datetime) -> Order:
        """Make `order` the owner if lane and order are as given, in one transaction."""
        taken = order.model_copy(update={"owns_lane": True, "fence": view.fence + 1, "listing": Listing.NONE})
        put, stored = self._put_over(order, taken)
        self._transact([{"Put": put}, self._take(view, stored, run_until), *self._moves(order, stored)])
        return stored

    def save(self, old: Order, new: Order, *, reduced_at: datetime | None = None) -> Order:
        """Write `new` over `old` and move it within its lane."""
        put, stored = self._put_over(old, new)
        moves = self._moves(old, stored)
        releases = old.owns_lane and not new.owns_lane
        if not moves and not releases:
            self._put_alone(put)
        elif not releases:
            self._transact([{"Put": put}, *moves])
        else:
            self._transact_release([{"Put": put}, *moves], old, reduced_at)
        return stored

    def add(self, order: Order) -> None:
        """Put a new order and its place in its lane, in one transaction; one that is there already stays. StorageUnavailable."""
        put = {
            "TableName": self._table,
            "Item": order_item(order, secrets.token_hex(8)),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        listed = [] if order.listing is Listing.NONE else [{"Put": {"TableName": self._table, "Item": listing_item(order)}}]
        try:
            self._dynamodb.transact_write_items(TransactItems=[{"Put": put}, *listed])
        except AwsError as error:
            if not error.lost_condition or not self._is_there(order.order_id):
                raise  # another transaction at the lane's items is no evidence that the order is there

    def open_orders(self) -> Iterable[Order]:
        """Every order that has not ended or still stands in its lane; read page by page while iterating."""
        for shard in SHARDS:
            yield from map(order_of, self._index("open", ("open", shard)))

    def of_user(self, user_id: str, limit: int) -> tuple[Order, ...]:
        """The newest orders of a user first."""
        newest_first = self._index("by_user", ("user", user_id), ScanIndexForward=False, Limit=limit)
        return tuple(map(order_of, islice(newest_first, limit)))

    def _is_there(self, order_id: str) -> bool:
        found = self._dynamodb.get_item(TableName=self._table, Key=order_key(order_id), ConsistentRead=True)
        return "Item" in found

    def _index(self, index: str, key: tuple[str, str], **parameters: Any) -> Iterator[dict[str, Any]]:
        return pages.query(self._dynamodb, key, TableName=self._table, IndexName=index, **parameters)

    def _put_over(self, old: Order, new: Order) -> tuple[dict[str, Any], Order]:
        stored = new.model_copy(update={"version": old.version + 1})
        put = {
            "TableName": self._table,
            "Item": order_item(stored, secrets.token_hex(8)),
            "ConditionExpression": "#version = :version",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":version": value(old.version)},
        }
        return put, stored

    def _put_alone(self, put: dict[str, Any]) -> None:
        try:
            self._dynamodb.put_item(**put)
        except AwsError as error:
            if not error.lost_condition:
                raise
            if not self._is_ours(put["Item"]):
                raise Conflict(f"{put['Item']['pk']['S']} has moved on") from error

    def _is_ours(self, item: dict[str, Any]) -> bool:
        key = {"pk": item["pk"], "sk": item["sk"]}
        found = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})
        return bool(found.get("write_id") == item["write_id"])

    def _transact(self, writes: list[dict[str, Any]]) -> None:
        try:
            self._dynamodb.transact_write_items(TransactItems=writes)
        except AwsError as error:
            if error.lost_condition:
                raise Conflict(f"{writes[0]['Put']['Item']['pk']['S']} or its lane has moved on") from error
            raise

    def _transact_release(self, writes: list[dict[str, Any]], old: Order, reduced_at: datetime | None) -> None:
        try:
            self._transact([*writes, self._release(old, reduced_at)])
        except Conflict:
            if reduced_at is None or not self._is_marked(old, reduced_at):
                raise
            self._transact([*writes, self._release(old, None)])

    def _is_marked(self, order: Order, reduced_at: datetime) -> bool:
        mark = self.lane(order.lane).reduced_at.get(order.webhook_id or "")
        return mark is not None and instant(mark) >= instant(reduced_at)

    def _take(self, view: LaneView, order: Order, run_until: datetime) -> dict[str, Any]:
        values = {":taken": value(order.fence), ":order": value(order.order_id), ":until": value(run_until)}
        values[":recent"] = value(list(view.recent_with(order.order_id)))
        condition = "attribute_not_exists(#fence)"
        if view.fence:
            values[":fence"] = value(view.fence)
            condition = "#fence = :fence AND "
            condition += "#order = :owner" if view.owner else "attribute_not_exists(#order)"
        if view.fence and view.owner:
            values[":owner"] = value(view.owner)
        return {
            "Update": {
                "TableName": self._table,
                "Key": lane_key(view.lane),
                "UpdateExpression": "SET #fence = :taken, #order = :order, #until = :until, #recent = :recent",
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {
                    "#fence": "fence",
                    "#order": "order_id",
                    "#until": "run_until",
                    "#recent": "recent",
                },
                "ExpressionAttributeValues": values,
            }
        }

    def _release(self, order: Order, reduced_at: datetime | None) -> dict[str, Any]:
        names = {"#fence": "fence", "#order": "order_id", "#until": "run_until"}
        values = {":fence": value(order.fence), ":order": value(order.order_id)}
        update, condition = "REMOVE #order, #until", "#fence = :fence AND #order = :order"
        if reduced_at is not None and order.webhook_id is not None:
            names["#mark"], values[":at"] = mark_name(order.webhook_id), value(reduced_at)
            update, condition = f"SET #mark = :at {update}", f"{condition} AND (attribute_not_exists(#mark) OR #mark < :at)"
        return {
            "Update": {
                "TableName": self._table,
                "Key": lane_key(order.lane),
                "UpdateExpression": update,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }

    def _moves(self, old: Order, new: Order) -> list[dict[str, Any]]:
        if old.listing is new.listing:
            return []
        moves: list[dict[str, Any]] = []
        if old.listing is not Listing.NONE:
            moves.append({"Delete": {"TableName": self._table, "Key": listing_key(old)}})
        if new.listing is not Listing.NONE:
            moves.append({"Put": {"TableName": self._table, "Item": listing_item(new)}})
        return moves
