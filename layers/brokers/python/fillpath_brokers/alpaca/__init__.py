"""Alpaca: US shares and ETFs over its trading API v2, with its order and market data streams."""
