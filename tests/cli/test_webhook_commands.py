"""A webhook's settings by hand: what is stored, what a sender is shown, and what is refused with its remedy."""

import json
from pathlib import Path

import pytest

from fillpath.accounts.model import QuantityIs, SecretIn, TimeOf
from fillpath.accounts.tokens import token_digest
from fillpath.alerts.message import indicator_message, strategy_message
from tests.cli.local_stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

MAPPING = "{action: side, symbol: pair, quantity: size, timestamp: sent, secret: auth}"
SAMPLE = {"side": "buy", "pair": "ES1!", "size": 1, "sent": "2026-01-05T14:30:00Z", "auth": "x"}
SETTINGS = (
    *("--secret-in", "url", "--time", "arrival", "--quantity-is", "contracts", "--symbols", "ES1!,NQ,es"),
    *("--window", "Mon-Fri 09:30-16:00 America/New_York", "--window", "Sun 18:00-24:00 UTC", "--cooldown", "60"),
    *("--entry-staleness", "10", "--reduction-staleness", "600"),
)


def test_every_setting_is_kept_and_taken_back(stack: Stack, tmp_path: Path) -> None:
    symbols, mapping, sample = tmp_path / "symbols.json", tmp_path / "mapping", tmp_path / "sample.json"
    symbols.write_text('{"spx500": "ES1!"}')
    mapping.write_text(MAPPING + "\n")
    sample.write_text(json.dumps(SAMPLE))
    files = ("--symbol-map", str(symbols), "--map", str(mapping), "--sample", str(sample))
    added = stack.run("webhook", "add", *SETTINGS, *files, "--json").json
    stored = stack.target.accounts.webhook(added["webhook_id"])
    assert (stored.secret_in, stored.time, stored.quantity_is) == (SecretIn.URL, TimeOf.ARRIVAL, QuantityIs.CONTRACTS)
    assert stored.symbols == ("ES", "NQ")
    assert stored.windows == ("Mon-Fri 09:30-16:00 America/New_York", "Sun 18:00-24:00 UTC")
    assert (stored.cooldown_s, stored.entry_staleness_s, stored.reduction_staleness_s) == (60, 10, 600)
    assert (stored.symbol_map, stored.mapping) == ({"SPX500": "ES1!"}, MAPPING)
    none = [text for name in ("--window", "--cooldown", "--symbol-map", "--map", "--wait-s") for text in (name, "none")]
    stack.run("webhook", "set", added["webhook_id"], "--symbols", "all", *none)
    stored = stack.target.accounts.webhook(added["webhook_id"])
    assert (stored.symbols, stored.windows, stored.cooldown_s, stored.symbol_map) == ((), (), 0, {})
    assert (stored.mapping, stored.wait_s, stored.secret_in) == (None, None, SecretIn.URL)


def test_a_webhook_is_shown_with_its_url_and_both_messages(stack: Stack) -> None:
    url, secret = stack.seeded["webhook_url"], stack.seeded["webhook_secret"]
    shown = stack.run("webhook", "show", "tradingview").out
    for part in (url, strategy_message(secret), indicator_message(secret)):
        assert f"\n{part}\n" in shown
    told = stack.run("webhook", "show", "tradingview", "--json").json
    assert (told["url"], told["message"], told["indicator_message"]) == (url, strategy_message(secret), indicator_message(secret))


def test_a_label_names_one_webhook_alone_and_who_adds_it_is_told_how_to_use_it(stack: Stack) -> None:
    assert "--webhook flow" in stack.run("webhook", "add", "--label", "flow").err
    for command in (("add",), ("set", "tradingview")):
        ran = stack.run("webhook", *command, "--label", "FLOW")
        assert ran.code == 1
        assert "there is a webhook flow already" in ran.err
    assert stack.run("webhook", "set", "flow", "--label", "Flow").code == 0


