"""Environments on AWS: the settings of cdk.json and the facts of the account come in, CDK commands go out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from cli.places import ROOT
from cli.problem import Problem

EMULATED = "local"
# Below this a burst of waiting webhooks could take all of the account's concurrency from execution.
ENOUGH_CONCURRENCY = 200
# Lambda refuses a reservation that leaves less than this to all other functions.
UNRESERVED_AT_LEAST = 100


@dataclass(frozen=True)
class Account:
    """Who deploys, and where to."""

    account_id: str
    region: str
    identity: str


@dataclass(frozen=True)
class Concurrency:
    """Of the account's Lambda functions: the limit, what no function has reserved, and what the webhook has reserved."""

    limit: int
    unreserved: int
    webhook: int = 0

    def settings(self) -> dict[str, object]:
        """What the stacks must know: either nobody waits for a result, or the webhook can take at most half."""
        if self.limit < ENOUGH_CONCURRENCY:
            return {"wait_s": 0}
        reservable = self.unreserved + self.webhook - UNRESERVED_AT_LEAST
        share = min(self.limit // 2, reservable)
        return {"webhook_reserved_concurrency": share} if share > 0 else {"wait_s": 0}


def require_environment(name: str) -> None:
    """Raises Problem unless cdk.json knows the environment and it lives on AWS."""
    known = [key for key in json.loads((ROOT / "cdk.json").read_text())["context"]["environments"] if key != EMULATED]
    if name == EMULATED:
        raise Problem("environment local lives in the emulator", hint="./fillpath up, ./fillpath down, ./fillpath up --reset")
    if name not in known:
        raise Problem(f"there is no environment {name}", hint=f"one of {', '.join(known)}; cdk.json has their settings")


def account_of(session: boto3.Session) -> Account:
    """The account that the person's credentials lead to; raises Problem."""
    if session.region_name is None:
        raise Problem("no AWS region is set", hint="export AWS_REGION=us-east-1, or set one in your AWS profile")
    try:
        caller = session.client("sts").get_caller_identity()
    except (NoCredentialsError, NoRegionError) as error:
        raise Problem(
            "no AWS credentials were found",
            hint="aws configure sso && aws sso login, or export AWS_PROFILE / AWS_ACCESS_KEY_ID ...",
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise Problem(f"AWS does not take these credentials: {error}", hint="sign in again, e.g. aws sso login") from error
    return Account(caller["Account"], session.region_name, caller["Arn"])


def concurrency_of(session: boto3.Session, environment: str) -> Concurrency:
    """The Lambda concurrency of the account; raises Problem."""
    client = session.client("lambda")
    try:
        limits = client.get_account_settings()["AccountLimit"]
    except (BotoCoreError, ClientError) as error:
        raise Problem(
            f"the account's Lambda concurrency cannot be read: {error}", hint="lambda:GetAccountSettings is needed"
        ) from error
    reserved = _reserved(client, stack_outputs(session, f"Fillpath-{environment}-Orders").get("WebhookFunctionName"))
    return Concurrency(limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"], reserved)


def is_bootstrapped(session: boto3.Session) -> bool:
    """Whether the CDK has put its bucket and roles into the account and region."""
    try:
        session.client("cloudformation").describe_stacks(StackName="CDKToolkit")
    except ClientError:
        return False
    return True


def stack_outputs(session: boto3.Session, stack: str) -> Mapping[str, str]:
    """What a stack gave out; nothing if it is not there."""
    try:
        found = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError:
        return {}
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def _reserved(client: Any, function: str | None) -> int:
    if function is None:
        return 0
    return int(client.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions", 0))
