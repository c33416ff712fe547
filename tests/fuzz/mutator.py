"""Bytes that no test thought of: known messages, bent at random by a seed, as bytes or as JSON."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.alerts import messages

_TOKENS = [
    b"{", b"}", b"[", b"]", b'"', b":", b",", b";", b"=", b"\\", b"\\u0000", b"\\ud800", b"\x00", b"\xff", b"\xc3", b"NaN", b"-0",
    b"1e999", b"null", b"true", b"{{close}}", b"\n", b"key=", b"command=PLACE;", b"|", b"//", b"9" * 50,
]  # fmt: skip
_VALUES: list[Any] = [
    None, True, False, 0, -0.0, -1, 1, 1e308, 10**400, "", " ", "0", "-0", "NaN", "inf", "1e400", "1e-400", "\ud800", "\x00",
    "=1+1",
    "flat", "long", "buy", "BUY", "limit", "market", "{{close}}", "2026-03-02T14:30:00Z", "0001-01-01T00:00:00+14:00",
    [], {}, [[]], {"a": {}},
]  # fmt: skip


def inputs(count: int, seed: int) -> Iterator[bytes]:
    """So many bodies; the same seed gives the same ones."""
    random = Random(seed)
    corpus = [messages.body(name) for name in messages.names()] + messages.canonical()
    objects = [parsed for body in corpus if isinstance(parsed := _parsed(body), dict)]
    values = [*_VALUES, *(value for each in objects for value in each.values())]
    for _ in range(count):
        if random.random() < 0.5:
            yield _as_bytes(random.choice(corpus), corpus, random)
        else:
            yield _as_json(random.choice(objects), objects, values, random)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _as_bytes(body: bytes, corpus: list[bytes], random: Random) -> bytes:
    for _ in range(random.randint(1, 4)):
        start = random.randint(0, len(body))
        end = min(len(body), start + random.choice((0, 0, 1, 1, 4, 40)))
        match random.randrange(4):
            case 0:
                between = random.choice(_TOKENS)
            case 1:
                between = random.randbytes(random.randint(1, 4))
            case 2:
                between = body[start:end] * random.choice((0, 2, 3))
            case _:
                other = random.choice(corpus)
                between = other[random.randint(0, len(other)) :]
        body = body[:start] + between + body[end:]
    return body


def _as_json(fields: dict[str, Any], objects: list[dict[str, Any]], values: list[Any], random: Random) -> bytes:
    bent = dict(fields)
    for _ in range(random.choice((1, 1, 2, 4))):
        field = random.choice([*bent, "zzz"])
        match random.randrange(5):
            case 0:
                bent.pop(field, None)
            case 1:
                bent[field] = random.choice(values)
            case 2:
                bent |= random.choice(objects)
            case 3 if isinstance(bent.get(field), dict) and bent[field]:
                inner = random.choice(list(bent[field]))
                bent[field] = bent[field] | {inner: random.choice(values)}
            case _:
                bent[random.choice(list(random.choice(objects)))] = random.choice(values)
    return json.dumps(bent, ensure_ascii=random.random() < 0.8).encode("utf-8", "surrogatepass")
