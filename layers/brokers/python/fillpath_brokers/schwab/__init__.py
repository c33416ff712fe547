"""Charles Schwab: US shares and ETFs over its Trader API, with market data of shares and futures."""
