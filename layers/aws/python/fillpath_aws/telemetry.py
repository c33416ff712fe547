"""Figures and alarms as CloudWatch metrics: one line of embedded metric format each, printed at once: a crash loses none."""

from fillpath.orders.model import Order

NAMESPACE = "Fillpath"


class EmfTelemetry:
    """Telemetry whose metrics stand in one namespace under the dimensions `environment` and `service`.

    The service is the function, which powertools reads from POWERTOOLS_SERVICE_NAME; the order id is in the line only. A name
    that ends in `_ms` is in milliseconds, one that ends in `Seconds` in seconds, any other has no unit.
    """

    def __init__(self, environment: str) -> None:
        self._environment = environment

    def count(self, name: str, order: Order | None = None) -> None:
        """Count one event."""
        self._print(name, 1, "Count", order)

    def measure(self, name: str, value: float) -> None:
        """Report a figure."""
        self._print(name, value, _unit(name), None)

    def _print(self, name: str, value: float, unit: str, order: Order | None) -> None:
        # Imported on first use: a webhook that has nothing to report starts without it.
        from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415  see above

        dimensions = {"environment": self._environment}
        with single_metric(name, MetricUnit(unit), value, namespace=NAMESPACE, default_dimensions=dimensions) as metric:
            if order is not None:
                metric.add_metadata("order_id", order.order_id)


def _unit(name: str) -> str:
    if name.endswith("_ms"):
        return "Milliseconds"
    return "Seconds" if name.endswith("Seconds") else "None"
