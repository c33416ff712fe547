import pytest

from fillpath.errors import Refused
from fillpath_brokers.exchange import scenario
from fillpath_brokers.exchange.scenario import NORMAL, Scenario
from tests.brokers.paper.exchange import leg


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("normal", {}, {}),
        ("delay", {}, {"seconds": "2"}),
        ("delay", {"seconds": "0.5"}, {"seconds": "0.5"}),
        ("delay=3", {}, {"seconds": "3"}),
        ("partial_fill", {}, {"fraction": "0.5", "then": "never", "after": "2"}),
        ("partial_fill", {"then": "Complete", "after": "1"}, {"fraction": "0.5", "then": "complete", "after": "1"}),
        ("never_fill", {"root": "es", "side": "SELL", "leg": "close"}, {"root": "ES", "side": "sell", "leg": "close"}),
        ("reject=market_closed", {"times": "2"}, {"reason": "market_closed", "delay": "1", "precheck": "true", "times": "2"}),
        ("timeout=after", {}, {"when": "after"}),
        ("crash", {"when": "before"}, {"when": "before", "times": "1"}),
        ("crash=after", {"times": "3"}, {"when": "after", "times": "3"}),
    ],
)
def test_a_scenario_is_understood(name: str, settings: dict[str, str], expected: dict[str, str]) -> None:
    assert scenario.parse(name, settings) == Scenario(name.partition("=")[0], expected)


@pytest.mark.parametrize(
    ("name", "settings", "field", "allowed"),
    [
        ("nonsense", {}, "name", "normal, delay, partial_fill, never_fill, reject, timeout, crash"),
        ("never_fill=1", {}, "name", "never_fill"),
        ("delay", {"second": "2"}, "second", "leg, root, seconds, side, times"),
        ("delay", {"seconds": "soon"}, "seconds", "seconds from 0 to 86400"),
        ("delay", {"seconds": "-1"}, "seconds", "seconds from 0 to 86400"),
        ("delay", {"seconds": "nan"}, "seconds", "seconds from 0 to 86400"),
        ("partial_fill", {"fraction": "1"}, "fraction", "a number between 0 and 1"),
        ("partial_fill", {"then": "maybe"}, "then", "never|complete"),
        ("reject", {}, "reason", "insufficient_margin|market_closed|invalid_symbol|rate_limited|position_mode"),
        ("reject=tired", {}, "reason", "insufficient_margin|market_closed|invalid_symbol|rate_limited|position_mode"),
        ("timeout", {}, "when", "before|after"),
        ("crash=during", {}, "when", "before|after"),
        ("crash=before", {"times": "0"}, "times", "a whole number from 1"),
        ("never_fill", {"root": "ZZZ"}, "root", "a root of the catalogue, such as ES"),
        ("never_fill", {"side": "long"}, "side", "buy|sell"),
        ("never_fill", {"leg": " "}, "leg", "the name of a leg, such as close or open"),
        ("normal", {"times": "1"}, "times", "none"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(name: str, settings: dict[str, str], field: str, allowed: str) -> None:
    with pytest.raises(Refused) as refused:
        scenario.parse(name, settings)

    assert refused.value.code == "invalid_scenario"
    assert refused.value.details["field"] == field
    assert refused.value.message.startswith(f"{field}: ")
    assert refused.value.message.endswith(f"allowed: {allowed}")


def test_a_scenario_survives_the_store() -> None:
    made = scenario.parse("reject=rate_limited", {"delay": "3", "times": "2", "leg": "open"})

    assert scenario.from_document(made.to_document()) == made


def test_a_scenario_applies_to_the_legs_it_names() -> None:
    made = scenario.parse("never_fill", {"leg": "protect", "side": "sell", "root": "ES"})

    assert made.applies(leg("sell", "1", name="protect-2"), "ES")
    assert not made.applies(leg("sell", "1", name="close"), "ES")
    assert not made.applies(leg("buy", "1", name="protect-2"), "ES")
    assert not made.applies(leg("sell", "1", name="protect-2"), "NQ")


def test_a_scenario_is_normal_again_once_its_times_are_up() -> None:
    once_more = scenario.parse("never_fill", {"times": "2"}).used()

    assert once_more.settings["times"] == "1"
    assert once_more.used() == NORMAL
    assert scenario.parse("never_fill").used() == scenario.parse("never_fill")