def test_a_secret_in_the_url_stands_in_no_message(stack: Stack) -> None:
    stack.run("webhook", "set", "tradingview", "--secret-in", "url")
    told = stack.run("webhook", "show", "tradingview", "--json").json
    assert told["url"] == f"{stack.seeded['webhook_url']}/{told['secret']}"
    assert (told["message"], told["indicator_message"]) == (strategy_message(None), indicator_message(None))
    assert told["secret"] not in told["message"] + told["indicator_message"]


def test_a_revoked_webhook_leads_nowhere_until_it_is_rotated(stack: Stack) -> None:
    digest = token_digest(stack.seeded["webhook_url"].rsplit("/", 1)[1])
    assert stack.run("webhook", "revoke", "tradingview", "--json").json["revoked"] is True
    assert stack.target.alerts.owner_of(digest) is None
    assert "is revoked" in stack.run("webhook", "show", "tradingview").out
    rotated = stack.run("webhook", "rotate", "tradingview", "--json").json
    assert stack.target.alerts.owner_of(token_digest(rotated["url"].rsplit("/", 1)[1])) is not None


def test_one_generation_is_revoked_by_itself(stack: Stack) -> None:
    old = token_digest(stack.seeded["webhook_url"].rsplit("/", 1)[1])
    new = token_digest(stack.run("webhook", "rotate", "tradingview", "--json").json["url"].rsplit("/", 1)[1])
    stack.run("webhook", "revoke", "tradingview", "--generation", "1")
    assert (stack.target.alerts.owner_of(old), stack.target.alerts.owner_of(new) is None) == (None, False)
    again = stack.run("webhook", "revoke", "tradingview", "--generation", "1")
    assert again.code == 1
    assert "generation 1" in again.err


@pytest.mark.parametrize(
    ("arguments", "reason", "remedy"),
    [
        (["--secret-in", "header"], "--secret-in: there is no 'header'", "body, url"),
        (["--time", "never"], "--time: there is no 'never'", "required, arrival"),
        (["--quantity-is", "all"], "--quantity-is: there is no 'all'", "new_size, contracts"),
        (["--symbols", "FOO"], "--symbols: symbol: 'FOO'", "use a root (ES)"),
        (["--window", "always"], "--window: 'always' is not a window", "Mon-Fri 09:30-16:00"),
        (["--window", "Mon 09:30-16:00 Mars/Olympus"], "--window: there is no time zone", "America/New_York"),
        (["--cooldown", "-1"], "--cooldown: '-1' is not a number of seconds", "or none"),
        (["--entry-staleness", "0"], "--entry-staleness: '0' is not a number of seconds", "from 1 to 86400"),
        (["--reduction-staleness", "86401"], "--reduction-staleness: '86401'", "from 1 to 86400"),
        (["--symbol-map", "/no/such"], "--symbol-map: /no/such cannot be read", "No such file"),
        (["--symbol-map", "list"], "must hold one JSON object of texts", "SPX500"),
        (["--symbol-map", "unknown"], "--symbol-map: symbol: 'FOO'", "use a root (ES)"),
        (["--map", "mapping"], "--map: needs a message to try it on", "--sample FILE"),
        (["--map", "mapping", "--sample", "list"], "--map: body: must be one JSON object", ""),
        (["--map", "mapping", "--sample", "unknown"], "--map: with the sample: action", ""),
        (["--map", "list", "--sample", "none"], "--map: the mapping must be one object", "{action: side"),
        (["--sample", "mapping"], "--sample: belongs to --map FILE", "both together"),
    ],
)
def test_a_setting_that_cannot_be_taken_is_named_and_nothing_changes(
    stack: Stack, tmp_path: Path, arguments: list[str], reason: str, remedy: str
) -> None:
    for name, text in (("list", "[1]"), ("unknown", '{"X": "FOO"}'), ("mapping", MAPPING)):
        (tmp_path / name).write_text(text)
    before = stack.directory.webhooks()
    files = [str(tmp_path / text) if (tmp_path / text).is_file() else text for text in arguments]
    ran = stack.run("webhook", "set", "tradingview", *files, "--json")
    assert (ran.code, ran.out) == (1, "")
    assert reason in ran.err
    assert remedy in ran.err
    assert stack.directory.webhooks() == before
