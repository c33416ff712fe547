"""Last trades in the market table."""

from datetime import datetime
from decimal import Decimal

from fillpath_aws import wire
from fillpath_aws.clients import DynamoDb
from fillpath_aws.wire import Item


class DynamoLastPrices:
    """LastPrices on DynamoDB; an older trade put later replaces a newer one."""

    def __init__(self, dynamodb: DynamoDb, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def last(self, contract: str) -> tuple[Decimal, datetime] | None:
        """Price and time of the last trade, or None if nothing is known."""
        found = self._dynamodb.get_item(TableName=self._table, Key=_key(contract), ConsistentRead=True).get("Item")
        if found is None:
            return None
        content = wire.record(found)
        return content["price"], datetime.fromisoformat(content["at"])

    def put(self, contract: str, price: Decimal, at: datetime) -> None:
        """Set the last trade."""
        self._dynamodb.put_item(TableName=self._table, Item=_key(contract) | wire.item({"price": price, "at": at}))


def _key(contract: str) -> Item:
    return wire.item({"pk": f"LAST#{contract}", "sk": "LAST"})
