"""The simulated exchange's books in DynamoDB: documents go in and come out, of which this file knows the keys only."""

from collections.abc import Mapping, Sequence
from typing import Any

from fillpath.errors import Conflict, StorageUnavailable
from fillpath_aws import pages, wire
from fillpath_aws.clients import DynamoDb
from fillpath_aws.json_rpc import AwsError
from fillpath_aws.wire import Item

Document = Mapping[str, Any]

READ_ATTEMPTS = 3


class DynamoPaperBookStore:
    """PaperBookStore on the table `paper`."""

    def __init__(self, dynamodb: DynamoDb, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def load(self, account_id: str, client_order_id: str | None = None) -> tuple[Document | None, Document | None]:
        """The account, and the order of that id. The two may be a moment apart: `save` finds out."""
        wanted = [_account_key(account_id)]
        if client_order_id is not None:
            wanted.append(_order_key(account_id, client_order_id))
        found = {item["sk"]["S"]: _document(item) for item in self._batch(wanted)}
        return found.pop("ACCOUNT", None), next(iter(found.values()), None)

    def save(
        self, account_id: str, account: Document, orders: Sequence[Document], fills: Sequence[Document], placed: str | None = None
    ) -> None:
        """Write all in one transaction, if the account is as it was read and the order `placed` is new."""
        writes = [self._put_account(account_id, account)]
        writes += [self._put_order(account_id, order, new=order["client_order_id"] == placed) for order in orders]
        writes += [self._put(_fill_key(account_id, fill), fill) for fill in fills]
        try:
            self._dynamodb.transact_write_items(TransactItems=writes)
        except AwsError as error:
            if error.lost_condition:
                raise Conflict(f"paper account {account_id} has moved on") from error
            raise

    def fills(self, account_id: str, client_order_id: str) -> tuple[Document, ...]:
        """The fills of an order, the first one first."""
        items = pages.query(
            self._dynamodb,
            ("pk", _pk(account_id)),
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="#key = :key AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":key": wire.value(_pk(account_id)), ":prefix": wire.value(f"FILL#{client_order_id}#")},
        )
        return tuple(map(_document, items))

    def fills_since(self, account_id: str, since: str) -> tuple[Document, ...]:
        """The fills of the account from that instant on; all of its fills are read for it."""
        items = pages.query(
            self._dynamodb,
            ("pk", _pk(account_id)),
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="#key = :key AND begins_with(sk, :prefix)",
            FilterExpression="#at >= :since",
            ExpressionAttributeNames={"#key": "pk", "#at": "at"},
            ExpressionAttributeValues={
                ":key": wire.value(_pk(account_id)),
                ":prefix": wire.value("FILL#"),
                ":since": wire.value(since),
            },
        )
        return tuple(map(_document, items))

    def _batch(self, keys: list[Item]) -> list[Item]:
        found: list[Item] = []
        for _ in range(READ_ATTEMPTS):
            request = {self._table: {"Keys": keys, "ConsistentRead": True}}
            answer = self._dynamodb.batch_get_item(RequestItems=request)
            found += answer["Responses"].get(self._table, [])
            left = answer.get("UnprocessedKeys", {}).get(self._table)
            if not left:
                return found
            keys = left["Keys"]
        raise StorageUnavailable("the table paper left keys unread")

    def _put_account(self, account_id: str, account: Document) -> dict[str, Any]:
        put = self._put(_account_key(account_id), account)
        before = account["version"] - 1
        if not before:
            return _only_if(put, "attribute_not_exists(pk)")
        return _only_if(
            put,
            "#version = :before",
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues={":before": wire.value(before)},
        )

    def _put_order(self, account_id: str, order: Document, *, new: bool) -> dict[str, Any]:
        put = self._put(_order_key(account_id, order["client_order_id"]), order)
        return _only_if(put, "attribute_not_exists(pk)") if new else put

    def _put(self, key: Item, document: Document) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": key | wire.item(document)}}


def _only_if(put: dict[str, Any], condition: str, **expression: Any) -> dict[str, Any]:
    return {"Put": {**put["Put"], "ConditionExpression": condition, **expression}}


def _document(item: Item) -> Document:
    return wire.record({name: value for name, value in item.items() if name not in ("pk", "sk")})


def _pk(account_id: str) -> str:
    return f"PAPER#{account_id}"


def _account_key(account_id: str) -> Item:
    return wire.item({"pk": _pk(account_id), "sk": "ACCOUNT"})


def _order_key(account_id: str, client_order_id: str) -> Item:
    return wire.item({"pk": _pk(account_id), "sk": f"ORDER#{client_order_id}"})


def _fill_key(account_id: str, fill: Document) -> Item:
    return wire.item({"pk": _pk(account_id), "sk": f"FILL#{fill['client_order_id']}#{int(fill['n']):06}"})
