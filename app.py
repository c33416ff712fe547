"""The CDK app: synthesizes the environment named by `-c env=`. Needs neither credentials nor Docker."""

import sys

from aws_cdk import Annotations, App

from infra.assets import BuiltAssets, host_target, lambda_target
from infra.compose import compose
from infra.settings import SettingsError, read_settings


def main() -> None:
    """Synthesize."""
    app = App()
    try:
        settings = read_settings(app)
    except SettingsError as error:
        sys.exit(str(error))
    target = host_target() if settings.emulated else lambda_target()
    compose(app, settings, BuiltAssets(target))
    if target.interpreter is None:
        warning = (
            f"No Python {target.python} on this machine: the zips carry no bytecode, and cold starts take about twice as long"
        )
        Annotations.of(app).add_warning_v2("fillpath:no-bytecode", warning)
    app.synth()


if __name__ == "__main__":
    main()
