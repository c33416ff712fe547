"""What the shell's settings reach: the person's own account, never the local stack."""

from pathlib import Path

import pytest

from cli import surroundings
from cli.sessions import emulator_client, own_session


@pytest.fixture
def no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.mark.parametrize("default", [None, "us-west-2"])
def test_aws_region_is_the_region(no_files: None, monkeypatch: pytest.MonkeyPatch, default: str | None) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    if default is not None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", default)
    assert own_session().region_name == "eu-west-1"


def test_without_it_botocores_own_setting_is_the_region(no_files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert own_session().region_name == "us-west-2"


def test_nothing_of_the_persons_own_settings_reaches_the_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "AWS_PROFILE": "nosuch",
        "AWS_MAX_ATTEMPTS": "abc",
        "AWS_RETRY_MODE": "nosuch",
        "AWS_CONFIG_FILE": str(tmp_path),
        "AWS_CA_BUNDLE": "/nosuch",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTP_PROXY": "http://nosuch:1",
    }.items():
        monkeypatch.setenv(name, value)
    client = emulator_client("sqs", "http://localhost:1")
    assert client.meta.endpoint_url == "http://localhost:1"
    assert client.meta.config.proxies == {}
    assert client.meta.region_name == "us-east-1"


def test_programs_for_the_local_stack_get_neither_profile_nor_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "HTTPS_PROXY", "http_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("OTHER", "kept")
    given = surroundings.for_the_local_stack({"AWS_REGION": "us-east-1"})
    assert not {"AWS_PROFILE", "HTTPS_PROXY", "http_proxy"} & set(given)
    assert given["NO_PROXY"] == given["no_proxy"] == "localhost,127.0.0.1"
    assert (given["OTHER"], given["AWS_REGION"]) == ("kept", "us-east-1")
