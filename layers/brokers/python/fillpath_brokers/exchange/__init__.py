"""The simulated exchange that venues may stand on: orders, the book of one account, and what prices do to them."""
