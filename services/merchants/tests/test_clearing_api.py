"""The HTTP door of clearing: cutting, reading by pages, refusals, roles."""

from typing import Any

import pytest

from contracts.values import NETWORK_PARTY as NETWORK
from kit.stream import outbox

from .conftest import SHARDS
from .ledger_outcomes import BAKER, FLORIST, GROCER
from .test_clearing import ENDS, SALES, commit, markers


@pytest.mark.SH14
async def test_a_window_is_cut_by_hand_after_a_dry_run(door: Any, pool: Any) -> None:
    await commit(pool, SALES)
    preview = await door("PUT", "/v1/windows/1", {"dry_run": True})
    assert (preview.status_code, preview.json()["state"]) == (200, "open")
    assert preview.json()["claims_rial"] == "22000"
    first = await door("PUT", "/v1/windows/۱", {})
    assert (first.status_code, first.json()["state"], first.json()["cut_by"]) == (
        202,
        "closing",
        "tester",
    )
    again = await door("PUT", "/v1/windows/1", {})
    assert (again.status_code, again.json()) == (202, first.json())
    await commit(pool, markers(1, ENDS))
    done = await door("PUT", "/v1/windows/1", {})
    assert (done.status_code, done.json()["state"]) == (200, "closed")
    assert done.json()["vector"] == {"0": 4, "1": 3, "2": 1}
    assert (await door("GET", "/v1/windows/1")).json() == done.json()
    async with pool.transaction() as tx:
        messages, _ = await outbox.take_messages(tx, 100)
    assert len(messages) == SHARDS


async def test_windows_pairs_and_positions_are_read_by_pages(door: Any, pool: Any) -> None:
    await commit(pool, SALES)
    await door("PUT", "/v1/windows/1", {})
    await commit(pool, markers(1, ENDS))
    page = (await door("GET", "/v1/windows?limit=1")).json()
    assert ([one["window"] for one in page["items"]], page["next"]) == ([2], 2)
    page = (await door("GET", "/v1/windows?before=2")).json()
    assert ([one["window"] for one in page["items"]], page["next"]) == ([1], None)
    pairs: list[Any] = []
    after = ""
    while True:
        page = (await door("GET", f"/v1/windows/1/pairs?limit=2{after}")).json()
        pairs += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert [(one["debtor"], one["creditor"], one["due_rial"]) for one in pairs] == [
        (BAKER, NETWORK, "150"),
        (BAKER, GROCER, "12000"),
        (GROCER, NETWORK, "180"),
        (GROCER, BAKER, "3000"),
        (FLORIST, BAKER, "7000"),
    ]
    page = (await door("GET", "/v1/windows/1/positions?limit=3")).json()
    assert ([one["party"] for one in page["items"]], page["next"]) == ([1, 2, 3], 3)
    rest = (await door("GET", "/v1/windows/1/positions?after=۳")).json()
    assert [one["position_rial"] for one in rest["items"]] == ["-7000"]


async def test_bad_requests_are_refused_and_cut_nothing(door: Any, pool: Any) -> None:
    for body in ({"dry_run": 1}, {"dry_run": None}, {"reason": "x"}, [], b"{"):
        assert (await door("PUT", "/v1/windows/1", body)).status_code in (400, 422)
    for window in ("0", "-1", "x", "2147483648", "1.5"):
        assert (await door("PUT", f"/v1/windows/{window}", {})).status_code == 422
    early = await door("PUT", "/v1/windows/2", {})
    assert (early.status_code, early.json()["code"]) == (409, "not-the-next-window")
    assert early.json()["expected"] == 1
    for after in ("x", "1", "1.", "1.x", "2147483648.1", "1.2.3"):
        answer = await door("GET", f"/v1/windows/1/pairs?after={after}")
        assert answer.status_code in (404, 422), after
    for query in ("limit=0", "limit=201", "before=0"):
        assert (await door("GET", f"/v1/windows?{query}")).status_code == 422
    async with pool.transaction() as tx:
        messages, _ = await outbox.take_messages(tx, 100)
    assert messages == []


async def test_what_is_missing_or_not_closed_is_said(door: Any, pool: Any) -> None:
    for path in ("/v1/windows/1", "/v1/windows/1/pairs", "/v1/windows/1/positions"):
        assert (await door("GET", path)).status_code == 404
    await door("PUT", "/v1/windows/1", {})
    for window in (1, 2):
        answer = await door("GET", f"/v1/windows/{window}/positions")
        assert (answer.status_code, answer.json()["code"]) == (409, "window-not-closed")
    waiting = await door("PUT", "/v1/windows/2", {})
    assert (waiting.status_code, waiting.json()["code"]) == (409, "earlier-window-open")
    dry = await door("PUT", "/v1/windows/2", {"dry_run": True})
    assert dry.json()["code"] == "earlier-window-open"


async def test_only_who_moves_money_cuts_and_who_audits_reads(door: Any, pool: Any) -> None:
    for roles in (("auditor",), ("partners",), ("merchant:5",)):
        for body in ({}, {"dry_run": True}):
            assert (await door("PUT", "/v1/windows/1", body, roles=roles)).status_code == 403
    for path in ("/v1/windows", "/v1/windows/1", "/v1/windows/1/pairs"):
        assert (await door("GET", path, roles=("merchant:5",))).status_code == 403
        assert (await door("GET", path, roles=("auditor",))).status_code in (200, 404)
