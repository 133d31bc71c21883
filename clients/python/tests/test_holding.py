"""The terminal simulator reserves, captures and frees: by id, or by the number in its journal."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from peyvand.terminal import __main__, outcome

CARD = ("--card", "6037990000000006")
HELD = "3.t.7.2.1"


def answer(**more: object) -> bytes:
    fields = {
        "id": HELD, "kind": "authorisation", "status": "completed",
        "occurred_at": "2026-03-21T09:30:00Z", "accepted_at": "2026-03-21T09:30:00Z",
        "due_at": "2026-03-21T10:30:00Z", "fa": "نگه داشته شد", "en": "held",
    }  # fmt: skip
    return json.dumps(fields | more).encode()


@pytest.fixture
def run(scripted: Any, reply: Any, tmp_path: Path) -> Any:
    """`await run(*arguments)`: the exit, and the request that was sent; None where none was."""

    async def command(*arguments: str) -> tuple[int, dict[str, Any] | None]:
        sent = len(scripted.seen)
        scripted.script = [reply(200, answer())]
        path = str(tmp_path / "till.sqlite")
        done = await asyncio.to_thread(__main__.main, ["--till", path, *arguments])
        new = scripted.seen[sent:]
        return done, json.loads(new[-1].body) if new else None

    async def ready(*arguments: str) -> tuple[int, dict[str, Any] | None]:
        await command("setup", "--url", scripted.url, "--key", "pvt_7_abc_secret", "--epoch", "2")
        return await command(*arguments)

    return ready


async def test_a_hold_is_captured_by_its_number_and_in_part(run: Any) -> None:
    done, sent = await run("hold", *CARD, "--amount", "900", "--points", "100", "--minutes", "60")
    assert (done, sent["kind"], sent["hold_s"]) == (outcome.Exit.DONE, "authorisation", 3_600)
    assert sent["redeem"]["points"] == 100
    _, sent = await run("capture", "1", "--amount", "۷۰۰", "--points", "80")
    assert (sent["kind"], sent["original"]) == ("capture", {"id": HELD})
    assert (sent["amount_rial"], sent["redeem"]) == (700, {"points": 80, "credit_rial": 0})
    assert "identifier" not in sent


async def test_without_minutes_the_network_says_how_long_and_all_is_captured(run: Any) -> None:
    _, sent = await run("hold", *CARD, "--amount", "900", "--credit", "50")
    assert "hold_s" not in sent
    _, sent = await run("capture", HELD, "--amount", "900")
    assert "redeem" not in sent


async def test_what_is_held_is_freed_by_its_id(run: Any) -> None:
    _, sent = await run("void", HELD)
    assert (sent["kind"], sent["original"]) == ("void", {"id": HELD})


async def test_a_top_up_names_the_member_and_the_money(run: Any) -> None:
    _, sent = await run("top-up", "--mobile", "09120000001", "--amount", "500,000")
    assert (sent["kind"], sent["amount_rial"]) == ("top-up", 500_000)
