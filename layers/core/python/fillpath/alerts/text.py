"""Alert messages that are no JSON: the one text form that is understood, and whose form another text is."""

import re

_PAIR = re.compile(r"([A-Za-z_]\w*)\s*=(.*)", re.DOTALL)
_SEPARATOR = re.compile(r"[;\r\n]+")
_COMMANDS = {"command", "key", "kill_switch"}
_WRITE = "write the alert as JSON: docs/alerts.md has the message to paste"

# The forms of products whose text is not understood, the more particular before the more general.
_OTHERS = (
    (r"\A\[\s*\{", "a list of orders is not one alert: send each order as an alert of its own"),
    (r"\w+\([\w.:!-]*\)\s*\{.*\}", f"this looks like Alertatron's language; {_WRITE}"),
    (r"\A[\w-]+,\s*(buy|sell|close\w*|exit\w*|cancel\w*|new\w*)\s*,", f"this looks like a PineConnector message; {_WRITE}"),
    (r"\A[^|\n]+\|[^|\n]*\|[^|\n]+\|[^|\n]+\Z", f"this looks like key|name|action|ticker; {_WRITE}"),
    (r"\A(//[^\n]*\n\s*)*[\w-]+\s+\S+\s+(pos(ition)?|buy|sell|long|short|close)\b", f"this looks like a whook message; {_WRITE}"),
    (r"\A[a-z]{1,3}=\S+(\s+[a-z]{1,3}=\S+)+\Z", f"this looks like Autoview's language; {_WRITE}"),
)


def pairs(text: str) -> list[tuple[str, str]] | None:
    """The pairs of `key=value;` text over one line or several, keys in lower case; None where the text is something else."""
    parts = [part for part in (each.strip() for each in _SEPARATOR.split(text)) if part]
    found = [_PAIR.fullmatch(part) for part in parts]
    whole = [match for match in found if match]
    named = [(match[1].lower(), match[2].strip()) for match in whole]
    if len(whole) != len(parts) or _COMMANDS.isdisjoint(key for key, _ in named):
        return None
    return named


def remedy(text: str) -> str | None:
    """Whose form this text is, where it can be told, and what to do instead."""
    shown = text[:1000]
    return next((advice for form, advice in _OTHERS if re.search(form, shown, re.IGNORECASE | re.DOTALL)), None)
