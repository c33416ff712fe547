"""The one customer-managed key of an environment: tables, queues, secrets and the alarm topic are encrypted with it."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import Settings


class EncryptionKey(Construct):
    """Rotated yearly. Roles get its use in the stacks, service by service."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            alias=settings.prefix,
            description=f"Fillpath {settings.environment}: tables, queues, secrets, alarm topic",
            enable_key_rotation=True,
            removal_policy=settings.removal_policy,
        )
