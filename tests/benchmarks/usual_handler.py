"""What a webhook usually looks like: powertools' Logger, Tracer, Metrics, event handler and idempotency, boto3, the same model.

It is the yardstick of `webhook-cold`: the same first call over the same AWS.
"""

import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function

from fillpath.alerts.canonical import parse_canonical

logger, tracer, metrics, app = Logger(), Tracer(), Metrics(), APIGatewayRestResolver()
table = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])
sqs = boto3.client("sqs")
layer = DynamoDBPersistenceLayer(table_name=os.environ["GUARDS_TABLE"])


@idempotent_function(data_keyword_argument="body", persistence_store=layer, config=IdempotencyConfig())
def _accept(body: dict[str, Any]) -> dict[str, Any]:
    alert = parse_canonical(body)
    table.put_item(Item={"pk": alert.symbol, "sk": alert.action})
    sqs.send_message(QueueUrl=os.environ["ORDERS_QUEUE_URL"], MessageBody="{}", MessageGroupId="g", MessageDeduplicationId="d")
    metrics.add_metric("accepted", MetricUnit.Count, 1)
    return {"accepted": True}


@app.post("/webhook/tradingview/<token>")
def _post(token: str) -> dict[str, Any]:
    logger.info("alert")
    return _accept(body=json.loads(app.current_event.body or "{}"))


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request."""
    return app.resolve(event, context)
