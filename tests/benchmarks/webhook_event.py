"""A gateway event with a fresh, acceptable alert, and the variables that the webhook runs with."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from fillpath.accounts.tokens import webhook_secret
from tests.benchmarks.canned_aws import MASTER_KEY, WEBHOOK_ID


def webhook_event(number: int = 1) -> dict[str, Any]:
    """An alert like the one that the printed TradingView message becomes; `number` makes it another one."""
    alert = {
        "action": "buy",
        "symbol": "ES1!",
        "quantity": "1",
        "market_position": "long",
        "market_position_size": "1",
        "prev_market_position": "flat",
        "prev_market_position_size": "0",
        "id": f"Long {number}",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "secret": webhook_secret(MASTER_KEY.encode(), WEBHOOK_ID, 1),
    }
    return {
        "body": json.dumps(alert),
        "isBase64Encoded": False,
        "pathParameters": {"token": "t" * 32},
        "requestContext": {"requestTimeEpoch": int(time.time() * 1000)},
    }


def webhook_variables(endpoint: str) -> dict[str, str]:
    """The function's environment over an emulated AWS at `endpoint`."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "FILLPATH_ENV": "local",
        "POWERTOOLS_SERVICE_NAME": "webhook",
        "POWERTOOLS_METRICS_NAMESPACE": "Fillpath",
        "ORDERS_TABLE": "bench-orders",
        "ACCOUNTS_TABLE": "bench-accounts",
        "GUARDS_TABLE": "bench-guards",
        "ORDERS_QUEUE_URL": f"{endpoint}/000000000000/bench-orders.fifo",
        "MASTER_KEY_SECRET_ID": "bench",
        "WAIT_S": "0",
        "LOG_LEVEL": "WARNING",
    }
