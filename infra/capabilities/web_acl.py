"""The web ACL before the APIs: TradingView first, then the deny list, AWS's managed rules and a limit per address.

Sampled requests stay off and the logs leave out the path, since the webhook's token and secret may be in it.
"""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.capabilities.log_groups import LogGroup
from infra.settings import Settings

Rule = waf.CfnWebACL.RuleProperty
Statement = waf.CfnWebACL.StatementProperty
Action = waf.CfnWebACL.RuleActionProperty

# The addresses that alerts come from: https://www.tradingview.com/support/solutions/43000529348-about-webhooks/
TRADINGVIEW = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")

# AWS's rule groups, each with the rules that only count.
MANAGED: dict[str, tuple[str, ...]] = {
    # The function answers 413 to a body over 8 KB, with the reason; the firewall would only say 403.
    "AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesAmazonIpReputationList": (),
}


class WebAcl(Construct):
    """The regional web ACL of an environment, for every API of it."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self._prefix = settings.prefix
        self.acl = waf.CfnWebACL(
            self,
            "Acl",
            name=f"{settings.prefix}-web",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility("All"),
            rules=self._rules(settings),
        )
        self._log_blocked_requests(settings)

    def protect(self, api: Construct, stage_arn: str) -> None:
        """Put the web ACL before a stage of an API."""
        waf.CfnWebACLAssociation(api, "WebAcl", resource_arn=stage_arn, web_acl_arn=self.acl.attr_arn)

    def _rules(self, settings: Settings) -> list[Rule]:
        allow, block = Action(allow={}), Action(block={})
        rate = waf.CfnWebACL.RateBasedStatementProperty(limit=settings.rate_limit_per_5_min, aggregate_key_type="IP")
        before = [
            ("TradingView", self._addresses("TradingView", [f"{address}/32" for address in TRADINGVIEW]), allow),
            ("Denied", self._addresses("Denied", [str(network) for network in settings.denied_addresses]), block),
        ]
        managed = [(name, _managed(name, counted), None) for name, counted in MANAGED.items()]
        rules = [*before, *managed, ("Rate", Statement(rate_based_statement=rate), block)]
        return [
            Rule(
                name=name,
                priority=priority,
                statement=statement,
                action=action,
                # A rule group acts by itself; "none" lets it.
                override_action=None if action else waf.CfnWebACL.OverrideActionProperty(none={}),
                visibility_config=_visibility(name),
            )
            for priority, (name, statement, action) in enumerate(rules)
        ]

    def _addresses(self, name: str, ranges: Sequence[str]) -> Statement:
        ip_set = waf.CfnIPSet(
            self,
            f"{name}Addresses",
            name=f"{self._prefix}-{name.lower()}",
            scope="REGIONAL",
            ip_address_version="IPV4",
            addresses=list(ranges),
        )
        return Statement(ip_set_reference_statement=waf.CfnWebACL.IPSetReferenceStatementProperty(arn=ip_set.attr_arn))

    def _log_blocked_requests(self, settings: Settings) -> None:
        # WAF writes only to groups whose name begins like this.
        logs = LogGroup(self, "Logs", settings=settings, name=f"aws-waf-logs-{self._prefix}").group
        waf.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.acl.attr_arn,
            # Without the ":*" that the group's own ARN ends with, which WAF refuses.
            log_destination_configs=[
                Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=logs.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            redacted_fields=[waf.CfnLoggingConfiguration.FieldToMatchProperty(uri_path={})],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Conditions": [{"ActionCondition": {"Action": "BLOCK"}}],
                        "Requirement": "MEETS_ANY",
                    }
                ],
            },
        )


def _managed(name: str, counted: Sequence[str]) -> Statement:
    group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS",
        name=name,
        rule_action_overrides=[
            waf.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=Action(count={})) for rule in counted
        ],
    )
    return Statement(managed_rule_group_statement=group)


def _visibility(metric: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )
