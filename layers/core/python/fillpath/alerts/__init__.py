"""From the bytes that TradingView posts to accepted orders, or a refusal with its reason."""
