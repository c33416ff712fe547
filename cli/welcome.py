"""What `./fillpath up` tells a person: what to paste where, each piece on lines of its own so that it can be copied."""

import json
from collections.abc import Mapping
from typing import Any

from cli import terminal
from fillpath.alerts.message import strategy_message

# The shell puts the time in when the line runs: an alert is refused when it is older than half a minute.
NOW = "'$(date -u +%Y-%m-%dT%H:%M:%SZ)'"
NEXT = (
    ("./fillpath orders", "what became of it"),
    ("./fillpath orders ID", "each step with its time"),
    ("./fillpath positions", "what is held"),
    ("./fillpath alert sell ES1! 1", "closes what is held, then opens"),
    ("./fillpath account scenario paper never_fill", "and sell or buy again: aborted"),
    ("./fillpath down", "stops it, and keeps everything"),
)


def welcome(description: Mapping[str, Any]) -> None:
    """Shows the stack that stack.json describes."""
    url, secret, aws = description["webhook_url"], description["webhook_secret"], description["aws"]
    terminal.out.print(f"\n[bold green]Fillpath is running.[/] [dim]AWS at {aws['endpoint_url']}, keys test / test[/]")
    section("Webhook URL", url)
    section("Secret", secret)
    section("Send an alert: paste this into a shell", curl(url, secret))
    section("Message for an alert of a TradingView strategy", strategy_message(secret))
    terminal.out.print(
        "[dim]TradingView reaches only what is on the internet: ./fillpath deploy dev, or a tunnel to the port.[/]"
    )
    section("Then", "")
    commands = [(terminal.pasteable(command), what) for command, what in NEXT]
    width = max(len(command) for command, _ in commands)
    for command, what in commands:
        terminal.out.print(f"{command:<{width}}  [dim]{what}[/]", soft_wrap=True)


def curl(url: str, secret: str) -> str:
    """One shell line that buys one contract now, and shows the answer and its status."""
    alert = {"action": "buy", "symbol": "ES1!", "quantity": "1", "timestamp": NOW, "secret": secret}
    return f"curl -sS -w '\\n%{{http_code}}\\n' '{url}' -d '{json.dumps(alert)}'"


def section(title: str, text: str) -> None:
    """A heading, and below it text as it is: nothing before it, nothing wrapped."""
    terminal.out.print(f"\n[bold cyan]{title}[/]")
    if text:
        terminal.out.print(text, markup=False, soft_wrap=True)
