"""Baskets of a history on their way: in time order, each told from what was sent before."""

import asyncio
import io
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from lab.history.baskets import Basket
from lab.history.problems import Problems
from lab.history.sending import PlatformGone, Sending
from lab.history.versions import Version
from peyvand import Forbidden, Line, Operator, Options, Retry

UTC_AT = datetime(2025, 5, 1, 6, 30, tzinfo=UTC)
OLD = Version(2, UTC_AT, valid_for=timedelta(days=60))
NEW = Version(1, UTC_AT + timedelta(days=1), valid_for=timedelta(days=730))


@dataclass
class Door:
    """Answers histories as the gateway does."""

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    at_once: int = 0
    most: int = 0
    rng: random.Random = field(default_factory=lambda: random.Random(5))

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(self.rng.random() / 200)
        self.at_once -= 1
        self.heard.append(body)
        name = body["transaction"]
        if name in ("forbidden", "gone", "taken"):
            status = {"forbidden": 403, "gone": 503, "taken": 422}[name]
            problem = {"code": f"{name}-code", "detail": "why", "fa": "چرا", "status": status}
            return web.json_response(problem, status=status)
        answer = {
            "id": f"0.h.{body['merchant']}.{name}.purchase",
            "kind": "purchase",
            "status": "refused" if name == "refused" else "completed",
            "code": "cannot-decide" if name == "refused" else "",
            "occurred_at": body["occurred_at"],
            "accepted_at": "2026-01-01T00:00:00Z" if name == "old" else "2026-01-03T00:00:00Z",
            "points_earned": 0 if name == "poor" else 7,
            "lines": [{"line": 1, "reason": {"code": "no-terms", "fa": "", "en": ""}}],
        }
        return web.json_response(answer)


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    found = Door()
    app = web.Application()
    app.router.add_post("/v1/history", found.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


def basket(name: str, member: str = "m", minutes: int = 0) -> Basket:
    return Basket(
        merchant="s",
        transaction=name,
        member=member,
        at=UTC_AT + timedelta(minutes=minutes),
        amount_rial=5,
        terminal=0,
        lines=(Line(line=1, amount_rial=5),),
        rows=(2, 9),
    )


async def send(door: Door, given: Sequence[Basket]) -> tuple[Sending, Problems]:
    problems = Problems(io.StringIO())
    options = Options(retry=Retry(attempts_max=2, wait_first_s=0.001, wait_max_s=0.002))
    async with Operator(door.url, "pvo_operator_x", options=options) as operator:
        sending = Sending(
            operator=operator,
            numbers={"s": 5},
            programmes={"s": [OLD, NEW]},
            terms=[Version(4, UTC_AT)],
            problems=problems,
            began=datetime(2026, 1, 2, tzinfo=UTC),
            tick=lambda _: None,
        )
        await sending.run(iter(given))
    return sending, problems


async def test_each_members_purchases_go_one_after_another_in_time_order(door: Door) -> None:
    given = [basket(f"t{n}", f"m{n % 30}", n) for n in range(600)]
    sending, _ = await send(door, given)
    assert sending.sent.ends == {"completed": 600}
    by_member: defaultdict[str, list[str]] = defaultdict(list)
    for body in door.heard:
        by_member[body["identifier"]["external"]].append(body["occurred_at"])
    assert all(times == sorted(times) for times in by_member.values())
    assert 5 < door.most <= 48


async def test_what_became_of_each_purchase_is_counted(door: Door) -> None:
    names = ("new", "old", "poor", "refused", "taken", "gone")
    sending, problems = await send(door, [basket(name, name) for name in names])
    assert sending.sent.ends == {"completed": 3, "failed": 2}
    assert sending.sent.failures == {"cannot-decide": 1, "outcome unknown": 1}
    assert (sending.known_before, sending.points_earned) == (1, 14)
    assert sending.points_past == 7  # of what was new; the other had its points before
    assert sending.earned_nothing == {"no-terms": 1}
    assert (sending.refused, sending.refused_rows) == (1, 2)
    (said,) = problems.listed
    assert (said["lines"], said["code"], said["fa"]) == ([2, 9], "taken-code", "چرا")


async def test_a_key_without_the_right_ends_the_run(door: Door) -> None:
    with pytest.raises(Forbidden):
        await send(door, [basket("forbidden"), *(basket(f"t{n}") for n in range(5_000))])
    assert len(door.heard) < 5_000


async def test_a_platform_that_is_gone_is_not_waited_for_without_end(door: Door) -> None:
    with pytest.raises(PlatformGone):
        await send(door, [basket("gone", f"m{n}") for n in range(3_000)])
    assert len(door.heard) < 1_000


async def test_the_very_same_body_is_sent_every_time(door: Door) -> None:
    await send(door, [basket("t1")])
    await send(door, [basket("t1")])
    first, second = door.heard
    assert json.dumps(first) == json.dumps(second)
    assert "branch" not in first


async def test_each_purchase_names_the_versions_in_force_at_its_time(door: Door) -> None:
    given = [basket("before", minutes=-1), basket("first"), basket("new", minutes=24 * 60)]
    sending, _ = await send(door, given)
    versions = {
        body["transaction"]: (body.get("programme_version"), body.get("terms_version"))
        for body in door.heard
    }
    assert versions == {"before": (None, None), "first": (2, 4), "new": (1, 4)}
    assert sending.points_past == 7  # the new programme's points live on
