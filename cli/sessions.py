"""AWS sessions: the person's own account as their shell names it, or the emulator whatever the shell says."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.session import Session

from cli import surroundings
from cli.emulator import ACCESS_KEY, REGION


def own_session() -> boto3.Session:
    """With the person's profile or keys; the region is AWS_REGION before all else, as it is for the CDK."""
    return boto3.Session(region_name=surroundings.region())


def emulator_client(service: str, endpoint_url: str, **settings: Any) -> Any:
    """With the emulator's keys: no profile, configuration file, variable or proxy of the person's reaches it."""
    session: Any = boto3.Session(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
        region_name=REGION,
        botocore_session=Session(session_vars=_defaults()),
    )
    return session.client(service, endpoint_url=endpoint_url, config=Config(proxies={}, **settings))


def _defaults() -> dict[str, Any]:
    """Each of botocore's settings by its default alone: neither a variable nor a file is asked for it."""
    settings: dict[str, Any] = {name: (None, None, *how[2:]) for name, how in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    return settings | dict.fromkeys(("config_file", "credentials_file"), (None, None, "/dev/null", None))
