"""What `up` tells: lines that can be copied and run."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from cli.welcome import curl, welcome
from fillpath.alerts.message import strategy_message

URL = "http://localhost:4566/restapis/d9411ea1/v1/_user_request_/webhook/tradingview/r4owmdwazwt2lx6hsw5ej37ahgqwugf4"
SECRET = "ccm5ef6uuhlerfyh3l5irppak4wembqm"
DESCRIPTION = {"webhook_url": URL, "webhook_secret": SECRET, "aws": {"endpoint_url": "http://localhost:4566"}}


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    welcome(DESCRIPTION)
    return capsys.readouterr().out.splitlines()


def test_address_secret_and_curl_stand_on_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert {URL, SECRET, curl(URL, SECRET)} <= set(told(capsys))


def test_the_message_for_tradingview_can_be_copied_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys)
    message = "\n".join(lines[lines.index("{") : lines.index("}") + 1])
    assert message == strategy_message(SECRET)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_that_runs_the_curl_puts_the_time_of_now_into_the_alert(shell: str) -> None:
    program = shutil.which(shell)
    assert program is not None
    # In place of curl a function that shows the last argument, which is the body.
    script = f'curl() {{ for last; do :; done; printf %s "$last"; }}\n{curl(URL, SECRET)}'
    shown = subprocess.run([program, "-c", script], capture_output=True, text=True, check=True).stdout
    alert = json.loads(shown)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", alert["timestamp"])
    assert abs((datetime.now(UTC) - datetime.fromisoformat(alert["timestamp"])).total_seconds()) < 5
    assert {key: alert[key] for key in ("action", "symbol", "quantity", "secret")} == {
        "action": "buy",
        "symbol": "ES1!",
        "quantity": "1",
        "secret": SECRET,
    }
