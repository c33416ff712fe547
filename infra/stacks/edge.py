"""What the internet reaches: the webhook API behind the web ACL."""

from constructs import Construct

from infra.capabilities.web_acl import WebAcl
from infra.capabilities.webhook_api import WebhookApi
from infra.settings import Settings
from infra.stacks.environment import EnvironmentStack
from infra.stacks.orders import OrdersStack


class EdgeStack(EnvironmentStack):
    """The gateway may invoke the webhook function; it has no other right."""

    def __init__(self, scope: Construct, *, settings: Settings, orders: OrdersStack) -> None:
        super().__init__(scope, "Edge", settings=settings)
        webhook = WebhookApi(self, "WebhookApi", settings=settings, function=orders.webhook.function)
        self.api = webhook.api
        # The emulator's CloudFormation has no IP sets, associations or logging of web ACLs.
        if not settings.emulated:
            WebAcl(self, "WebAcl", settings=settings).protect(webhook, webhook.api.deployment_stage.stage_arn)
        self.publish({"WebhookApiId": self.api.rest_api_id, "WebhookApiUrl": self.api.url})
