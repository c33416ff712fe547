"""The variables that functions share, as mix-ins: each function's Env is composed of them and parsed once."""

from pydantic import BaseModel, ConfigDict


class FunctionEnv(BaseModel):
    """What every function has. Field names are the variables' names in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    fillpath_env: str
    log_level: str = "INFO"
    powertools_service_name: str
    powertools_metrics_namespace: str


class WakesLanes(BaseModel):
    """Sends wake-ups."""

    orders_queue_url: str


class SignsIn(BaseModel):
    """Has access to brokers: what lets accounts in, and the buckets that their requests come out of."""

    fleet_table: str
    broker_secret_prefix: str


class TradingEnv(FunctionEnv, WakesLanes, SignsIn):
    """What every function has that acts at brokers."""

    orders_table: str
    accounts_table: str
    market_table: str
    paper_table: str
    verification_queue_url: str


class StartsReversals(BaseModel):
    """Starts the orchestration of reversals."""

    reversal_state_machine_arn: str
