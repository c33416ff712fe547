"""Where commands act."""

import pytest

from cli.application import run
from cli.target import Place, Target, named
from fillpath_aws.json_rpc import Keys

OUTPUTS = {"OrdersTableName": "o", "PaperBooksTableName": "p", "OrdersQueueUrl": "q", "MasterKeySecretId": "k"}


def test_outputs_are_named_as_programs_name_them() -> None:
    assert named(OUTPUTS, "TableName") == {"orders": "o", "paper_books": "p"}


def test_on_aws_each_service_has_its_own_address() -> None:
    place = Place("eu-west-1", lambda: Keys("a", "b"))
    assert place.connection("dynamodb").url == "https://dynamodb.eu-west-1.amazonaws.com/"
    assert Place("eu-west-1", lambda: Keys("a", "b"), "http://localhost:1").connection("dynamodb").url == "http://localhost:1/"


def test_a_webhook_address_has_one_slash_where_the_api_ends() -> None:
    target = Target(OUTPUTS, "https://api/v1/", Place("eu-west-1", lambda: Keys("a", "b")))
    assert target.webhook_url("token") == "https://api/v1/webhook/tradingview/token"


@pytest.mark.parametrize(("environment", "told"), [("nowhere", "there is no environment nowhere"), ("local", "./fillpath up")])
def test_an_environment_that_is_not_on_aws_is_refused(environment: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["orders", "--env", environment]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
