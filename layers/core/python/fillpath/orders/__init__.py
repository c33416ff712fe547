"""The order path: lanes, execution, verification, reversals, the sweep."""
