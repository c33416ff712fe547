"""Venues on this machine, that speak their own wire: each a package here, all on one exchange and one server."""
