"""The stacks of one environment, put into an app and checked by cdk-nag's AwsSolutions rules."""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra.assets import Assets
from infra.settings import Settings
from infra.stacks.edge import EdgeStack
from infra.stacks.ops import OpsStack
from infra.stacks.orders import OrdersStack
from infra.stacks.state import StateStack


def compose(app: App, settings: Settings, assets: Assets) -> None:
    """Put the environment's stacks into the app."""
    state = StateStack(app, settings=settings)
    orders = OrdersStack(app, settings=settings, state=state, assets=assets)
    edge = EdgeStack(app, settings=settings, orders=orders)
    OpsStack(app, settings=settings, state=state, orders=orders, edge=edge)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
