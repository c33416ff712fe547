"""Calls: one account's requests to Alpaca's trading API. In: a path and what goes with it; out: the JSON of the answer."""

from collections.abc import Mapping
from typing import Any

from fillpath.accounts.model import Account
from fillpath.accounts.ports.rate_limits import Quota
from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable
from fillpath_brokers.alpaca.capabilities import BURST, RESERVE
from fillpath_brokers.alpaca.refusals import read
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.alpaca.sign_in import authorization
from fillpath_brokers.session import Session, after_header, seconds_in
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import READ_S, Reply, Request, Web

Document = dict[str, Any]
_NOT_FOUND = 404
_CODES_OF_A_STATUS = 100_000
_IN_MILLISECONDS = 100_000_000_000
"""An instant above this is told in milliseconds: in seconds it would be thousands of years away."""


class Calls(Session):
    """The session of one account. Paths begin with a slash; those of the data API are whole addresses."""

    def __init__(self, account: Account, tokens: TokenStore, web: Web, clock: Clock, settings: Settings) -> None:
        quota = Quota(settings.requests_per_minute, BURST, RESERVE)
        wait_s = settings.rate_limit_wait_s
        super().__init__(account, tokens, web, authorization, quota, wait_s=wait_s, retry_after=self._until_reset)
        self._clock = clock
        self._settings = settings

    def one(self, path: str, params: Mapping[str, str] | None = None, *, urgent: bool = False) -> Document | None:
        """The object that answers; None where Alpaca has no such thing. BrokerUnavailable for what cannot be read."""
        reply = self.read(self.url(path), params, urgent=urgent)
        if is_absent(reply):
            return None
        document: Document = answer_in(reply, dict)
        return document

    def listed(self, path: str, params: Mapping[str, str] | None = None, *, urgent: bool = False) -> list[Document]:
        """The objects of a list; BrokerUnavailable if it is none."""
        documents: list[Document] = answer_in(self.read(self.url(path), params, urgent=urgent), list)
        return documents

    def account_record(self) -> Document:
        """What Alpaca says of the account."""
        record = self.one("/v2/account")
        if record is None:
            raise BrokerUnavailable("Alpaca does not show the account")
        return record

    def url(self, path: str) -> str:
        """The address of a path of the trading API."""
        return self._settings.trading_url + path

    def delete(self, path: str, *, timeout_s: float = READ_S) -> Reply:
        """The answer to a request to cancel or close something."""
        return self.send(Request("DELETE", self.url(path), timeout_s=timeout_s, urgent=True))

    def _until_reset(self, reply: Reply) -> float | None:
        asked_s, reset = after_header(reply), seconds_in(reply, "X-RateLimit-Reset")
        if asked_s is not None or reset is None:
            return asked_s
        at = reset / 1000 if reset > _IN_MILLISECONDS else reset
        return max(1.0, at - self._clock.now().timestamp())


def is_absent(reply: Reply) -> bool:
    """Whether Alpaca itself says that there is no such thing: a 404 of whoever stands before it has no code of Alpaca's."""
    return reply.status == _NOT_FOUND and read(reply)[0] // _CODES_OF_A_STATUS == _NOT_FOUND


def answer_in(reply: Reply, kind: type) -> Any:
    """The JSON of an answer, which is of this kind; BrokerUnavailable."""
    document = reply.json() if reply.ok else None
    if not isinstance(document, kind):
        raise BrokerUnavailable(f"Alpaca answers {reply.status}: {read(reply)[1]}")
    return document
