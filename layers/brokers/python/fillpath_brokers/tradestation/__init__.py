"""TradeStation: futures and US shares over its WebAPI v3, with its order and market data streams."""
