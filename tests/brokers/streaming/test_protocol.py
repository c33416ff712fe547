"""What most venues mean by ending or refusing a connection, and what a place shows of itself."""

import pytest

from fillpath_brokers.streaming.protocol import End, GiveUp, Place, Reconnect, Send, ended_as_usual
from tests.brokers.streaming.chatter import Chatter


@pytest.mark.parametrize(
    ("end", "times", "verdict"),
    [
        (End(status=401), 2, Reconnect("the venue refused the connection: 401")),
        (End(status=401), 3, GiveUp("the venue refused the sign-in (401) three times", needs_reauth=True)),
        (End(status=403), 1, GiveUp("the venue refused the connection: 403")),
        (End(status=404), 1, GiveUp("the venue refused the connection: 404")),
        (End(status=429), 1, Reconnect("too many connections (429)", 5.0)),
        (End(status=429, retry_after_s=60.0), 9, Reconnect("too many connections (429)", 60.0)),
        (End(status=503, retry_after_s=2.0), 9, Reconnect("the venue refused the connection: 503", 2.0)),
        (End(code=1008, text="hush"), 9, Reconnect("closed by the venue: 1008")),
        (End(), 0, Reconnect("the line broke")),
    ],
)
def test_what_most_venues_mean(end: End, times: int, verdict: Reconnect | GiveUp) -> None:
    assert ended_as_usual(end, times) == verdict
    assert Chatter().ended(end, times) == verdict


def test_nothing_that_may_be_secret_is_shown() -> None:
    place = Place("wss://user:hush@api.example:8443/v1/stream?token=hush#hush", {"Authorization": "hush"})
    assert repr(place) == "wss://api.example/v1/stream"
    assert "hush" not in f"{place}{Send('hush')!r}{End(text='hush')!r}"
