"""What every stack of an environment has in common: its name, its account, its tags and its outputs."""

from collections.abc import Mapping

from aws_cdk import CfnOutput, CliCredentialsStackSynthesizer, Environment, Stack, Tags
from constructs import Construct

from infra.settings import Settings


class EnvironmentStack(Stack):
    """A stack `Fillpath-<environment>-<part>`; `protect` refuses its deletion where the environment is protected."""

    def __init__(self, scope: Construct, part: str, *, settings: Settings, protect: bool = False) -> None:
        super().__init__(
            scope,
            f"Fillpath-{settings.environment}-{part}",
            env=Environment(account=settings.account, region=settings.region),
            termination_protection=protect and settings.protected,
            # The emulator enforces IAM but knows none of the bootstrap roles' sessions.
            synthesizer=CliCredentialsStackSynthesizer() if settings.emulated else None,
        )
        self.settings = settings
        Tags.of(self).add("application", "fillpath")
        Tags.of(self).add("environment", settings.environment)

    def publish(self, outputs: Mapping[str, str]) -> None:
        """Outputs, read by the command line."""
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
