"""The message to paste into TradingView: it carries all that decides, filled in by TradingView at each alert."""

import json


def strategy_message(secret: str) -> str:
    """For a strategy's alerts, as JSON text with TradingView's placeholders."""
    return json.dumps(
        {
            "action": "{{strategy.order.action}}",
            "symbol": "{{ticker}}",
            "quantity": "{{strategy.order.contracts}}",
            "market_position": "{{strategy.market_position}}",
            "market_position_size": "{{strategy.market_position_size}}",
            "prev_market_position": "{{strategy.prev_market_position}}",
            "prev_market_position_size": "{{strategy.prev_market_position_size}}",
            "id": "{{strategy.order.id}}",
            "timestamp": "{{timenow}}",
            "secret": secret,
        },
        indent=2,
    )
