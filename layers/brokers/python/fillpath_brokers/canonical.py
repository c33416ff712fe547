"""What every venue does alike with our symbols: understand one, and say whether the venue trades it."""

from collections.abc import Callable
from datetime import date

from fillpath.accounts.capabilities import Capabilities
from fillpath.clock import Clock
from fillpath.errors import Refused, Unsupported
from fillpath.market.instruments import Instrument, Resolved, instrument_of, resolve


class Understanding:
    """The part of a broker that understands symbols, where the venue trades all of the catalogue that is of its asset classes."""

    name: str
    capabilities: Capabilities

    def __init__(self, capabilities: Capabilities, clock: Clock, roll_days: int) -> None:
        self.capabilities = capabilities
        self._clock = clock
        self._roll_days = roll_days

    def supports(self, symbol: str) -> bool:
        """Whether the symbol, in any spelling, can be traded here."""
        try:
            self.contract(symbol)
        except Unsupported:
            return False
        return True

    def contract(self, symbol: str) -> Resolved:
        """The instrument and contract that a symbol means today; Unsupported if it cannot be traded here."""
        return understood(symbol, self._clock.now().date(), self.capabilities, self.name, self._roll_days)


def understood(symbol: str, today: date, capabilities: Capabilities, venue: str, roll_days: int = 8) -> Resolved:
    """The instrument and contract that a symbol means today; Unsupported if the catalogue or the venue does not have it."""
    try:
        resolved = resolve(symbol, today, roll_days)
    except Refused as exc:
        raise Unsupported(exc.message) from exc
    require_traded(resolved.instrument, capabilities, venue)
    return resolved


def require_traded(instrument: Instrument, capabilities: Capabilities, venue: str) -> None:
    """Unsupported unless the venue trades this kind of instrument."""
    if instrument.kind not in capabilities.asset_classes:
        kinds = ", ".join(map(many, sorted(capabilities.asset_classes)))
        raise Unsupported(f"{venue} cannot trade {instrument.root}; it trades {kinds}, no {many(instrument.kind)}")


def many(kind: str) -> str:
    """What a kind of the catalogue is called where several are meant."""
    return {"equity": "shares", "future": "futures"}.get(kind, kind)


def instrument_behind(contract: str) -> Instrument:
    """The instrument of a root or contract of ours; Unsupported if the catalogue does not know it."""
    instrument = instrument_of(contract)
    if instrument is None:
        raise Unsupported(f"{contract} is not in the catalogue")
    return instrument


def as_spelled(to_canonical: Callable[[str], str], symbol: str) -> str:
    """Our spelling of a venue's symbol; the venue's own where the catalogue does not know it: somebody's own trade."""
    try:
        return to_canonical(symbol)
    except Unsupported:
        return symbol


def root_of(contract: str) -> str:
    """The root of a contract; what the catalogue does not know (somebody's own trade) is its own root."""
    instrument = instrument_of(contract)
    return instrument.root if instrument else contract
