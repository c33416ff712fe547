"""The master key, from which webhook tokens and secrets are derived. Broker secrets are put beside it later, by name."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.capabilities.acknowledged import acknowledge
from infra.settings import Settings


class MasterKey(Construct):
    """A generated secret that never leaves Secrets Manager but through the webhook's role."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.name = f"{settings.secret_prefix}/master-key"
        secret = secretsmanager.Secret(
            self,
            "Secret",
            secret_name=self.name,
            description="Webhook tokens and secrets are derived from it",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            removal_policy=settings.removal_policy,
        )
        acknowledge(
            secret, "AwsSolutions-SMG4", "A new master key would void every webhook; webhooks rotate one by one, by generation"
        )
