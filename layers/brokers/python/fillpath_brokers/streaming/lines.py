"""Cuts a chunked byte stream into JSON values: bytes come in, cut anywhere; whole objects (bytes) and words (str) go out.

A value ends with its last brace; a line end always ends it, so that one truncated line costs no other. Words are what is not
JSON: `END`, `ERROR - ...`, and what is left of a truncated value.
"""

import re

import msgspec

from fillpath_brokers.streaming.protocol import Frame

_SHOWN = 300
_BLANK = b" \t\r"
# What decides where a value ends: a whole string (in which braces mean nothing), the start of an unfinished one, a bracket.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|"|[{}\[\]]', re.DOTALL)
_OPENING = (b"{", b"[")
_STEP = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
_one_value = msgspec.json.Decoder(msgspec.Raw).decode


class Lines:
    """For one connection."""

    longest = 2**24
    """Bytes of one value or word; what is longer is dropped to the end of its line, and its beginning handed out as a word."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._scanned = self._depth = 0
        self._dropping = False

    def feed(self, chunk: Frame) -> list[bytes | str]:
        """What is complete with this chunk, in order: values as bytes, words as str."""
        found: list[bytes | str] = []
        *lines, tail = (chunk.encode() if isinstance(chunk, str) else chunk).split(b"\n")
        for line in lines:
            if not self._rest and not self._dropping and len(line) <= self.longest and _is_one_value(line):
                found.append(line.strip(_BLANK))
            else:
                self._rest += line
                self._cut(found)
                self._end_line(found)
        self._rest += tail
        self._cut(found)
        return found

    def left(self) -> str:
        """What came after the last whole value, for when the stream has ended."""
        return self._rest.decode("utf-8", "replace").strip()

    def _cut(self, found: list[bytes | str]) -> None:
        """Move the whole values at the beginning of what is there."""
        if self._dropping:
            self._rest.clear()
        while end := self._end_of_value():
            if end > self.longest:
                break
            found.append(bytes(self._rest[:end]))
            self._forget(end)
        if len(self._rest) > self.longest:
            found.append(self._rest[:_SHOWN].decode("utf-8", "replace"))
            self._forget(len(self._rest))
            self._dropping = True

    def _end_of_value(self) -> int:
        """Where the value at the beginning ends; 0: not in what is there, or there is a word."""
        if not self._depth:
            del self._rest[: len(self._rest) - len(self._rest.lstrip(_BLANK))]
            if not self._rest.startswith(_OPENING):
                return 0
        for token in _TOKEN.finditer(self._rest, self._scanned):
            self._scanned = token.start()
            if token[0] == b'"':
                return 0
            self._scanned = token.end()
            self._depth += _STEP.get(token[0], 0)
            if not self._depth:
                return self._scanned
        return 0

    def _end_line(self, found: list[bytes | str]) -> None:
        if word := self.left():
            found.append(word)
        self._forget(len(self._rest))
        self._dropping = False

    def _forget(self, length: int) -> None:
        del self._rest[:length]
        self._scanned = self._depth = 0


def _is_one_value(line: bytes) -> bool:
    """The usual case, found without looking at each bracket."""
    if not line.lstrip(_BLANK).startswith(_OPENING):
        return False
    try:
        _one_value(line)
    except msgspec.DecodeError:
        return False
    return True
