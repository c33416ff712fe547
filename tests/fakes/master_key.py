"""A master key that is no secret."""


class FakeMasterKey:
    """MasterKey with a fixed value."""

    def __init__(self, key: bytes = b"a master key of the tests, 32 bytes or more") -> None:
        self._key = key

    def read(self) -> bytes:
        """The key."""
        return self._key
