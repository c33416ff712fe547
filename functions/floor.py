"""The adapters behind the order path, put together for the functions that act at brokers."""

from fillpath.clock import SystemClock
from fillpath.orders.floor import Floor
from fillpath.orders.ports.reversal_runner import ReversalRunner
from fillpath_aws.account_store import DynamoAccountStore
from fillpath_aws.clients import service
from fillpath_aws.controls import DynamoControls
from fillpath_aws.lane_queue import SqsLaneQueue
from fillpath_aws.last_prices import DynamoLastPrices
from fillpath_aws.order_store import DynamoOrderStore
from fillpath_aws.paper_book_store import DynamoPaperBookStore
from fillpath_aws.reversal_runner import NoReversalRunner, StepFunctionsReversalRunner
from fillpath_aws.telemetry import EmfTelemetry
from fillpath_aws.trading_hours import DynamoTradingHours
from fillpath_aws.verification_queue import SqsVerificationQueue
from fillpath_brokers.desk import BrokerDesk
from fillpath_brokers.services import Services
from functions.access import token_store, web
from functions.environment import TradingEnv


def trading_floor(env: TradingEnv, *, state_machine_arn: str | None = None, dead_letter_url: str | None = None) -> Floor:
    """The floor of one function; what it may not do (start reversals, give up checks) it has no address for."""
    dynamodb, sqs, clock = service("dynamodb"), service("sqs"), SystemClock()
    services = Services(
        clock=clock,
        last_prices=DynamoLastPrices(dynamodb, env.market_table),
        paper_books=DynamoPaperBookStore(dynamodb, env.paper_table),
        accounts=DynamoAccountStore(dynamodb, env.accounts_table),
        tokens=token_store(env, dynamodb, clock),
        web=web(env, dynamodb, clock),
        hours=DynamoTradingHours(dynamodb, env.market_table, clock),
    )
    return Floor(
        orders=DynamoOrderStore(dynamodb, env.orders_table),
        lanes=SqsLaneQueue(sqs, env.orders_queue_url),
        checks=SqsVerificationQueue(sqs, env.verification_queue_url, dead_letter_url),
        reversals=_reversals(state_machine_arn),
        controls=DynamoControls(dynamodb, env.accounts_table),
        desk=BrokerDesk(services),
        telemetry=EmfTelemetry(env.fillpath_env),
        clock=clock,
    )


def _reversals(state_machine_arn: str | None) -> ReversalRunner:
    if state_machine_arn is None:
        return NoReversalRunner()
    return StepFunctionsReversalRunner(service("stepfunctions"), state_machine_arn)
