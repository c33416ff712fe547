import pytest
from aws_cdk import App

from infra.settings import Settings, SettingsError, read_settings

MINIMAL = {"protected": True, "log_retention_days": 14, "throttle_rate": 50, "throttle_burst": 100}


def app(**context: object) -> App:
    return App(context={"environments": {"dev": MINIMAL}, **context})


def test_an_environment_of_cdk_json_becomes_settings() -> None:
    settings = read_settings(app(env="dev"))

    assert settings == Settings.parse("dev", MINIMAL)
    assert (settings.prefix, settings.secret_prefix) == ("fillpath-dev", "fillpath/dev")


@pytest.mark.parametrize("name", [None, "test"])
def test_an_environment_that_is_not_there_is_refused_with_those_that_are(name: str | None) -> None:
    with pytest.raises(SettingsError, match="choose one with -c env=<dev>"):
        read_settings(app(env=name) if name else app())


def test_the_command_line_overrides_the_wait_and_the_reserved_concurrency() -> None:
    settings = read_settings(app(env="dev", wait_s="0", webhook_reserved_concurrency="25"))

    assert (settings.wait_s, settings.webhook_reserved_concurrency) == (0, 25)


def test_an_empty_reserved_concurrency_means_none() -> None:
    assert read_settings(app(env="dev", webhook_reserved_concurrency="")).webhook_reserved_concurrency is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", "12345"),
        ("alarm_emails", ["nobody"]),
        ("denied_addresses", ["10.0.0.0/33"]),
        ("log_retention_days", 15),
        ("region", "Virginia"),
        ("throttle_rate", 0),
        ("unheard_of", 1),
        ("wait_s", 26),
        ("webhook_reserved_concurrency", 0),
    ],
)
def test_a_bad_value_is_refused_with_its_field(field: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"environment dev: {field}"):
        Settings.parse("dev", MINIMAL | {field: value})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(SettingsError, match="protected: Field required"):
        Settings.parse("dev", {name: value for name, value in MINIMAL.items() if name != "protected"})
