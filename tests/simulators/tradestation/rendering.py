"""The exchange's orders, positions and balances in TradeStation's shapes. Every number is text."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath_brokers.exchange.book import Holding
from fillpath_brokers.facade import Balances
from tests.simulators.events import SimOrder
from tests.simulators.tradestation.house import EXCHANGE_ACCOUNTS, TYPES, House
from tests.simulators.tradestation.names import behind, theirs

_TYPES = {
    OrderType.MARKET: "Market",
    OrderType.LIMIT: "Limit",
    OrderType.STOP: "StopMarket",
    OrderType.STOP_LIMIT: "StopLimit",
    OrderType.TRAILING_STOP: "StopMarket",
}
_TEXTS = {
    "ACK": "Received",
    "DON": "Queued",
    "OSO": "OSO Order",
    "STP": "Stop Hit",
    "FPR": "Partial Fill (Alive)",
    "FLL": "Filled",
    "FLP": "Partial Fill (UROut)",
    "OUT": "UROut",
    "EXP": "Expired",
    "REJ": "Rejected",
}
_ASSETS = {"future": "FUTURE", "equity": "STOCK"}
_ACTIONS = {"BUY": "Buy", "SELL": "Sell", "SELLSHORT": "SellShort", "BUYTOCOVER": "BuyToCover"}
_DURATIONS = {"DYP": "Day+", "GCP": "GTC+"}


def stamp(at: datetime) -> str:
    """A time as TradeStation writes it: whole seconds."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def text(value: Decimal | None) -> str:
    """A number as TradeStation writes it."""
    return "0" if value is None else f"{value.normalize():f}"


def status_of(order: SimOrder) -> str:
    """TradeStation's code for what an order is."""
    match order.status:
        case LegStatus.FILLED:
            # An exit ends as filled once the other of its pair has taken the rest.
            return "FLL" if order.state.filled_quantity >= order.state.quantity else "FLP"
        case LegStatus.PARTIALLY_FILLED:
            return "FPR"
        case LegStatus.CANCELLED:
            return "FLP" if order.state.filled_quantity else "OUT"
        case LegStatus.EXPIRED:
            return "EXP"
        case LegStatus.REJECTED:
            return "REJ"
    if order.held:
        return "OSO"
    return "STP" if order.state.triggered else "ACK"


def order_json(house: House, order: SimOrder, *, status: str | None = None, closed: bool = True) -> dict[str, Any]:
    """One order as it is listed; streams may show it by another status, or before it has its closing time."""
    state, code = order.state, status or status_of(order)
    document: dict[str, Any] = {
        "AccountID": next(name for name, kept in EXCHANGE_ACCOUNTS.items() if kept == order.account),
        "CommissionFee": text(state.commission),
        "Currency": "USD",
        "Duration": _duration(order),
        "FilledPrice": text(order.average_price),
        "Legs": [_leg(house, order)],
        "OrderID": house.number(order.id),
        "OpenedDateTime": stamp(order.created_at),
        "OrderType": _TYPES[state.type],
        "PriceUsedForBuyingPower": text(state.limit_price or state.stop_price or house.exchange.price(state.contract)),
        "Routing": order.details.get("route", "Intelligent"),
        "Status": code,
        "StatusDescription": _TEXTS[code],
        "ConversionRate": "1",
        "UnbundledRouteFee": "0",
    }
    if closed and (order.status.ended or code == "STP"):
        document["ClosedDateTime"] = stamp(order.updated_at)
    if state.limit_price is not None:
        document["LimitPrice"] = text(state.limit_price)
    if state.stop_price is not None:
        document["StopPrice"] = text(state.stop_price)
    if order.status is LegStatus.REJECTED and state.reason:
        document["RejectReason"] = state.reason
    if document["Duration"].startswith("GTC"):
        document["GoodTillDate"] = "2027-01-01T00:00:00Z"
    return document | _trail(order) | _links(house, order)


def position_json(house: House, account: str, contract: str, held: Holding) -> dict[str, Any]:
    """One position."""
    instrument, price = behind(contract), house.exchange.price(contract)
    cost, value = held.average_price * held.quantity, price * held.quantity
    result = (value - cost) * instrument.multiplier
    return {
        "AccountID": account,
        "AssetType": _ASSETS[instrument.kind],
        "AveragePrice": text(held.average_price),
        "Bid": text(price - instrument.tick_size),
        "Ask": text(price + instrument.tick_size),
        "ConversionRate": "1",
        "DayTradeRequirement": "0",
        "InitialRequirement": text(instrument.margin * abs(held.quantity)),
        "MaintenanceMargin": "0",
        "Last": text(price),
        "LongShort": "Long" if held.quantity > 0 else "Short",
        "MarketValue": text(value * instrument.multiplier),
        "PositionID": str(64_000_000 + sum(contract.encode())),
        "Quantity": text(held.quantity),
        "Symbol": theirs(contract, house.exchange.now().date()),
        "Timestamp": stamp(house.exchange.now()),
        "TotalCost": text(cost * instrument.multiplier),
        "TodaysProfitLoss": text(result),
        "MarkToMarketPrice": text(held.average_price),
        "UnrealizedProfitLoss": text(result),
        "UnrealizedProfitLossPercent": text(round(result / abs(cost * instrument.multiplier) * 100, 3)),
        "UnrealizedProfitLossQty": text(round(result / abs(held.quantity), 3)),
    }


