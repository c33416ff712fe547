"""Logs of libraries that carry requests: they tell addresses, headers and frames, which hold tokens. None of that is wanted.

httpx writes each address with its query at level INFO; below it, httpcore and hpack write headers at level DEBUG, as websockets
does frames. Whatever level is set for the whole process, these say nothing below WARNING.
"""

import logging

_LIBRARIES = ("httpx", "httpcore", "hpack", "websockets")


def hush() -> None:
    """Let no library tell what it sends."""
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
