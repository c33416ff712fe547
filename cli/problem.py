"""What a person is told when a command cannot do its work."""

NOTHING_KEPT = "nothing was kept"


class Problem(Exception):
    """One sentence that says what is wrong; the hint says what to do, the output is what a program said before it failed."""

    def __init__(self, reason: str, *, hint: str = "", output: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.output = output
