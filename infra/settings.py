"""The settings of one environment: `cdk.json` and `-c name=value` come in, one frozen, checked object goes out."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal, Self

from aws_cdk import App, RemovalPolicy
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

METRICS_NAMESPACE = "Fillpath"
OVERRIDES = ("wait_s", "webhook_reserved_concurrency")

# What CloudWatch Logs accepts; any other number fails only at deployment.
RetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class SettingsError(Exception):
    """The settings cannot be used; the message names the environment and each field at fault."""


class Settings(BaseModel):
    """One environment. Durations in seconds, rates in requests a second unless the name says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Literal["local", "dev", "staging", "prod"]
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] | None = None

    # Tables, queues, key and secret survive the stack, and no one deletes them by mistake.
    protected: bool
    # The stacks go into the emulator of `./fillpath up`: what it lacks is left out, wheels are the host's.
    emulated: bool = False

    log_retention_days: RetentionDays
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    # How long the webhook waits for the result; counted from the gateway's request time, TradingView hangs up after 3 s.
    wait_s: Annotated[float, Field(ge=0, le=25)] = 2
    webhook_reserved_concurrency: Annotated[int, Field(ge=1)] | None = None
    throttle_rate: Annotated[int, Field(ge=1)]
    throttle_burst: Annotated[int, Field(ge=1)]
    # Requests of one address in five minutes; AWS takes 10 at least.
    rate_limit_per_5_min: Annotated[int, Field(ge=10)] = 1000
    denied_addresses: tuple[IPv4Network, ...] = ()
    alarm_emails: tuple[Email, ...] = ()

    @field_validator("webhook_reserved_concurrency", mode="before")
    @classmethod
    def _empty_means_none(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def prefix(self) -> str:
        """What every resource name begins with."""
        return f"fillpath-{self.environment}"

    @property
    def secret_prefix(self) -> str:
        """What the name of every secret begins with."""
        return f"fillpath/{self.environment}"

    @property
    def broker_secret_prefix(self) -> str:
        """What stands before an account's id in the name of its secret."""
        return f"{self.secret_prefix}/broker"

    @property
    def tls(self) -> bool:
        """Whether plain HTTP is refused; the emulator speaks nothing else."""
        return not self.emulated

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What becomes of state when its stack, or its place in the stack, goes."""
        return RemovalPolicy.RETAIN if self.protected else RemovalPolicy.DESTROY

    @classmethod
    def parse(cls, environment: str, values: Mapping[str, Any]) -> Self:
        """Settings from plain values; raises SettingsError."""
        try:
            return cls.model_validate({**values, "environment": environment})
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})" for e in error.errors())
            raise SettingsError(f"environment {environment}: {faults}") from error


def read_settings(app: App) -> Settings:
    """The settings of the environment named by `-c env=`; raises SettingsError."""
    environments = app.node.try_get_context("environments") or {}
    name = app.node.try_get_context("env")
    if name not in environments:
        raise SettingsError(f"no environment {name!r}: choose one with -c env=<{'|'.join(environments)}>")
    given = {key: app.node.try_get_context(key) for key in OVERRIDES}
    return Settings.parse(name, environments[name] | {key: value for key, value in given.items() if value is not None})
