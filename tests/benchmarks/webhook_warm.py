"""webhook-warm: the CPU time an alert costs a warm webhook, and how many AWS calls come before the wake-up is sent."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks.canned_aws import calls_since, canned_aws
from tests.benchmarks.figures import figures
from tests.benchmarks.webhook_event import webhook_event, webhook_variables


def run(n: int = 400) -> dict[str, Any]:
    """CPU of the whole handler less that of the AWS client's calls; the latter is told beside it."""
    with canned_aws() as endpoint:
        os.environ.update(webhook_variables(endpoint))
        from fillpath_aws.json_rpc import JsonRpc  # noqa: PLC0415  after the variables
        from functions.webhook.handler import handler  # noqa: PLC0415  the same

        spent = _metered(JsonRpc)
        handler(webhook_event(), None)
        calls_since(endpoint)
        own: list[float] = []
        clients: list[float] = []
        for number in range(n):
            event = webhook_event(number)
            before, spent[0] = time.process_time(), 0.0
            answer = handler(event, None)
            total = time.process_time() - before
            if answer["statusCode"] != 202:
                raise RuntimeError(f"the webhook answered {answer}")
            own.append((total - spent[0]) * 1000)
            clients.append(spent[0] * 1000)
            calls = calls_since(endpoint)
    until_sent = calls.index("SendMessage") + 1
    return figures(
        "webhook-warm", own, aws_calls=until_sent, calls=calls[:until_sent], client_median_ms=round(statistics.median(clients), 2)
    )


def _metered(client: Any) -> list[float]:
    """Sum the CPU time spent inside the AWS client, so that it can be told apart."""
    spent = [0.0]
    call: Callable[..., Any] = client.call

    def metered(self: Any, *arguments: Any, **more: Any) -> Any:
        before = time.process_time()
        try:
            return call(self, *arguments, **more)
        finally:
            spent[0] += time.process_time() - before

    client.call = metered
    return spent
