"""What tests of tokens begin with."""

import pytest

from tests.brokers.signing import Signing


@pytest.fixture
def signing() -> Signing:
    """An account that signed in just now."""
    signing = Signing()
    signing.enter()
    return signing
