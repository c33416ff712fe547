"""Tradovate (NinjaTrader's own backend): futures over its REST API, its user socket and its market data socket."""
