"""The functions that an alert needs at once, started before it comes: a first call costs about a second, a sender waits two.

Each gets an event that takes it through its adapters and changes nothing: a token that nobody has, a lane where nothing waits.
"""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from cli.alert_sender import post
from cli.target import Target
from fillpath.ids import new_id
from fillpath.orders.model import Lane

ROOT = "ES"
NOTHING = "warm-up"


def warm_up(target: Target, account_id: str) -> None:
    """Starts them side by side and returns when all have answered; raises Problem.

    The emulator does not tell its functions that they were deployed, so the hours of the exchanges are asked for here, too.
    """
    lane = Lane(account_id, ROOT)
    work: list[Callable[[], object]] = [
        lambda: post(target.webhook_url(NOTHING), {}),
        lambda: target.invoke("execute_order", _message({"account_id": lane.account_id, "root": lane.root})),
        lambda: target.invoke("wake", _stream_record(lane)),
    ]
    with ThreadPoolExecutor(len(work)) as pool:
        for future in [pool.submit(each) for each in work]:
            future.result()
    target.start("publish_hours", {})


def _message(body: Mapping[str, Any]) -> dict[str, Any]:
    """As the queue hands it over."""
    record = {
        "messageId": NOTHING,
        "receiptHandle": NOTHING,
        "body": json.dumps(body),
        "attributes": {"MessageGroupId": NOTHING, "ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
    return {"Records": [record]}


def _stream_record(lane: Lane) -> dict[str, Any]:
    """As if an order were new in the lane: it is woken, and nothing is found there."""
    keys = {"pk": {"S": f"LANE#{lane}"}, "sk": {"S": f"WAIT#{new_id(datetime.now(UTC))}"}}
    change = {"Keys": keys, "NewImage": keys, "SequenceNumber": "1", "StreamViewType": "NEW_AND_OLD_IMAGES"}
    return {"Records": [{"eventID": NOTHING, "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change}]}
