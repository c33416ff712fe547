"""Token buckets in the fleet table, shared by all processes: a request for one goes in, 0 or the seconds to wait come out.

A bucket is one number, the theoretical arrival time of the generic cell rate algorithm (ITU-T I.371): each request moves it on by
the time in which the quota gives one more, beginning at the present if it lies in the past, and may come as long as it is not
ahead of the present by more than the burst. So one conditional update decides and takes; which of two, for a bucket that is in
use or one that has come to rest, is guessed from what this process saw last, and the other one follows where that was wrong.

Times are those of the callers' clocks. Who is ahead by some seconds may send too early what these seconds would have given him,
and leaves who is behind waiting for as long; over time the rate is kept. Where clocks differ by more than the bucket holds, that
would silence all others for minutes, so a bucket that is fuller than it can be is taken for just full, and set so.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fillpath.accounts.ports.rate_limits import Quota
from fillpath.clock import Clock
from fillpath_aws import wire
from fillpath_aws.clients import DynamoDb
from fillpath_aws.json_rpc import AwsError

ATTEMPTS = 5
SKEW_MS = 2000
"""By how much clocks may differ before a bucket that seems too full is set right."""
KEPT_S = 3600
"""How long a bucket at rest stays in the table."""
_NOT_PAUSED = "(attribute_not_exists(paused_until) OR paused_until <= :now)"
_AT_REST = f"(attribute_not_exists(arrives) OR arrives <= :now) AND {_NOT_PAUSED}"
_IN_USE = f"arrives > :now AND arrives <= :latest AND {_NOT_PAUSED}"


class _Terms(NamedTuple):
    """One request's terms, in milliseconds: the bucket lets it through until `latest`, and is full at `full`."""

    now: int
    interval: int
    latest: int
    full: int


class DynamoRateLimits:
    """RateLimits on DynamoDB."""

    def __init__(self, dynamodb: DynamoDb, table: str, clock: Clock) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._clock = clock
        self._seen: dict[str, int] = {}
        self._silence: dict[str, str] = {}

    def take(self, key: str, quota: Quota, *, urgent: bool = False) -> float:
        """Take one request, or nothing: then the seconds until there may be one."""
        terms = _terms(quota, _ms(self._clock.now()), urgent=urgent)
        arrives = self._seen.get(key, 0)
        for _ in range(ATTEMPTS):
            try:
                self._seen[key] = self._advance(key, terms, at_rest=arrives <= terms.now)
            except AwsError as error:
                if not error.lost_condition:
                    raise
                arrives, paused_until = (int(error.item.get(name, {"N": "0"})["N"]) for name in ("arrives", "paused_until"))
                self._silence[key] = error.item.get("paused_why", {"S": ""})["S"] if paused_until > terms.now else ""
            else:
                return 0.0
            if arrives > terms.full + SKEW_MS:
                arrives = self._set_full(key, arrives, terms)
            self._seen[key] = arrives
            wait_ms = max(arrives - terms.latest, paused_until - terms.now)
            if wait_ms > 0:
                return wait_ms / 1000
        return terms.interval / 1000

    def silence(self, key: str) -> str:
        """Why the last `take` got nothing, where that was a pause."""
        return self._silence.get(key, "")

    def pause(self, key: str, seconds: float, why: str) -> None:
        """Nobody gets anything for so long; a longer pause that is on already stays."""
        until = _ms(self._clock.now()) + math.ceil(seconds * 1000)
        longer, later = "(attribute_not_exists(paused_until) OR paused_until < :until)", "expires_at < :gone"
        values: dict[str, int | str] = {":until": until, ":gone": until // 1000 + KEPT_S, ":why": why}
        update = "SET paused_until = :until, paused_why = :why"
        whole = f"{longer} AND (attribute_not_exists(expires_at) OR {later})"
        if not self._set(key, f"{update}, expires_at = :gone", whole, values):
            del values[":gone"]
            self._set(key, update, longer, values)

    def _advance(self, key: str, terms: _Terms, *, at_rest: bool) -> int:
        values: dict[str, Any] = {":now": terms.now, ":gone": terms.full // 1000 + KEPT_S}
        if at_rest:
            update, condition, values[":next"] = "arrives = :next", _AT_REST, terms.now + terms.interval
        else:
            update, condition, values[":interval"] = "arrives = arrives + :interval", _IN_USE, terms.interval
            values[":latest"] = terms.latest
        answer = self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(key),
            UpdateExpression=f"SET {update}, expires_at = :gone",
            ConditionExpression=condition,
            ExpressionAttributeValues=wire.item(values),
            ReturnValues="UPDATED_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return int(answer["Attributes"]["arrives"]["N"])

    def _set_full(self, key: str, arrives: int, terms: _Terms) -> int:
        self._set(key, "SET arrives = :full", "arrives = :seen", {":full": terms.full, ":seen": arrives})
        return terms.full

    def _set(self, key: str, update: str, condition: str, values: Mapping[str, int | str]) -> bool:
        return self._dynamodb.set_if(
            TableName=self._table,
            Key=_key(key),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=wire.item(values),
        )


def _terms(quota: Quota, now: int, *, urgent: bool) -> _Terms:
    interval = math.ceil(60_000 / quota.per_minute)
    room = quota.burst if urgent else max(1, quota.burst - quota.reserve)
    return _Terms(now, interval, now + (room - 1) * interval, now + quota.burst * interval)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _key(key: str) -> wire.Item:
    return wire.item({"pk": f"BUCKET#{key}", "sk": "BUCKET"})
