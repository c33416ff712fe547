import pytest

from tests.brokers.paper.exchange import PaperExchange


@pytest.fixture
def exchange() -> PaperExchange:
    return PaperExchange()
