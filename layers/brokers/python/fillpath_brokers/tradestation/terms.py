"""Terms: what every order of an account in one contract has in common. A contract of ours comes in, its terms go out."""

from fillpath.clock import Clock
from fillpath_brokers.canonical import instrument_behind
from fillpath_brokers.tradestation.holdings import Holdings
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.symbols import to_venue
from fillpath_brokers.tradestation.wire import Terms


class TermsOf:
    """Of one account."""

    def __init__(self, holdings: Holdings, settings: Settings, clock: Clock) -> None:
        self._holdings = holdings
        self._settings = settings
        self._clock = clock

    def __call__(self, contract: str) -> Terms:
        """Unsupported for what is not traded there, or if it is not clear which account; BrokerUnavailable."""
        symbol = to_venue(contract, self._clock.now().date())
        return Terms(
            account=self._holdings.own_id(),
            symbol=symbol,
            kind=instrument_behind(contract).kind,
            route=self._settings.route,
            extended_hours=self._settings.extended_hours,
            confirm_ids=self._settings.order_confirm_id,
        )
