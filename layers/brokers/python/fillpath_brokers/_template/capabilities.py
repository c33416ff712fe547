"""What the venue can do: nothing yet. What stays false is refused before an alert is accepted."""

from fillpath.accounts.capabilities import Capabilities

KEY = "template"
NAME = "Template"
CAPABILITIES = Capabilities(can_trade=False, asset_classes=frozenset())