def balance_json(account: str, balances: Balances) -> dict[str, Any]:
    """An account's balance; what of it there is depends on its type."""
    free = balances.equity - balances.margin_used
    detail = {"RealizedProfitLoss": text(balances.realised_pnl), "UnrealizedProfitLoss": text(balances.unrealised_pnl)}
    document: dict[str, Any] = {
        "AccountID": account,
        "AccountType": TYPES[account],
        "CashBalance": text(balances.cash),
        "BuyingPower": text(free if TYPES[account] == "Futures" else balances.equity * 2),
        "Equity": text(balances.equity),
        "MarketValue": text(balances.equity - balances.cash),
        "TodaysProfitLoss": text(balances.unrealised_pnl),
        "UnclearedDeposit": "0",
        "Commission": text(balances.commission),
    }
    if TYPES[account] == "Futures":
        detail |= {"InitialMargin": text(balances.margin_used), "MaintenanceMargin": text(balances.margin_used)}
        currency = {"Currency": balances.currency, "CashBalance": text(balances.cash), "AccountConversionRate": "1"}
        document["CurrencyDetails"] = [currency]
    else:
        detail |= {"RequiredMargin": text(balances.margin_used), "DayTrades": "0"}
    return document | {"BalanceDetail": detail}


def described(order: SimOrder, symbol: str) -> str:
    """What an order is, for people: `Buy 1 ESZ26 @ 5000.25 Limit`."""
    state = order.state
    price = state.limit_price or state.stop_price
    kind = {"StopMarket": "Stop Market", "StopLimit": "Stop Limit"}.get(_TYPES[state.type], _TYPES[state.type])
    at = f"{text(price)} {kind}" if price else kind
    return f"{'Buy' if state.side is Side.BUY else 'Sell'} {text(state.quantity)} {symbol} @ {at}"


def _leg(house: House, order: SimOrder) -> dict[str, str]:
    state, instrument = order.state, behind(order.state.contract)
    remaining = Decimal(0) if order.status.ended else state.remaining
    opens = not (state.parent or order.details.get("closes"))
    leg = {
        "AssetType": _ASSETS[instrument.kind],
        "BuyOrSell": _action(order),
        "ExecQuantity": text(state.filled_quantity),
        "OpenOrClose": "Open" if opens else "Close",
        "QuantityOrdered": text(state.quantity),
        "QuantityRemaining": text(remaining),
        "Symbol": theirs(state.contract, house.exchange.now().date()),
    }
    if state.filled_quantity:
        leg["ExecutionPrice"] = text(order.average_price)
    if instrument.months:
        leg["Underlying"] = instrument.root
    return leg


def _action(order: SimOrder) -> str:
    if order.state.parent is None:
        return _ACTIONS[order.details["action"]]
    if behind(order.state.contract).kind == "equity" and order.state.side is Side.BUY:
        return "BuyToCover"
    return "Buy" if order.state.side is Side.BUY else "Sell"


def _duration(order: SimOrder) -> str:
    name = order.details["exits_duration"] if order.state.parent else order.details["duration"]
    return _DURATIONS.get(name, name)


def _trail(order: SimOrder) -> dict[str, Any]:
    if order.state.type is not OrderType.TRAILING_STOP:
        return {}
    if order.state.trail_percent is not None:
        percent = text(order.state.trail_percent)
        return {"TrailingStop": {"Percent": percent}, "AdvancedOptions": f"STPTRG=STT;TRL={percent}%;"}
    amount = text(order.state.trail_amount)
    return {"TrailingStop": {"Amount": amount}, "AdvancedOptions": f"STPTRG=STT;TRL={amount};"}


def _links(house: House, order: SimOrder) -> dict[str, Any]:
    state, links = order.state, []
    first = house.exchange.order(state.exits) if state.exits else None
    if first:
        links = [("OSO", first.id), *([("OSO", first.state.other)] if first.state.other else [])]
    if state.parent:
        links.append(("OSP", state.parent))
    if state.other:
        links.append(("BRK", state.other))
    if not links or house.links_hidden:
        return {}
    shown: dict[str, Any] = {"ConditionalOrders": [{"Relationship": kind, "OrderID": house.number(each)} for kind, each in links]}
    if state.other:
        shown["GroupName"] = f"BRK {min(house.number(order.id), house.number(state.other))}"
    return shown
