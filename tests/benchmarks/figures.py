"""From measured times to one object: median and tail in milliseconds, with date, machine and command."""

import os
import platform
import statistics
import time
from collections.abc import Sequence
from typing import Any


def figures(bench: str, times_ms: Sequence[float], **more: Any) -> dict[str, Any]:
    """What a benchmark prints; `n` times give median and 99th percentile (of few values: the largest)."""
    return {
        "bench": bench,
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "command": f"./fillpath bench {bench}",
        "n": len(times_ms),
        "median_ms": round(statistics.median(times_ms), 2),
        "p99_ms": round(percentile(times_ms, 99), 2),
        **more,
    }


def percentile(values: Sequence[float], rank: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(rank / 100 * len(ordered) + 0.5) - 1))]
