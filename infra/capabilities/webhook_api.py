"""The webhook REST API: POST with token and secret in the path, with the token only, or without. Every answer it gives itself
is our JSON error.

Token and secret are in the URL, so nothing here may record the URL: access logs name the route, and execution logs and the
gateway's X-Ray segment, which would both carry the path, stay off.
"""

import json
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.capabilities.acknowledged import acknowledge
from infra.capabilities.log_groups import LogGroup
from infra.settings import Settings

STAGE = "v1"
ACCESS_LOG = {
    "request_id": apigateway.AccessLogField.context_request_id(),
    "time": apigateway.AccessLogField.context_request_time_epoch(),
    "ip": apigateway.AccessLogField.context_identity_source_ip(),
    "method": apigateway.AccessLogField.context_http_method(),
    "route": apigateway.AccessLogField.context_resource_path(),
    "status": apigateway.AccessLogField.context_status(),
    "response_length": apigateway.AccessLogField.context_response_length(),
    "latency_ms": apigateway.AccessLogField.context_response_latency(),
    "integration_latency_ms": apigateway.AccessLogField.context_integration_latency(),
    "gateway_error": apigateway.AccessLogField.context_error_response_type(),
    "waf": apigateway.AccessLogField.context_waf_response_code(),
}


@dataclass(frozen=True)
class GatewayAnswer:
    """What the gateway says in place of its own words; without a status it keeps the one of the case."""

    error: str
    message: str
    status: str | None = None


TRY_AGAIN = GatewayAnswer("try_again", "Not confirmed. Send the same alert again, it is executed only once", "503")
# TradingView sends again after a 5xx other than 504. DEFAULT_5XX sets the status of every 5xx without a line of its own.
ANSWERS: dict[str, GatewayAnswer] = {
    "THROTTLED": TRY_AGAIN,
    "QUOTA_EXCEEDED": TRY_AGAIN,
    "INTEGRATION_TIMEOUT": TRY_AGAIN,
    "INTEGRATION_FAILURE": TRY_AGAIN,
    "DEFAULT_5XX": TRY_AGAIN,
    "ACCESS_DENIED": GatewayAnswer("forbidden", "This request is not allowed", "403"),
    "WAF_FILTERED": GatewayAnswer("forbidden", "This request was blocked by the firewall", "403"),
    # The gateway's name for a path or method that does not exist.
    "MISSING_AUTHENTICATION_TOKEN": GatewayAnswer("not_found", "There is nothing at this path", "404"),
    "RESOURCE_NOT_FOUND": GatewayAnswer("not_found", "There is nothing at this path", "404"),
    "REQUEST_TOO_LARGE": GatewayAnswer("invalid_alert", "The request is too large", "413"),
    "DEFAULT_4XX": GatewayAnswer("bad_request", "The request cannot be read"),
}


class WebhookApi(Construct):
    """`POST /webhook/tradingview`, `.../{token}` and `.../{token}/{secret}`, passed on to the webhook function."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, function: lambda_.IFunction) -> None:
        super().__init__(scope, construct_id)
        logs = LogGroup(self, "AccessLogs", settings=settings, name=f"/fillpath/{settings.environment}/webhook-access").group
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=f"{settings.prefix}-webhook",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                throttling_rate_limit=settings.throttle_rate,
                throttling_burst_limit=settings.throttle_burst,
                access_log_destination=apigateway.LogGroupLogDestination(logs),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG)),
                logging_level=apigateway.MethodLoggingLevel.OFF,
                data_trace_enabled=False,
                tracing_enabled=False,
            ),
        )
        integration = apigateway.LambdaIntegration(function)
        without_token = self.api.root.add_resource("webhook").add_resource("tradingview")
        with_token = without_token.add_resource("{token}")
        for resource in (without_token, with_token, with_token.add_resource("{secret}")):
            _acknowledge_open(resource.add_method("POST", integration))
        for name, answer in ANSWERS.items():
            self._answer(name, answer)
        self._acknowledge(settings)

    def _answer(self, name: str, answer: GatewayAnswer) -> None:
        body = {"error": answer.error, "message": answer.message, "details": {}}
        self.api.add_gateway_response(
            name.title().replace("_", ""),
            type=apigateway.ResponseType.of(name),
            status_code=answer.status,
            templates={"application/json": json.dumps(body)},
        )

    def _acknowledge(self, settings: Settings) -> None:
        acknowledge(
            self.api, "AwsSolutions-APIG2", "Alerts come as JSON, text and form of their own; the function validates them"
        )
        acknowledge(self.api.deployment_stage, "AwsSolutions-APIG6", "Execution logs would record the token in the path")
        managed = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        acknowledge(self.api, f"AwsSolutions-IAM4[{managed}]", "The gateway asks for exactly this policy to write access logs")
        if settings.emulated:
            acknowledge(self.api.deployment_stage, "AwsSolutions-APIG3", "The emulator cannot put a web ACL before an API")


def _acknowledge_open(method: apigateway.Method) -> None:
    reason = "TradingView signs nothing: the function checks the token and the secret of every alert"
    acknowledge(method, "AwsSolutions-APIG4", reason)
    acknowledge(method, "AwsSolutions-COG4", reason)
