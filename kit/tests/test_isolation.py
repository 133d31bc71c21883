"""What an error means: whose doing it is, how often it is tried again, when all is lost."""

from collections.abc import Awaitable, Callable

import pytest

from kit.base import db, errors
from kit.stream import isolation

LOST = [errors.Unavailable("away"), errors.SendUnknown(), errors.TimedOut(), ConnectionResetError()]
OURS = [errors.Fenced(), errors.Alarm(), MemoryError()]
OF_A_RECORD = [TypeError(), RecursionError(), errors.Invalid(), db.DataError("", "22003", "")]


def failing(error: Exception, times: int = 10**9) -> tuple[list[int], Callable[[], Awaitable[str]]]:
    """Tries counted, and what fails so many times."""
    tries: list[int] = []

    async def attempt() -> str:
        tries.append(len(tries))
        if len(tries) <= times:
            raise error
        return "done"

    return tries, attempt


def still() -> bool:
    return False


@pytest.mark.parametrize("error", LOST, ids=repr)
async def test_what_is_lost_comes_back_and_is_no_records_doing(error: Exception) -> None:
    tries, attempt = failing(error, times=6)
    assert await isolation.repeated(attempt, "g", still) == "done"
    assert len(tries) == 7
    assert not isolation.of_a_record(error)


@pytest.mark.parametrize("error", OURS, ids=repr)
def test_what_is_of_the_process_is_no_records_doing(error: Exception) -> None:
    assert not isolation.of_a_record(error)


@pytest.mark.parametrize("error", OF_A_RECORD, ids=repr)
async def test_the_rest_is_a_records_doing_after_few_tries(error: Exception) -> None:
    tries, attempt = failing(error)
    with pytest.raises(type(error)):
        await isolation.repeated(attempt, "g", still)
    assert len(tries) == (1 if isinstance(error, errors.Permanent) else isolation.UNFORESEEN_MAX)
    assert isolation.of_a_record(error)
    assert isolation.can_be_halved(error)


@pytest.mark.parametrize("error", [errors.TimedOut(), errors.Overlong(), TypeError()], ids=repr)
async def test_half_is_tried_before_the_same_again(error: Exception) -> None:
    tries, attempt = failing(error)
    with pytest.raises(type(error)):
        await isolation.repeated(attempt, "g", still, divisible=True)
    assert len(tries) == 1


async def test_one_that_computes_too_long_again_and_again_is_set_aside() -> None:
    tries, attempt = failing(errors.Overlong())
    with pytest.raises(errors.Overlong):
        await isolation.repeated(attempt, "g", still)
    assert len(tries) == isolation.OVERLONG_MAX
    assert isolation.of_a_record(errors.Overlong())


async def test_what_times_out_while_others_pass_is_its_own_doing() -> None:
    answers = iter([False, True, False, True, True])
    tries, attempt = failing(errors.TimedOut("a statement"))

    async def beside() -> bool:
        return next(answers)

    with pytest.raises(errors.Overlong, match="this one alone: a statement") as raised:
        await isolation.repeated(attempt, "g", still, beside=beside)
    assert len(tries) == 5
    assert isolation.of_a_record(raised.value)


@pytest.mark.parametrize("error", [errors.Unavailable(), ConnectionResetError()], ids=repr)
async def test_what_is_lost_asks_nobody_else(error: Exception) -> None:
    tries, attempt = failing(error, times=6)

    async def beside() -> bool:
        raise AssertionError("nobody is to be asked")

    assert await isolation.repeated(attempt, "g", still, beside=beside) == "done"
    assert len(tries) == 7


async def test_what_was_reassigned_is_left_to_its_owner() -> None:
    tries, attempt = failing(errors.Unavailable())
    assert await isolation.repeated(attempt, "g", lambda: True) is None
    assert len(tries) == 1


def test_a_record_that_is_handled_ends_a_row_of_faults() -> None:
    faults = isolation.Faults()
    for n in range(1_000):
        faults.set_aside(TypeError())
        faults.set_aside(errors.Invalid())
        if n % isolation.FAULTS_IN_A_ROW_MAX == 0:
            faults.handled()
    faults.handled()
    for _ in range(isolation.FAULTS_IN_A_ROW_MAX):
        faults.set_aside(TypeError())
    with pytest.raises(errors.Alarm):
        faults.set_aside(TypeError())
