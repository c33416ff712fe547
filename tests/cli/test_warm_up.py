"""The events that start the functions are ones that they understand, and that change nothing."""

from typing import Any

import pytest

from cli.warm_up import warm_up
from fillpath.orders.messages import WakeUp
from fillpath_aws.lane_changes import wake_up_for
from tests.cli.local_stack import a_webhook_server

pytestmark = pytest.mark.enable_socket


class Recorder:
    """A target that keeps what its functions are asked."""

    def __init__(self, api_url: str) -> None:
        self._api_url = api_url
        self.events: dict[str, Any] = {}
        self.started: list[str] = []

    def webhook_url(self, token: str) -> str:
        return f"{self._api_url}/webhook/tradingview/{token}"

    def invoke(self, function: str, event: Any) -> None:
        self.events[function] = event["Records"][0]

    def start(self, function: str, event: Any) -> None:
        assert self.events, "nothing that an alert waits for is held up"
        self.started.append(function)


def test_what_an_alert_needs_at_once_is_started() -> None:
    with a_webhook_server() as webhook:
        target = Recorder(webhook.url)
        warm_up(target, "acc-1")
    assert target.started == ["publish_hours"]
    assert [path for path, _ in webhook.alerts] == ["/webhook/tradingview/warm-up"]
    assert WakeUp.model_validate_json(target.events["execute_order"]["body"]) == WakeUp(account_id="acc-1", root="ES")
    woken = wake_up_for(target.events["wake"]["dynamodb"])
    assert woken is not None
    assert woken.lane == ("acc-1", "ES")
