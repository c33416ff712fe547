"""What lets functions into brokers: tokens are looked after over real tables and secrets, and who needs none loads nothing."""

import json
import subprocess
import sys

import pytest

from fillpath.accounts.access import Access
from fillpath.accounts.model import Credentials
from fillpath_aws.access_vault import SecretsManagerAccessVault
from fillpath_aws.account_store import DynamoAccountStore
from functions.refresh_tokens import handler as refresh_tokens
from tests.contract.moto import Moto
from tests.contract.records import a_user, an_account
from tests.functions.conftest import Context
from tests.functions.test_events import event


class LongContext(Context):
    """As much time as refresh_tokens has."""

    def get_remaining_time_in_millis(self) -> int:
        return 90_000


@pytest.mark.integration
@pytest.mark.enable_socket
def test_accounts_are_looked_after_and_what_is_found_is_written_and_reported(
    aws: Moto, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = DynamoAccountStore(aws.dynamodb, "accounts")
    accounts.save(a_user())
    accounts.save(an_account("acc-1", venue="alpaca", credentials=Credentials.VERIFIED))
    accounts.save(an_account("acc-2", venue="alpaca", credentials=Credentials.NEEDS_REAUTH))
    accounts.save(an_account("acc-3"))
    SecretsManagerAccessVault(aws.secrets_manager, "fillpath/test/broker").write("acc-2", Access({"key_id": "K"}, None, 1))
    answer = refresh_tokens.handler(event("refresh_tokens/minute.json"), LongContext())  # type: ignore[arg-type]  a context with what is used of it
    assert answer == {"renewed": 1, "failed": 0, "left": 0, "need_a_person": 1}
    known = [accounts.account(account_id).credentials for account_id in ("acc-1", "acc-2", "acc-3")]
    assert known == [Credentials.NEEDS_REAUTH, Credentials.VERIFIED, Credentials.MISSING]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    figures = {name: line[name] for line in lines for name in ("NeedsReauth", "SignInDueSoon") if name in line}
    assert figures == {"NeedsReauth": [1.0], "SignInDueSoon": [0.0]}


@pytest.mark.parametrize("function", ["execute_order", "verify_fill", "reversal", "sweep"])
def test_who_acts_at_the_simulated_exchange_starts_without_what_real_venues_need(function: str) -> None:
    variables = {
        "fillpath_env": "test",
        "powertools_service_name": function,
        "powertools_metrics_namespace": "Fillpath",
        "reversal_state_machine_arn": "arn",
        "verification_dlq_url": "http://localhost/dlq",
        **{f"{name}_table": name for name in ("orders", "accounts", "market", "paper", "fleet")},
        **{f"{name}_queue_url": f"http://localhost/{name}" for name in ("orders", "verification")},
        "broker_secret_prefix": "fillpath/test/broker",
        "aws_region": "eu-west-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    code = (
        "import sys\n"
        f"from functions.{function} import handler\n"
        f"from functions.{function}.wiring import floor\n"
        "from fillpath.orders.ports.desk import AccountRef\n"
        "floor().desk.capabilities(AccountRef('acc-1', 'paper'))\n"
        "print(sorted({'httpx', 'msgspec', 'websockets', 'pandas'} & set(sys.modules)))\n"
    )
    environment = {name.upper(): value for name, value in variables.items()}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")
