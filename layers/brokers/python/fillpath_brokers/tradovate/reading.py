"""Reading: what Tradovate's entities say, put together. In: ids; out: views, contracts, and the orders that a reference means.

An order takes two reads (itself, its fills), a third where only its version tells its size, and more once it has ended: what its
fills cost, or why it was rejected. Contracts are looked up once and remembered.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import LegView, Rejected
from fillpath_brokers.canonical import root_of
from fillpath_brokers.documents import number, readable
from fillpath_brokers.tradovate.calls import Calls
from fillpath_brokers.tradovate.refusals import why_rejected
from fillpath_brokers.tradovate.sign_in import ACCOUNT, ACCOUNT_NAME, chosen
from fillpath_brokers.tradovate.symbols import shown
from fillpath_brokers.tradovate.wire import VenueAccount, fees_in, filled_quantity, is_done, is_live, newest, view_of
from fillpath_brokers.window import Apart

Document = dict[str, Any]


class Reading:
    """The entities of one account."""

    def __init__(self, calls: Calls, account: str | None) -> None:
        self._calls = calls
        self._wanted = account
        self._account: VenueAccount | None = None
        self._names: dict[int, str] = {}
        self._contracts: dict[str, Document] = {}

    @property
    def apart(self) -> Apart | None:
        """How far Tradovate's clock is from ours, by its last answer; None where that did not tell."""
        return self._calls.venue_clock.apart

    # --- the account and its contracts ------------------------------------------------------------------------------------------

    def account(self) -> VenueAccount:
        """The account as orders name it: signing in has found it, unless another one is wanted by now."""
        if self._account is None:
            self._account = self._from_token() or self._from_list()
        return self._account

    def accounts(self) -> list[Document]:
        """Every account that the login reaches."""
        return self._calls.listed("account/list")

    def contract(self, name: str) -> Document | None:
        """The contract of Tradovate's name; None if there is none."""
        if name not in self._contracts:
            found = self._calls.get("contract/find", name=name, urgent=True)
            if not isinstance(found, Mapping) or "id" not in found:
                return None
            self._contracts[name] = dict(found)
            self._names[int(found["id"])] = str(found["name"])
        return self._contracts[name]

    def names(self, contract_ids: Collection[int]) -> dict[int, str]:
        """Our spelling of contracts by their ids; BrokerUnavailable for one that Tradovate does not name."""
        missing = sorted(set(contract_ids) - self._names.keys())
        with readable("Tradovate's contracts"):
            for contract in self._calls.of_many("contract/items", "ids", missing, urgent=True):
                self._names[int(contract["id"])] = str(contract["name"])
        if nameless := set(contract_ids) - self._names.keys():
            raise BrokerUnavailable(f"Tradovate does not name the contract {min(nameless)}")
        return {each: shown(self._names[each]) for each in contract_ids}

    def front(self, root: str) -> str:
        """Tradovate's name of the one contract of a root whose maturity is marked as the front."""
        suggested = self._calls.listed("contract/suggest", t=root, l=20)
        with readable("Tradovate's contracts"):
            named = [each for each in suggested if root_of(each["name"]) == root]
            contracts = {int(each["contractMaturityId"]): str(each["name"]) for each in named}
            maturities = self._calls.of_many("contractMaturity/items", "ids", sorted(contracts))
            fronts = [contracts[int(each["id"])] for each in maturities if each.get("isFront")]
        if len(fronts) != 1:
            raise BrokerUnavailable(f"Tradovate names {len(fronts)} contracts of {root} as the front month")
        return fronts[0]

    # --- orders -----------------------------------------------------------------------------------------------------------------

    def order_list(self) -> list[Document]:
        """Every order of the account that Tradovate still lists."""
        return self._calls.listed("order/deps", masterid=self.account().number, urgent=True)

    def orders(self, ids: Sequence[int]) -> dict[int, Document]:
        """The orders with these ids, as far as there are any."""
        with readable("Tradovate's orders"):
            listed = self._calls.of_many("order/items", "ids", ids, urgent=True) if len(ids) > 1 else ()
            found = {int(order["id"]): order for order in listed}
            if not found:  # an empty list is no evidence that there is none
                one = self._calls.one("order/item", id=ids[0], urgent=True)
                found = self._listed(ids) if one is None else {int(one["id"]): one}
        if not found.keys() <= set(ids):
            raise BrokerUnavailable("Tradovate shows another order than the one that was asked for")
        return found

    def versions(self, ids: Sequence[int]) -> dict[int, Document]:
        """The newest version of each order."""
        grouped = self._grouped("orderVersion", ids)
        return {order_id: dict(found) for order_id, each in grouped.items() if (found := newest(each))}

    def fills(self, ids: Sequence[int]) -> dict[int, list[Document]]:
        """The fills of each order."""
        return self._grouped("fill", ids)

    def commands(self) -> list[Document]:
        """Every command of the user that Tradovate still lists: they carry client order ids."""
        return self._calls.listed("command/list", urgent=True)

    def views(self, ids: Sequence[int], sizes: Mapping[int, Decimal] | None = None, *, exact: bool = False) -> dict[int, LegView]:
        """The orders as they are, those that Tradovate shows. `sizes`: how large they were sent, where the caller knows it.

        `exact`: a further read tells how much of each may still fill, also of those without fills.
        """
        orders = self.orders(ids)
        if not orders:
            return {}
        fills = self.fills(list(orders))
        with readable("Tradovate's fills"):
            known = self._sizes(orders, fills, sizes or {}, exact=exact)
        return {each: self._view(order, fills[each], known[each]) for each, order in orders.items()}

    def size(self, order_id: int) -> Decimal:
        """The whole quantity of an order."""
        return _size(self.versions([order_id]).get(order_id), order_id)

    def _view(self, order: Document, fills: list[Document], size: Decimal) -> LegView:
        view = view_of(order, fills, size)
        if not view.status.ended:
            return view
        commission = self._commission(fills) if view.filled_quantity else Decimal(0)
        why = self._why(int(order["id"])) if view.status is LegStatus.REJECTED else None
        return view_of(order, fills, size, commission=commission, why=why)

    def _sizes(
        self, orders: Mapping[int, Document], fills: Mapping[int, list[Document]], sent: Mapping[int, Decimal], *, exact: bool
    ) -> dict[int, Decimal]:
        """What was sent is the size, unless the fills say otherwise; one without fills is judged without a size, if it may be."""
        known: dict[int, Decimal] = {}
        for each, order in orders.items():
            filled = filled_quantity(fills[each])
            if not exact and not filled and not is_done(order):
                known[each] = Decimal(0)
            elif is_done(order) and filled and filled == sent.get(each):
                known[each] = filled
        versions = self.versions([each for each in orders if each not in known])
        return known | {each: _size(versions.get(each), each) for each in orders if each not in known}

    def _commission(self, fills: Sequence[Document]) -> Decimal:
        ids = [int(fill["id"]) for fill in fills]
        return fees_in(self._calls.of_many("fillFee/ldeps", "masterids", ids, urgent=True))

    def _why(self, order_id: int) -> Rejected | None:
        commands = [int(each["id"]) for each in self._calls.listed("command/deps", masterid=order_id, urgent=True)]
        reports: list[Document] = []
        for kind in ("commandReport", "executionReport"):
            reports += self._calls.of_many(f"{kind}/ldeps", "masterids", commands, urgent=True)
        return why_rejected(reports)

    def _grouped(self, kind: str, ids: Sequence[int]) -> dict[int, list[Document]]:
        found: dict[int, list[Document]] = defaultdict(list)
        for each in self._of_orders(kind, ids):
            found[int(each["orderId"])].append(each)
        return found

    def _of_orders(self, kind: str, ids: Sequence[int]) -> Iterable[Document]:
        if len(ids) == 1:
            return self._calls.listed(f"{kind}/deps", masterid=ids[0], urgent=True)
        return self._calls.of_many(f"{kind}/ldeps", "masterids", ids, urgent=True)

    def _listed(self, ids: Sequence[int]) -> dict[int, Document]:
        """A 404 may come from something before Tradovate; that its own list does not have them either proves that none is."""
        return {int(order["id"]): order for order in self.order_list() if int(order["id"]) in ids}

    def _from_token(self) -> VenueAccount | None:
        token = self._calls.access().token
        extra = token.extra if token else {}
        if ACCOUNT not in extra or self._wanted not in {None, extra[ACCOUNT_NAME]}:
            return None
        return VenueAccount(int(extra[ACCOUNT]), extra[ACCOUNT_NAME])

    def _from_list(self) -> VenueAccount:
        account = chosen(self.accounts(), self._wanted)
        return VenueAccount(int(account["id"]), str(account["name"]))


def live(orders: Iterable[Document]) -> list[Document]:
    """Those that may still do something, the oldest first; BrokerUnavailable if they cannot be read."""
    with readable("Tradovate's orders"):
        found = (order for order in orders if is_live(order))
        return sorted(found, key=lambda order: (str(order["timestamp"]), int(order["id"])))


def _size(version: Document | None, order_id: int) -> Decimal:
    if version is None:
        raise BrokerUnavailable(f"Tradovate does not say how large order {order_id} is")
    with readable("Tradovate's order version"):
        return number(version["orderQty"])
