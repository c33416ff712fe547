"""Functions as Lambda runs them, wired by their own variables, over AWS as moto plays it."""

from collections.abc import Iterator
from importlib import import_module

import pytest

from tests.contract.moto import KEYS, REGION, Moto, serve

FUNCTIONS = ("webhook", "execute_order", "verify_fill", "wake", "reversal", "sweep", "publish_hours", "refresh_tokens")
TABLES = ("orders", "accounts", "guards", "market", "paper", "fleet")


class Context:
    """What Lambda tells a function about its time."""

    def get_remaining_time_in_millis(self) -> int:
        return 25_000


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with serve() as server:
        yield server


@pytest.fixture
def aws(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moto]:
    """Empty tables and queues, and the variables that lead every function to them."""
    moto.reset()
    moto.create_tables()
    variables = {
        "FILLPATH_ENV": "test",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "Fillpath",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEYS.access_key,
        "AWS_SECRET_ACCESS_KEY": KEYS.secret_key,
        "AWS_ENDPOINT_URL": moto.url,
        "WAIT_S": "0.2",
        "MASTER_KEY_SECRET_ID": moto.create_secret(),
        "BROKER_SECRET_PREFIX": "fillpath/test/broker",
        "ORDERS_QUEUE_URL": moto.create_queue("orders"),
        "VERIFICATION_QUEUE_URL": moto.create_queue("verification"),
        "VERIFICATION_DLQ_URL": moto.create_queue("verification-dlq"),
        "REVERSAL_STATE_MACHINE_ARN": moto.create_state_machine(),
        **{f"{table.upper()}_TABLE": table for table in TABLES},
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    _forget()
    yield moto
    _forget()


def _forget() -> None:
    """What a process keeps for its life: variables and adapters."""
    for function in FUNCTIONS:
        for module in (import_module(f"functions.{function}.{part}") for part in ("env", "wiring")):
            for kept in vars(module).values():
                if hasattr(kept, "cache_clear") and kept.__module__ == module.__name__:
                    kept.cache_clear()
