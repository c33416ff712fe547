"""Reasons: what a venue says about a refusal comes in, our reason code goes out, by a table of patterns that each venue has.

Venues tell the same in many wordings, of which few are documented, so that texts are matched loosely. What matches nothing is
`rejected`.
"""

import re

REJECTED, NOT_WORKING = "rejected", "not_working"
"""What a refusal is called that says nothing we know, and that of a change to an order that has ended."""


class Reasons:
    """Pairs of a regular expression and our code; the first that is found in the text counts. Case does not."""

    def __init__(self, *table: tuple[str, str]) -> None:
        self._table = tuple((re.compile(pattern, re.IGNORECASE), reason) for pattern, reason in table)

    def of(self, text: str) -> str:
        """Our reason code for a text."""
        return next((reason for pattern, reason in self._table if pattern.search(text)), REJECTED)
