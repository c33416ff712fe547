"""The messages to paste into TradingView: they carry all that decides, filled in by TradingView at each alert."""

import json


def strategy_message(secret: str | None) -> str:
    """For a strategy's alerts, as JSON text with TradingView's placeholders; no secret where the URL carries it."""
    return _text(
        {
            "action": "{{strategy.order.action}}",
            "symbol": "{{ticker}}",
            "exchange": "{{exchange}}",
            "quantity": "{{strategy.order.contracts}}",
            "market_position": "{{strategy.market_position}}",
            "market_position_size": "{{strategy.market_position_size}}",
            "prev_market_position": "{{strategy.prev_market_position}}",
            "prev_market_position_size": "{{strategy.prev_market_position_size}}",
            "id": "{{strategy.order.id}}",
            "timestamp": "{{timenow}}",
        },
        secret,
    )


def indicator_message(secret: str | None) -> str:
    """For an indicator's alerts, which know no side and no size: one alert for each action, here a buy of one."""
    return _text(
        {"action": "buy", "symbol": "{{ticker}}", "exchange": "{{exchange}}", "quantity": "1", "timestamp": "{{timenow}}"}, secret
    )


def _text(fields: dict[str, str], secret: str | None) -> str:
    return json.dumps(fields if secret is None else fields | {"secret": secret}, indent=2)
