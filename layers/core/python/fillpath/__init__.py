"""The pure core: alerts, orders, accounts and market rules. No AWS, no HTTP, no environment."""
