"""What is known of each account's token, in the fleet table: one item per account, without anything secret."""

import secrets
from datetime import datetime
from typing import Any

from fillpath.accounts.access import TokenStatus
from fillpath.errors import Conflict
from fillpath_aws import wire
from fillpath_aws.clients import DynamoDb
from fillpath_aws.wire import Item

_TIMES = ("token_expires_at", "refresh_expires_at", "replaced_at", "tried_at")


class DynamoTokenLedger:
    """TokenLedger on DynamoDB. A settlement carries a nonce: who sees his own condition fail knows by it whether he was there."""

    def __init__(self, dynamodb: DynamoDb, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def of(self, account_id: str) -> TokenStatus | None:
        """What is known; None as long as nothing was settled."""
        content = wire.record(self._item(account_id))
        if "version" not in content:
            return None
        times = {name: datetime.fromisoformat(content[name]) if name in content else None for name in _TIMES}
        refused = content.get("refused_version")
        return TokenStatus(
            int(content["version"]),
            times["token_expires_at"],
            times["refresh_expires_at"],
            None if refused is None else int(refused),
            content.get("needs_reauth", False),
            content.get("reason"),
            times["replaced_at"],
            times["tried_at"],
        )

    def take(self, account_id: str, owner: str, now: datetime, until: datetime) -> bool:
        """Become the one who renews; the same again for its owner."""
        return self._update(
            account_id,
            "SET #owner = :owner, lease_until = :until",
            "attribute_not_exists(#owner) OR lease_until <= :now OR #owner = :owner",
            {":owner": owner, ":until": until, ":now": now},
            {"#owner": "owner"},
        )

    def settle(self, account_id: str, owner: str, status: TokenStatus) -> None:
        """Write the status and remove the lease."""
        nonce = secrets.token_hex(8)
        content = {
            "version": status.version,
            "token_expires_at": status.expires_at,
            "refresh_expires_at": status.refresh_expires_at,
            "needs_reauth": status.needs_reauth,
            "reason": status.reason,
            "replaced_at": status.replaced_at,
            "tried_at": status.tried_at,
            "write_id": nonce,
        }
        known = [name for name, value in content.items() if value is not None]
        gone = [name for name in content if name not in known]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in known)
        update += " REMOVE " + ", ".join(["#owner", "lease_until", *(f"#{name}" for name in gone)])
        values = {f":{name}": content[name] for name in known} | {":owner": owner}
        names = {f"#{name}": name for name in (*content, "owner")}
        if not self._update(account_id, update, "#owner = :owner", values, names) and not self._wrote(account_id, nonce):
            raise Conflict(f"the lease on the token of account {account_id} is over")

    def refused(self, account_id: str, version: int, reason: str) -> None:
        """Note the highest version that was refused, as long as no higher one is known."""
        self._update(
            account_id,
            "SET refused_version = :version, #reason = :reason",
            "#version <= :version AND (attribute_not_exists(refused_version) OR refused_version < :version)",
            {":version": version, ":reason": reason},
            {"#version": "version", "#reason": "reason"},
        )

    def _update(self, account_id: str, update: str, condition: str, values: dict[str, Any], names: dict[str, str]) -> bool:
        return self._dynamodb.set_if(
            TableName=self._table,
            Key=_key(account_id),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=wire.item(values),
        )

    def _wrote(self, account_id: str, nonce: str) -> bool:
        return bool(wire.record(self._item(account_id)).get("write_id") == nonce)

    def _item(self, account_id: str) -> Item:
        found: Item = self._dynamodb.get_item(TableName=self._table, Key=_key(account_id), ConsistentRead=True).get("Item", {})
        return found


def _key(account_id: str) -> Item:
    return wire.item({"pk": f"TOKEN#{account_id}", "sk": "TOKEN"})
