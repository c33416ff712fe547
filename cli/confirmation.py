"""What cannot be undone is confirmed by a word: the person and the word come in; Problem, where it was not typed."""

from cli import terminal
from cli.means import Person
from cli.problem import Problem


def confirm(person: Person, question: str, word: str, otherwise: str) -> None:
    """Raises Problem with what has become of it (`otherwise`) unless the word is typed, in capitals or not."""
    if not person.is_there:
        raise Problem(f"{otherwise}: there is nobody to type {word}", hint="--yes says that it may be")
    with terminal.unless_left(otherwise):
        typed = person.ask(question).strip()
    if typed.casefold() != word.casefold():
        raise Problem(f"{otherwise}: {typed!r} is not {word}", hint="the same command again, or with --yes")
