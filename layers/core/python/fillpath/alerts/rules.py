"""The webhook's own rules for entries: which symbols, when, how often. What reduces is never asked."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from fillpath.accounts.model import Webhook
from fillpath.alerts.ports.alert_store import Context
from fillpath.errors import Refused


def held_back(context: Context, root: str, at: datetime) -> Iterator[Refused]:
    """Every rule of the webhook that holds back an entry of this root at this moment."""
    rules = (
        _daily_limit(context, at),
        _symbols(context.webhook, root),
        _windows(context.webhook, at),
        _cooldown(context, root, at),
    )
    return (refusal for refusal in rules if refusal is not None)


def _daily_limit(context: Context, at: datetime) -> Refused | None:
    limit = context.webhook.daily_limit
    if limit is None or context.accepted_today < limit:
        return None
    resets_at = _told((at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0))
    text = f"this webhook's limit of {limit} entries a day is used up; it starts again at {resets_at}"
    return Refused("daily_limit", text, {"limit": limit, "resets_at": resets_at})


def _symbols(webhook: Webhook, root: str) -> Refused | None:
    if not webhook.symbols or root in webhook.symbols:
        return None
    return Refused("symbol_not_allowed", f"{root} is not among this webhook's symbols ({', '.join(webhook.symbols)})")


def _windows(webhook: Webhook, at: datetime) -> Refused | None:
    if not webhook.windows:
        return None
    from fillpath.alerts.window import is_open  # noqa: PLC0415  only webhooks that have a window load time zones

    if any(is_open(window, at) for window in webhook.windows):
        return None
    text = f"entries are taken {' and '.join(webhook.windows)} only; what reduces is taken always"
    return Refused("outside_window", text, {"windows": list(webhook.windows)})


def _cooldown(context: Context, root: str, at: datetime) -> Refused | None:
    last = context.entered_at.get(root)
    if last is None:
        return None
    ends_at = last + timedelta(seconds=context.webhook.cooldown_s)
    if at >= ends_at:
        return None
    text = f"{context.webhook.cooldown_s} s must pass between two entries of {root}; the next one may come at {_told(ends_at)}"
    return Refused("cooldown", text, {"cooldown_s": context.webhook.cooldown_s, "ends_at": _told(ends_at)})


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
