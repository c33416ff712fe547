"""A Python Lambda: `functions/<name>` becomes a function with its own role, log group, environment and the common layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.assets import Assets, LayerName
from infra.capabilities.acknowledged import acknowledge
from infra.capabilities.log_groups import LogGroup
from infra.settings import METRICS_NAMESPACE, Settings

RUNTIME = lambda_.Runtime.PYTHON_3_13
LAYERS: tuple[LayerName, ...] = ("vendor", "core", "aws", "brokers")
EXTRA_LAYERS: tuple[LayerName, ...] = ("calendars",)


class Layers(Construct):
    """The layers: wheels and own packages that every function has, and what only some have. Lambda takes five of a function."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, assets: Assets) -> None:
        super().__init__(scope, construct_id)
        self._versions = {
            name: lambda_.LayerVersion(
                self,
                name.title(),
                layer_version_name=f"{settings.prefix}-{name}",
                code=assets.layer(name),
                compatible_runtimes=[RUNTIME],
                compatible_architectures=[lambda_.Architecture.ARM_64],
            )
            for name in (*LAYERS, *EXTRA_LAYERS)
        }

    def of(self, extra: Sequence[LayerName]) -> list[lambda_.LayerVersion]:
        """The common ones and `extra`."""
        return [self._versions[name] for name in (*LAYERS, *extra)]


@dataclass(frozen=True)
class FunctionSpec:
    """What distinguishes one function: `name` is its folder and service name, `environment` comes on top of the common one."""

    name: str
    environment: Mapping[str, str]
    timeout_s: int
    memory_mb: int = 512
    reserved_concurrency: int | None = None
    extra_layers: tuple[LayerName, ...] = ()
    # Lambda takes a function that wakes itself for a runaway and stops it after 16 rounds.
    wakes_itself: bool = False


class PythonFunction(Construct):
    """One function. Its role can do nothing until the stack says so, except send traces."""

    def __init__(
        self, scope: Construct, construct_id: str, *, spec: FunctionSpec, settings: Settings, assets: Assets, layers: Layers
    ) -> None:
        super().__init__(scope, construct_id)
        full_name = f"{settings.prefix}-{spec.name.replace('_', '-')}"
        self.service = spec.name
        self.log_group = LogGroup(self, "Logs", settings=settings, name=f"/aws/lambda/{full_name}").group
        self.role = iam.Role(self, "Role", role_name=full_name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=full_name,
            code=assets.function(spec.name),
            handler=f"functions.{spec.name}.handler.handler",
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            layers=layers.of(spec.extra_layers),
            role=self.role,
            timeout=Duration.seconds(spec.timeout_s),
            memory_size=spec.memory_mb,
            reserved_concurrent_executions=spec.reserved_concurrency,
            recursive_loop=lambda_.RecursiveLoop.ALLOW if spec.wakes_itself else None,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=self.log_group,
            environment={
                "FILLPATH_ENV": settings.environment,
                "LOG_LEVEL": settings.log_level,
                "POWERTOOLS_SERVICE_NAME": spec.name,
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                **spec.environment,
            },
        )
        acknowledge(self.function, "AwsSolutions-L1", "The code is tested on Python 3.11 to 3.13")
        acknowledge(self.role, "AwsSolutions-IAM5[Resource::*]", "X-Ray's two write actions have no resources to name")
