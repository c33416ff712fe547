"""`python -m tests.benchmarks NAME [--json] [--stack FILE] [-n N]`: run one benchmark and print its figures."""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks import alert_to_fill, broker_order, stream_decode, webhook_cold, webhook_warm


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./fillpath bench")
    parser.add_argument("name", choices=["webhook-cold", "webhook-warm", "stream-decode", "broker-order", "alert-to-fill"])
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--stack", type=Path, help="stack.json of the running local stack, for alert-to-fill")
    parser.add_argument("-n", type=int, help="how many times")
    arguments = parser.parse_args()
    measured = _run(arguments)
    if arguments.as_json:
        print(json.dumps(measured, indent=2))
    else:
        _show(measured)


def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    times = {} if arguments.n is None else {"n": arguments.n}
    match arguments.name:
        case "webhook-cold":
            return webhook_cold.run(**times)
        case "webhook-warm":
            return webhook_warm.run(**times)
        case "stream-decode":
            return stream_decode.run(**times)
        case "broker-order":
            return broker_order.run(**times)
    return alert_to_fill.run(arguments.stack, **times)


def _show(measured: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None)
    for name, value in measured.items():
        table.add_row(f"[bold]{name.replace('_', ' ')}", ", ".join(value) if isinstance(value, list) else str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
