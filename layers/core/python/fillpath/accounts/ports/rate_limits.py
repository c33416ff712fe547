"""RateLimits: token buckets, one per credential, shared by all processes that use it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Quota:
    """What one credential may do: `per_minute` on average, `burst` at once, of which `reserve` is for exits and cancels only."""

    per_minute: float
    burst: int
    reserve: int = 0


class RateLimits(Protocol):
    """Raises StorageUnavailable."""

    def take(self, key: str, quota: Quota, *, urgent: bool = False) -> float:
        """Take one request out of the bucket: 0.0, or the seconds until there may be one; then nothing was taken."""
        ...

    def pause(self, key: str, seconds: float, why: str) -> None:
        """The venue asked for silence: nobody gets anything for so long. `why` is for people, and holds no secret."""
        ...

    def silence(self, key: str) -> str:
        """Why the last `take` of this process got nothing, where that was a pause; nothing where the quota was used up."""
        ...
