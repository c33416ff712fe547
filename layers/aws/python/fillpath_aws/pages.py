"""Queries that are longer than one answer: parameters go in, items come out one by one as the answers arrive."""

from collections.abc import Iterator
from typing import Any

from fillpath_aws.clients import DynamoDb
from fillpath_aws.wire import Item, value


def query(dynamodb: DynamoDb, key: tuple[str, str], **parameters: Any) -> Iterator[Item]:
    """Every item whose key attribute (name, text) is as given; `parameters` are those of Query."""
    name, text = key
    asked = {
        "KeyConditionExpression": "#key = :key",
        "ExpressionAttributeNames": {"#key": name},
        "ExpressionAttributeValues": {":key": value(text)},
        **parameters,
    }
    while True:
        answer = dynamodb.query(**asked)
        yield from answer.get("Items", ())
        if not answer.get("LastEvaluatedKey"):
            return
        asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
