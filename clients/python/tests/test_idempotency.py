"""A request that a repeat would do again has one name on all its attempts."""

import re
from datetime import UTC, datetime
from typing import Any

import peyvand

AT = datetime(2026, 3, 21, tzinfo=UTC)


async def test_all_attempts_of_a_replay_have_one_name_and_two_replays_have_two(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(503, b"{}"), reply(200, b'{"events":3}'), reply(200, b'{"events":1}')]
    assert await operator.replay_period(5, "e-1", since=AT, until=AT) == 3
    assert await operator.replay_message(5, "e-1", "m-1") == 1
    names = [
        {k.lower(): v for k, v in one.headers.items()}["idempotency-key"] for one in scripted.seen
    ]
    assert names[0] == names[1] != names[2]
    assert all(re.fullmatch(r'"[0-9a-f-]{36}"', name) for name in names)


async def test_a_caller_may_name_its_replay_itself_and_a_put_has_no_name(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(200, b'{"events":3}')]
    await operator.replay_message(5, "e-1", "m-1", key="of-monday")
    await operator.put_terminal(5, 9, branch=1)
    first, second = ({k.lower(): v for k, v in one.headers.items()} for one in scripted.seen)
    assert first["idempotency-key"] == '"of-monday"'
    assert "idempotency-key" not in second
