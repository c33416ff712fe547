"""Tradovate's user socket without I/O: frames come in, order updates go out.

After the sign-in it asks once for everything that belongs to the user, and is told each change from then on. Nothing is repeated:
after a reconnect there is a new snapshot, and the orders must be read again. It connects again when a whole frame cannot be read,
too: there may have been a fill in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fillpath_brokers.facade import OrderUpdate
from fillpath_brokers.streaming.decoding import unread
from fillpath_brokers.streaming.protocol import Action, Heard, Ready, Reconnect
from fillpath_brokers.tradovate.entities import KINDS, Entities
from fillpath_brokers.tradovate.frames import Message, error_in
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.stream_protocol import Door, SocketProtocol

_SYNC_AGAIN_S = 5.0


class OrdersProtocol(SocketProtocol[OrderUpdate]):
    """One connection: authorize, synchronize, hear."""

    def __init__(self, token: str, user_id: int, account_id: int, settings: Settings, door: Door) -> None:
        super().__init__(token, settings, door)
        self._user_id = user_id
        self._account_id = account_id
        self._entities = Entities(account_id)
        self._sync: int | None = None
        self._contracts: dict[int, int] = {}

    def authorized(self) -> Sequence[Action[OrderUpdate]]:
        """Ask for the snapshot; events follow it."""
        wanted: dict[str, Any] = {"users": [self._user_id]}
        if self.settings.sync_by == "accounts":
            wanted = {"splitResponses": False, "accounts": [self._account_id], "entityTypes": list(KINDS)}
        self._sync, request = self.ask("user/syncrequest", wanted)
        return [request]

    def answered(self, number: int, message: Message) -> Sequence[Action[OrderUpdate]]:
        """The snapshot, or a contract that was asked for."""
        error = error_in(message)
        if number == self._sync:
            if error is not None or not isinstance(message.d, Mapping):
                return [Reconnect(f"Tradovate does not synchronize: {error}", _SYNC_AGAIN_S)]
            try:
                self._entities.load(message.d)
            except (TypeError, ValueError) as exc:
                unread.count("tradovate snapshot", exc)
                return [Reconnect("Tradovate's snapshot cannot be read", _SYNC_AGAIN_S)]
            return [Ready()]
        contract_id = self._contracts.pop(number, None)
        if error is not None or contract_id is None:
            unread.count("tradovate contract", error or "an answer to nothing")
            return ()
        return self._heard("contract", "Created", [message.d] if isinstance(message.d, Mapping) else [])

    def unreadable(self) -> Sequence[Action[OrderUpdate]]:
        """The next snapshot has what was lost, and the Gap before it says so."""
        return [Reconnect("a frame of Tradovate's user socket cannot be read", _SYNC_AGAIN_S)]

    def told(self, kind: str, data: Any, at: datetime) -> Sequence[Action[OrderUpdate]]:
        """A change of one entity, or of several of one kind."""
        if kind != "props" or not isinstance(data, Mapping):
            return ()
        entity = data.get("entity")
        entities = [each for each in (entity if isinstance(entity, list) else [entity]) if isinstance(each, Mapping)]
        return self._heard(str(data.get("entityType") or ""), str(data.get("eventType") or ""), entities)

    def _heard(self, kind: str, event: str, entities: Iterable[Mapping[str, Any]]) -> Sequence[Action[OrderUpdate]]:
        try:
            touched = self._entities.change(kind, event, entities)
        except (KeyError, TypeError, ValueError) as exc:
            unread.count(f"tradovate {kind}", exc)
            return ()
        updates = [self._entities.update(order_id) for order_id in sorted(touched)]
        return [*self._asking(touched), *(Heard(update) for update in updates if update is not None)]

    def _asking(self, touched: Iterable[int]) -> Sequence[Action[OrderUpdate]]:
        actions: list[Action[OrderUpdate]] = []
        for contract_id in sorted(self._entities.missing_contracts(touched) - set(self._contracts.values())):
            number, request = self.ask("contract/item", query=f"id={contract_id}")
            self._contracts[number] = contract_id
            actions.append(request)
        return actions
