import json
from typing import Any

import pytest

from infra.capabilities.web_acl import TRADINGVIEW
from tests.infra.conftest import Synthesized

TRY_AGAIN = ("503", "try_again")
ANSWERS = {
    "THROTTLED": TRY_AGAIN,
    "QUOTA_EXCEEDED": TRY_AGAIN,
    "INTEGRATION_TIMEOUT": TRY_AGAIN,
    "INTEGRATION_FAILURE": TRY_AGAIN,
    "DEFAULT_5XX": TRY_AGAIN,
    "ACCESS_DENIED": ("403", "forbidden"),
    "WAF_FILTERED": ("403", "forbidden"),
    "MISSING_AUTHENTICATION_TOKEN": ("404", "not_found"),
    "RESOURCE_NOT_FOUND": ("404", "not_found"),
    "REQUEST_TOO_LARGE": ("413", "invalid_alert"),
    "DEFAULT_4XX": (None, "bad_request"),
}


def rules(synthesized: Synthesized) -> list[dict[str, Any]]:
    [acl] = synthesized.properties("AWS::WAFv2::WebACL")
    return sorted(acl["Rules"], key=lambda rule: rule["Priority"])


def path_of(resource: str, resources: dict[str, Any]) -> str:
    properties = resources[resource]["Properties"]
    above = properties["ParentId"].get("Ref")
    return f"{path_of(above, resources) if above else ''}/{properties['PathPart']}"


def test_the_api_takes_posts_with_and_without_token_and_secret(prod: Synthesized) -> None:
    resources = prod.resources("AWS::ApiGateway::Resource")
    methods = prod.properties("AWS::ApiGateway::Method")

    assert sorted((path_of(method["ResourceId"]["Ref"], resources), method["HttpMethod"]) for method in methods) == [
        ("/webhook/tradingview", "POST"),
        ("/webhook/tradingview/{token}", "POST"),
        ("/webhook/tradingview/{token}/{secret}", "POST"),
    ]
    assert prod.outputs("Edge").keys() >= {"WebhookApiId", "WebhookApiUrl"}


@pytest.mark.parametrize("environment", ["prod", "local"])
def test_what_the_gateway_says_itself_is_our_json_error(environment: str, request: pytest.FixtureRequest) -> None:
    synthesized: Synthesized = request.getfixturevalue(environment)
    found = {answer["ResponseType"]: answer for answer in synthesized.properties("AWS::ApiGateway::GatewayResponse")}
    bodies = {name: json.loads(answer["ResponseTemplates"]["application/json"]) for name, answer in found.items()}

    assert {name: (answer.get("StatusCode"), bodies[name]["error"]) for name, answer in found.items()} == ANSWERS
    assert all(body.keys() == {"error", "message", "details"} for body in bodies.values())


def test_nothing_that_the_gateway_records_has_token_or_secret(prod: Synthesized) -> None:
    [stage] = prod.properties("AWS::ApiGateway::Stage")
    format_ = stage["AccessLogSetting"]["Format"]
    [settings] = stage["MethodSettings"]

    assert "$context.resourcePath" in format_
    for with_the_path in ("$context.path", "$context.requestOverride", "$context.authorizer", "$context.integration.request"):
        assert with_the_path not in format_
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"], stage["TracingEnabled"]) == ("OFF", False, False)


def test_the_stage_is_throttled_as_the_settings_say(prod: Synthesized) -> None:
    [stage] = prod.properties("AWS::ApiGateway::Stage")
    [settings] = stage["MethodSettings"]

    assert settings["ThrottlingRateLimit"] == prod.settings.throttle_rate
    assert settings["ThrottlingBurstLimit"] == prod.settings.throttle_burst


def test_tradingview_comes_before_all_other_rules(prod: Synthesized) -> None:
    assert [rule["Name"] for rule in rules(prod)] == [
        "TradingView",
        "Denied",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
        "Rate",
    ]
    first = rules(prod)[0]
    assert first["Action"] == {"Allow": {}}
    ip_set = first["Statement"]["IPSetReferenceStatement"]["Arn"]["Fn::GetAtt"][0]
    addresses = prod.resources("AWS::WAFv2::IPSet")[ip_set]["Properties"]["Addresses"]
    assert addresses == [f"{address}/32" for address in TRADINGVIEW]


def test_a_large_body_is_left_to_the_function(prod: Synthesized) -> None:
    common = rules(prod)[2]["Statement"]["ManagedRuleGroupStatement"]

    assert common["RuleActionOverrides"] == [{"ActionToUse": {"Count": {}}, "Name": "SizeRestrictions_BODY"}]


def test_the_web_acl_protects_the_stage_and_records_no_path(prod: Synthesized) -> None:
    [acl] = prod.properties("AWS::WAFv2::WebACL")
    [association] = prod.properties("AWS::WAFv2::WebACLAssociation")
    [logging] = prod.properties("AWS::WAFv2::LoggingConfiguration")
    sampled = [rule["VisibilityConfig"]["SampledRequestsEnabled"] for rule in [*acl["Rules"], acl]]

    assert "WebhookApi" in json.dumps(association["ResourceArn"])
    assert logging["RedactedFields"] == [{"UriPath": {}}]
    assert logging["LoggingFilter"]["DefaultBehavior"] == "DROP"
    assert not any(sampled)


def test_the_emulator_gets_no_web_acl(local: Synthesized) -> None:
    assert not local.resources("AWS::WAFv2::WebACL")
