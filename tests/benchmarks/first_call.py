"""A fresh process that imports a handler, answers one event from standard input, and prints how many milliseconds that took.

The clock starts before the first import of the handler; the interpreter's own start is not counted.
"""

import time

_BEGUN = time.perf_counter()

import importlib  # noqa: E402  the clock comes first
import json  # noqa: E402  the same
import sys  # noqa: E402  the same
from types import SimpleNamespace  # noqa: E402  the same

_READ = time.perf_counter()
_EVENT = json.loads(sys.stdin.read())
_WAITED = time.perf_counter() - _READ

handler = importlib.import_module(sys.argv[1]).handler
answer = handler(
    _EVENT,
    SimpleNamespace(
        function_name="webhook",
        memory_limit_in_mb=1024,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:webhook",
        aws_request_id="1",
        get_remaining_time_in_millis=lambda: 28_000,
    ),
)
print(json.dumps({"ms": (time.perf_counter() - _BEGUN - _WAITED) * 1000, "status": answer["statusCode"]}))
