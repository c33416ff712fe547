"""Many items in one consistent read: places (table and key) go in, the items that are there come out."""

import random
import time

from fillpath.errors import StorageUnavailable
from fillpath_aws.clients import DynamoDb
from fillpath_aws.wire import Item

ROUNDS = 4
BATCH = 100

Place = tuple[str, Item]


class Found:
    """The items of a batch by their place."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str, str], Item] = {}

    def add(self, table: str, item: Item) -> None:
        """Keep an item."""
        self._items[_address((table, item))] = item

    def of(self, place: Place) -> Item:
        """The item at a place; empty if there is none."""
        return self._items.get(_address(place), {})


def get(dynamodb: DynamoDb, places: list[Place]) -> Found:
    """What stands at the places: one call up to 100 of them, more where the table asks to come again."""
    found = Found()
    for start in range(0, len(places), BATCH):
        _get(dynamodb, places[start : start + BATCH], found)
    return found


def _get(dynamodb: DynamoDb, places: list[Place], found: Found) -> None:
    asked: dict[str, dict[str, object]] = {}
    for name in {table for table, _ in places}:
        asked[name] = {"Keys": [key for table, key in places if table == name], "ConsistentRead": True}
    for _ in range(ROUNDS):
        answer = dynamodb.batch_get_item(RequestItems=asked)
        for table, items in answer.get("Responses", {}).items():
            for item in items:
                found.add(table, item)
        asked = answer.get("UnprocessedKeys") or {}
        if not asked:
            return
        time.sleep(random.uniform(0, 0.05))  # noqa: S311  no secret depends on it
    raise StorageUnavailable("dynamodb BatchGetItem left keys unread")


def _address(place: Place) -> tuple[str, str, str]:
    table, key = place
    return table, key["pk"]["S"], key["sk"]["S"]
