"""What a person is asked at the keyboard, and what is told when the questions are left, or nobody is there to answer."""

from decimal import Decimal

import pytest

from cli import terminal
from cli.means import Means
from fillpath.orders.outcomes import Position
from fillpath_brokers.signing_in import Field
from tests.cli.local_stack import Ran
from tests.cli.toy_desk import Desk
from tests.cli.toy_venue import FIRST, PASSWORD, SECOND, USER, Answering, ToyVenues
from tests.contract.records import an_order

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


class Leaving(Answering):
    """Answers, then ends the input, or the command."""

    def __init__(self, *answers: str, by: type[BaseException]) -> None:
        super().__init__(*answers)
        self._by = by

    def ask(self, question: str) -> str:
        if not self.left:
            raise self._by
        return super().ask(question)


def left(desk: Desk, *arguments: str, answers: tuple[str, ...] = (), by: type[BaseException] = EOFError) -> Ran:
    desk.stack.means = Means(ToyVenues(desk.toy), Leaving(*answers, by=by))
    return desk.stack.run(*arguments)


@pytest.mark.parametrize(("by", "code"), [(EOFError, 1), (KeyboardInterrupt, 130)])
@pytest.mark.parametrize("answers", [(), ("demo",), ("demo", USER)])
def test_who_leaves_the_questions_has_kept_nothing_and_is_told_so(
    desk: Desk, answers: tuple[str, ...], by: type[BaseException], code: int
) -> None:
    ran = left(desk, "account", "add", "toy", answers=answers, by=by)
    assert (ran.code, ran.out, desk.kept(), desk.toy.connections) == (code, "", [], [])
    assert ran.err.splitlines()[-1] == "fillpath: nothing was kept"


@pytest.mark.parametrize(("by", "code"), [(EOFError, 1), (KeyboardInterrupt, 130)])
def test_who_leaves_the_question_whether_to_remove_has_removed_nothing(desk: Desk, by: type[BaseException], code: int) -> None:
    desk.added("--label", "mine")
    before = desk.kept()
    ran = left(desk, "account", "remove", "mine", by=by)
    assert (ran.code, desk.kept()) == (code, before)
    assert "nothing was removed" in ran.err


@pytest.mark.parametrize("ended", [EOFError, KeyboardInterrupt])
def test_after_a_prompt_that_was_left_the_next_text_begins_on_a_line_of_its_own(
    ended: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    def read() -> str:
        raise ended

    with pytest.raises(ended):
        terminal.ask("Name: ", read)
    assert capsys.readouterr().err == "Name: \n"


def test_a_prompt_gives_what_was_typed() -> None:
    assert terminal.ask("Name: ", lambda: "ann") == "ann"


def test_where_there_is_one_choice_nobody_is_asked(desk: Desk) -> None:
    only = Field("environment", "Environment", secret=False, default="demo", choices=("demo",))
    desk.toy.fields = (only, *desk.toy.fields[1:])
    ran, person = desk.types("account", "add", "toy", "--label", "mine", answers=(USER, PASSWORD, ""))
    assert ran.code == 0, ran.err
    assert [question.partition(" ")[0] for question in person.asked] == ["User", "Password:", "PIN:"]
    assert desk.stack.directory.account("mine").connection["environment"] == "demo"


def test_what_helps_and_what_is_taken_unless_told_stand_in_one_bracket(desk: Desk) -> None:
    field = Field("environment", "Environment", "play money is demo", secret=False, default="demo", choices=("demo", "live"))
    desk.toy.fields = (field, *desk.toy.fields[1:])
    _, person = desk.types("account", "add", "toy", answers=("", USER, PASSWORD, ""))
    assert person.asked[0] == "Environment \\[demo/live] [dim](play money is demo; demo unless told)[/]: "


def test_a_script_that_has_given_its_credentials_is_not_told_to_give_them(desk: Desk) -> None:
    desk.toy.browser = True
    ran = desk.scripted("account", "add", "toy", "--credentials", "-")
    assert "type the same command at a terminal; nothing was kept" in ran.err
    assert "--credentials" not in ran.err


def test_a_sign_in_that_leads_to_another_account_says_so_before_what_keeps_it(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.toy.shows = (FIRST, SECOND)
    desk.toy.fields = (*desk.toy.fields, Field("account", "Account", secret=False, required=False))
    desk.stack.target.orders.add(an_order(account_id=account.account_id))
    ran, _ = desk.types("account", "sign-in", "mine", answers=("", USER, PASSWORD, "", "T-2"))
    assert ran.code == 1
    assert "this leads mine to account T-2 instead of T-1; account mine has 1 open order" in ran.err
    assert "nothing was kept" in ran.err
    assert desk.stack.target.accounts.account(account.account_id) == account


def test_what_has_not_been_sent_yet_is_ended_by_flatten_not_by_cancel(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.toy.holds = (Position("AAPL", "AAPL", Decimal(3), None),)
    desk.stack.target.orders.add(an_order(account_id=account.account_id))
    ran = desk.scripted("account", "remove", "mine", "--yes")
    assert ran.code == 1
    assert "flatten mine, which also calls off what has not been sent" in ran.err


def test_a_label_is_confirmed_in_capitals_or_not(desk: Desk) -> None:
    desk.added("--label", "Mine")
    ran, _ = desk.types("account", "remove", "mine", answers=("nine",))
    assert "nothing was removed: 'nine' is not Mine" in ran.err
    assert desk.types("account", "remove", "mine", answers=("MINE",))[0].code == 0


def test_a_script_is_not_asked_but_told_what_says_yes(desk: Desk) -> None:
    desk.added("--label", "mine")
    ran = desk.scripted("account", "remove", "mine")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[0] == "fillpath: nothing was removed: there is nobody to type mine"
    assert "--yes" in ran.err
