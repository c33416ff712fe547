"""Where a client finds its service, and what it costs to have one."""

import subprocess
import sys

import pytest

from fillpath.errors import StorageUnavailable
from fillpath_aws.clients import service
from tests.aws.scripted_server import ScriptedServer

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_SQS",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return monkeypatch


def test_an_endpoint_of_the_environment_is_used(aws: ScriptedServer, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_REGION", "eu-west-1")
    environment.setenv("AWS_ENDPOINT_URL", aws.connection.url.rstrip("/"))
    environment.setenv("AWS_SESSION_TOKEN", "token")
    service("sqs").send_message(QueueUrl="q", MessageBody="b")
    (request,) = aws.requests
    assert "AKID/" in request.headers["Authorization"]
    assert "/eu-west-1/sqs/" in request.headers["Authorization"]
    assert request.headers["X-Amz-Security-Token"] == "token"


def test_an_endpoint_of_the_service_comes_before_that_of_all(aws: ScriptedServer, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    environment.setenv("AWS_ENDPOINT_URL_SQS", aws.connection.url)
    service("sqs").send_message(QueueUrl="q", MessageBody="b")
    assert aws.operations == ["SendMessage"]


def test_without_a_region_there_is_no_client(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageUnavailable, match="AWS_REGION"):
        service("dynamodb")


def test_keys_that_the_environment_does_not_hold_are_looked_for_when_they_are_needed(
    aws: ScriptedServer, environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    profile = tmp_path_factory.mktemp("aws") / "credentials"
    profile.write_text("[default]\naws_access_key_id = FROM_PROFILE\naws_secret_access_key = secret\n", "utf-8")
    script = """
from fillpath_aws.clients import service
import sys
sqs = service("sqs")
assert "botocore.session" not in sys.modules
sqs.send_message(QueueUrl="q", MessageBody="b")
"""
    variables = {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": aws.connection.url,
        "AWS_SHARED_CREDENTIALS_FILE": str(profile),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    subprocess.run([sys.executable, "-c", script], env=variables, check=True)
    assert "FROM_PROFILE/" in aws.requests[0].headers["Authorization"]


def test_what_the_webhook_imports_leaves_out_the_slow_libraries() -> None:
    script = """
import sys
from fillpath_aws import alert_store, lane_queue, master_key, order_store, telemetry
slow = {"boto3", "botocore.session", "botocore.client", "aws_lambda_powertools", "requests"} & set(sys.modules)
assert not slow, slow
"""
    subprocess.run([sys.executable, "-c", script], env={}, check=True)
