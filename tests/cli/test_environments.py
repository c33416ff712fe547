"""Deploying to AWS: what is refused before anything is touched, and how concurrency is shared."""

import pytest

from cli.application import run
from cli.environments import Concurrency


@pytest.mark.parametrize(
    ("concurrency", "settings"),
    [
        pytest.param(Concurrency(limit=10, unreserved=10), {"wait_s": 0}, id="a new account"),
        pytest.param(Concurrency(limit=199, unreserved=199), {"wait_s": 0}, id="just too few"),
        pytest.param(Concurrency(limit=200, unreserved=200), {"webhook_reserved_concurrency": 100}, id="just enough"),
        pytest.param(Concurrency(limit=1000, unreserved=1000), {"webhook_reserved_concurrency": 500}, id="half"),
        pytest.param(Concurrency(limit=1000, unreserved=300), {"webhook_reserved_concurrency": 200}, id="others have reserved"),
        pytest.param(
            Concurrency(limit=1000, unreserved=500, webhook=500), {"webhook_reserved_concurrency": 500}, id="deployed again"
        ),
        pytest.param(Concurrency(limit=1000, unreserved=100), {"wait_s": 0}, id="nothing left to reserve"),
    ],
)
def test_the_webhook_takes_at_most_half_and_waits_only_where_there_is_enough(
    concurrency: Concurrency, settings: dict[str, int]
) -> None:
    assert concurrency.settings() == settings


@pytest.mark.parametrize("command", ["deploy", "diff", "destroy"])
def test_an_unknown_environment_is_refused_with_the_known_ones(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "production"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "there is no environment production" in captured.err
    assert "dev, staging, prod" in captured.err


def test_the_local_environment_is_not_deployed_to_aws(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy", "local"]) == 1
    assert "./fillpath up" in capsys.readouterr().err


def test_missing_credentials_are_told_with_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory
) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert run(["deploy", "dev"]) == 1
    assert "no AWS credentials were found" in capsys.readouterr().err


def test_an_unknown_command_is_an_error() -> None:
    assert run(["upp"]) == 2
