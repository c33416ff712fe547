"""What a user may choose: his accounts and a symbol come in, which of them can trade it or give its data goes out, and why not.

Answered from capabilities and records alone: no venue is asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Account, Credentials
from fillpath.market.instruments import Instrument, resolve
from fillpath_brokers import registry
from fillpath_brokers.canonical import many


@dataclass(frozen=True, slots=True)
class Choice:
    """One account and what it can do with the symbol; `why_not` is empty where it can trade it."""

    account_id: str
    label: str
    venue: str
    contract: str
    trades: bool
    data: bool
    why_not: str = ""


def choices(accounts: Iterable[Account], symbol: str, today: date) -> tuple[Choice, ...]:
    """One choice per account, in their order; Refused(invalid_alert) where the catalogue does not know the symbol."""
    return tuple(_choice(account, symbol, today) for account in accounts)


def _choice(account: Account, symbol: str, today: date) -> Choice:
    resolved = resolve(symbol, today, account.roll_days)
    known = registry.capabilities(account.venue)
    why_not = _why_not(account, known, resolved.instrument)
    in_reach = not known.credentials_required or account.credentials is Credentials.VERIFIED
    return Choice(
        account_id=account.account_id,
        label=account.label,
        venue=account.venue,
        contract=resolved.contract,
        trades=not why_not,
        data=in_reach and resolved.instrument.kind in known.with_data,
        why_not=why_not,
    )


def _why_not(account: Account, known: Capabilities, instrument: Instrument) -> str:
    if not known.can_trade:
        return f"{registry.name(account.venue)} gives data only"
    if instrument.kind not in known.asset_classes:
        return f"{registry.name(account.venue)} does not trade {many(instrument.kind)}"
    if account.kinds and instrument.kind not in account.kinds:
        return f"this account trades {' and '.join(map(many, account.kinds))} only"
    if known.credentials_required and account.credentials is not Credentials.VERIFIED:
        return f"it must be signed in: ./fillpath account sign-in {account.typed}"
    if account.symbols and instrument.root not in account.symbols:
        return f"its entries may trade {', '.join(account.symbols)} only"
    return ""
