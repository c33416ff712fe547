"""Logs of the functions: powertools' JSON lines, for our own packages too; an order's lines carry its id as correlation id."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers


def logger_of(level: str) -> Logger:
    """The function's logger; what the core logs comes out through it."""
    logger = Logger(level=level)
    copy_config_to_registered_loggers(source_logger=logger, include={"fillpath", "fillpath_aws", "fillpath_brokers"})
    return logger
