import json
import uuid
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from contracts.merchants import Terminal
from kit.base.db import Database

PARTY = {"title_fa": "شركت نان", "title_en": "Bread Co"}
MERCHANT = {"party": 2, "sector": "bakery", "title_fa": "نان داغ", "title_en": "Hot Bread"}
BRANCH = {"title_fa": "مرکزی", "title_en": "Central"}
PROGRAMME = {
    "effective_from": "2026-03-21T00:00:00+03:30",
    "title_fa": "باشگاه",
    "title_en": "Club",
    "earn_points": 1,
    "earn_per_rial": 10_000,
}
TERMS = {
    "effective_from": "2026-03-21T00:00:00Z",
    "price_rial": 1000,
    "price_points": 1,
    "fee_bp": 150,
}
ACTIVATION = f"/v1/terminals/10/activations/{uuid.UUID(int=1)}"
PUTS: list[tuple[str, dict[str, Any] | None, dict[str, Any] | None]] = [
    ("/v1/parties/2", PARTY, {"title_fa": "دیگر"}),
    ("/v1/merchants/5", MERCHANT, {"sector": "florist"}),
    ("/v1/merchants/5/branches/1", BRANCH, {"title_en": "Other"}),
    ("/v1/merchants/5/branches/2", BRANCH, None),
    ("/v1/merchants/5/terminals/10", {"branch": 1}, {"branch": 2}),
    ("/v1/merchants/5/programmes/1", PROGRAMME, {"earn_points": 2}),
    ("/v1/terms/1", TERMS, {"fee_bp": 151}),
]


async def arrange(door: Any) -> None:
    for path, body, _ in PUTS:
        assert (await door("PUT", path, body)).status_code == 201


async def test_first_repeated_and_differing(door: Any) -> None:
    await arrange(door)
    for path, body, other in PUTS:
        first = await door("PUT", path, body)
        again = await door("PUT", path, body)
        assert (again.status_code, again.json()) == (200, first.json())
        if other is not None:
            differing = await door("PUT", path, body | other if body else other)
            assert differing.status_code == 422
            assert differing.json()["code"] == "already-exists-differently"


async def test_every_registered_thing_can_be_read(door: Any) -> None:
    await arrange(door)
    for path, body, _ in PUTS:
        put, got = await door("PUT", path, body), await door("GET", path)
        assert (got.status_code, got.json()) == (200, put.json())
    assert (await door("GET", "/v1/parties/2")).json()["title_fa"] == "شرکت نان"


async def test_missing_things_are_not_found(door: Any) -> None:
    for path, _, _ in PUTS:
        assert (await door("GET", path)).status_code == 404
    for method, path in [
        ("GET", "/v1/merchants/5/branches"),
        ("GET", "/v1/merchants/5/terminals"),
        ("GET", "/v1/merchants/5/programmes"),
        ("GET", "/v1/merchants/5/tally?from=2026-03-21&to=2026-03-21"),
        ("PUT", ACTIVATION),
        ("PUT", "/v1/terminals/10/keys/aaaa1111"),
        ("DELETE", "/v1/terminals/10/keys/aaaa1111"),
    ]:
        answer = await door(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path


async def test_others_are_forbidden(door: Any) -> None:
    calls = [("PUT", path, body) for path, body, _ in PUTS]
    calls += [("GET", path, None) for path, _, _ in PUTS]
    calls += [("PUT", ACTIVATION, None), ("DELETE", "/v1/terminals/10/keys/aaaa1111", None)]
    calls += [("GET", "/internal/terminals/10", None), ("GET", "/v1/terms", None)]
    for method, path, body in calls:
        answer = await door(method, path, body, roles=("merchant:6",))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
        answer = await door(method, path, body, roles=())
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path


async def test_a_merchant_reads_its_own_and_nothing_else(door: Any) -> None:
    await arrange(door)
    mine = ("merchant:5",)
    for path in ("", "/branches", "/terminals", "/terminals/10", "/programmes/1"):
        assert (await door("GET", f"/v1/merchants/5{path}", roles=mine)).status_code == 200
        assert (await door("GET", f"/v1/merchants/6{path}", roles=mine)).status_code == 403
    assert (await door("GET", "/v1/merchants", roles=mine)).status_code == 403


async def test_the_key_is_shown_once(door: Any) -> None:
    await arrange(door)
    first = await door("PUT", ACTIVATION)
    assert first.status_code == 201
    issued = first.json()
    assert issued["epoch"] == 1
    assert len(issued["key"]) == len(f"pvt_10_{issued['key_id']}_") + 43
    again = await door("PUT", ACTIVATION)
    assert (again.status_code, again.json()) == (200, issued | {"key": None})
    terminal = (await door("GET", "/v1/merchants/5/terminals/10")).json()
    assert [k["key_id"] for k in terminal["keys"]] == [issued["key_id"]]
    assert "sha256" not in json.dumps(terminal)


async def keys_of(door: Any) -> dict[str, tuple[int, str | None]]:
    terminal = (await door("GET", "/v1/merchants/5/terminals/10")).json()
    return {key["key_id"]: (key["epoch"], key["revoked_at"]) for key in terminal["keys"]}


def activation(number: int) -> str:
    return f"/v1/terminals/10/activations/{uuid.UUID(int=number)}"


async def test_an_activation_ends_older_keys(door: Any) -> None:
    await arrange(door)
    first = (await door("PUT", activation(1))).json()["key_id"]
    await door("PUT", "/v1/terminals/10/keys/aaaa1111")
    second = (await door("PUT", activation(2), {})).json()["key_id"]
    ended = "2026-03-21T08:00:00Z"
    assert await keys_of(door) == {first: (1, ended), "aaaa1111": (1, ended), second: (2, None)}


async def test_an_activation_keeps_older_keys_as_long_as_it_says(door: Any, at: Any) -> None:
    await arrange(door)
    first = (await door("PUT", activation(1))).json()["key_id"]
    second_activation = await door("PUT", activation(2), {"overlap_s": 3600})
    second = second_activation.json()["key_id"]
    overlap = {first: (1, "2026-03-21T09:00:00Z"), second: (2, None)}
    assert (second_activation.status_code, await keys_of(door)) == (201, overlap)
    again = await door("PUT", activation(2), {"overlap_s": 3600})
    assert (again.status_code, again.json()["key"]) == (200, None)
    differing = await door("PUT", activation(2), {"overlap_s": 60})
    assert differing.json()["code"] == "already-exists-differently"
    at.at += timedelta(minutes=1)
    third = (await door("PUT", activation(3), {"overlap_s": 7200})).json()["key_id"]
    kept = await keys_of(door)  # what ends earlier ends no later for a second overlap
    assert [kept[key][1] for key in (first, second, third)] == [
        "2026-03-21T09:00:00Z",
        "2026-03-21T10:01:00Z",
        None,
    ]
    assert (await door("DELETE", f"/v1/terminals/10/keys/{first}")).status_code == 200
    assert (await keys_of(door))[first][1] == "2026-03-21T08:01:00Z"
    for overlap_s in (-1, 7 * 86_400 + 1, 1.5, "60"):
        refused = await door("PUT", activation(4), {"overlap_s": overlap_s})
        assert refused.status_code == 422


async def test_live_keys_never_block_an_activation(door: Any) -> None:
    await arrange(door)
    for number in range(8):
        assert (await door("PUT", f"/v1/terminals/10/keys/aaaa111{number}")).status_code == 201
    full = await door("PUT", "/v1/terminals/10/keys/aaaa1119")
    assert (full.status_code, full.json()["code"]) == (409, "too-many-keys")
    activated = await door("PUT", activation(1))
    assert (activated.status_code, activated.json()["epoch"]) == (201, 1)
    assert (await door("PUT", "/v1/terminals/10/keys/aaaa1119")).status_code == 201


async def test_a_terminal_activated_without_end_tells_its_last_keys(door: Any, at: Any) -> None:
    await arrange(door)
    issued_keys: list[str] = []
    for number in range(1, 71):
        at.at += timedelta(seconds=1)
        answer = await door("PUT", activation(number), {"overlap_s": 86_400})
        issued_keys.append(answer.json()["key_id"])
    published = await keys_of(door)
    assert set(published) == set(issued_keys[-64:])  # those that end last
    gone = await door(
        "DELETE", f"/v1/terminals/10/keys/{issued_keys[0]}"
    )  # still to be had by its name
    assert gone.status_code == 200
    first, again = [(await door("PUT", "/v1/terminals/10/keys/" + issued_keys[0])) for _ in "ab"]
    assert (first.status_code, first.json()) == (200, again.json())


STOP = {"standing": "stopped", "reason": "کلید دزدیده شد"}
OPEN = {"standing": "open", "reason": "کلید تازه"}


@pytest.mark.parametrize("subject", ["/v1/terminals/10", "/v1/merchants/5"])
async def test_a_terminal_or_merchant_is_stopped_and_opened(door: Any, subject: str) -> None:
    await arrange(door)
    assert (await door("GET", f"{subject}/standings")).json() == {
        "standing": "open",
        "items": [],
        "next": None,
    }
    one, two = (f"{subject}/standings/{uuid.UUID(int=n)}" for n in (1, 2))
    stopped = await door("PUT", one, STOP)
    assert (stopped.status_code, stopped.json()) == (
        201,
        STOP
        | {
            "change": str(uuid.UUID(int=1)),
            "version": 1,
            "changed_by": "tester",
            "changed_at": "2026-03-21T08:00:00Z",
        },
    )
    opened = await door("PUT", two, OPEN)
    again = await door("PUT", one, STOP)  # a repeat of an older change stops nothing
    assert (again.status_code, again.json()) == (200, stopped.json())
    assert (await door("PUT", one, OPEN)).json()["code"] == "already-exists-differently"
    answer = (await door("GET", f"{subject}/standings")).json()
    assert answer == {"standing": "open", "items": [opened.json(), stopped.json()], "next": None}
    page = (await door("GET", f"{subject}/standings?limit=1&before=2")).json()
    assert (page["standing"], page["items"], page["next"]) == ("open", [stopped.json()], 1)


async def test_a_stop_needs_a_reason_and_a_subject_of_its_own(door: Any) -> None:
    await arrange(door)
    change = f"/standings/{uuid.UUID(int=1)}"
    for body in ({"standing": "stopped"}, STOP | {"reason": " "}, STOP | {"standing": "closed"}):
        assert (await door("PUT", "/v1/terminals/10" + change, body)).status_code == 422
    assert (await door("PUT", "/v1/terminals/99" + change, STOP)).status_code == 404
    assert (await door("PUT", "/v1/merchants/99" + change, STOP)).status_code == 404
    assert (await door("PUT", "/v1/terminals/10" + change, STOP)).status_code == 201
    taken = await door("PUT", "/v1/merchants/5" + change, STOP)
    assert taken.json()["code"] == "already-exists-differently"


async def test_an_activation_opens_no_stopped_terminal(door: Any) -> None:
    await arrange(door)
    await door("PUT", f"/v1/terminals/10/standings/{uuid.UUID(int=1)}", STOP)
    await door("PUT", activation(1))
    terminal = (await door("GET", "/v1/merchants/5/terminals/10")).json()
    assert (terminal["active"], terminal["stopped"]) == (True, True)


async def test_rotate_and_revoke(door: Any) -> None:
    await arrange(door)
    path = "/v1/terminals/10/keys/aaaa1111"
    assert (await door("PUT", path)).status_code == 201
    assert (await door("PUT", path)).json()["key"] is None
    first, again = await door("DELETE", path), await door("DELETE", path)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["revoked_at"] == "2026-03-21T08:00:00Z"


async def test_the_miss_path_gives_the_events_own_body(door: Any) -> None:
    await arrange(door)
    await door("PUT", ACTIVATION)
    answer = await door("GET", "/internal/terminals/10", roles=("service",))
    assert answer.status_code == 200
    terminal = msgspec.json.decode(answer.content, type=Terminal)
    assert (terminal.terminal, terminal.epoch, terminal.party) == (10, 1, 2)
    assert len(terminal.keys) == 1
    missing = await door("GET", "/internal/terminals/11", roles=("service",))
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/parties/2", b"{", 400, "malformed-json"),
        ("/v1/parties/2", b'{"title_fa":"\\u0000","title_en":"x"}', 400, "unstorable-text"),
        ("/v1/parties/2", b'{"title_fa":"\\ud800","title_en":"x"}', 400, "unstorable-text"),
        ("/v1/parties/2", PARTY | {"more": 1}, 422, "invalid"),
        ("/v1/parties/2", PARTY | {"title_fa": "a\tb"}, 422, "invalid"),
        ("/v1/parties/2", PARTY | {"legal_id": "10380284791"}, 422, "invalid"),
        ("/v1/parties/0", PARTY, 422, "invalid"),
        ("/v1/parties/2147483648", PARTY, 422, "invalid"),
        ("/v1/merchants/5", MERCHANT | {"party": "2"}, 422, "invalid"),
        ("/v1/merchants/5", MERCHANT | {"sector": "Bad Sector"}, 422, "invalid"),
        ("/v1/merchants/5", MERCHANT | {"party": 3}, 404, "not-found"),
        ("/v1/merchants/5/programmes/1", PROGRAMME | {"earn_points": 1.0}, 422, "invalid"),
        ("/v1/merchants/5/programmes/1", PROGRAMME | {"earn_points": True}, 422, "invalid"),
        ("/v1/merchants/5/programmes/1", PROGRAMME | {"earn_points": -1}, 422, "invalid"),
        ("/v1/merchants/5/programmes/1", PROGRAMME | {"earn_points": 2**53}, 422, "invalid"),
        ("/v1/merchants/5/programmes/1", PROGRAMME | {"earn_per_rial": 0}, 422, "invalid"),
        ("/v1/merchants/5/programmes/1", PROGRAMME | {"backdated": "yes"}, 422, "invalid"),
        ("/v1/merchants/5/programmes/2", PROGRAMME, 409, "version-not-next"),
        ("/v1/terms/1", TERMS | {"effective_from": 1700000000}, 422, "invalid"),
        ("/v1/terms/1", TERMS | {"effective_from": "2026-03-21T00:00:00"}, 422, "invalid"),
        ("/v1/terms/1", TERMS | {"fee_bp": 10_001}, 422, "invalid"),
        ("/v1/terminals/10/keys/TOO-LONG-ID", None, 422, "invalid"),
        ("/v1/terminals/10/activations/one", None, 422, "invalid"),
    ],
)
async def test_bad_input_is_refused_by_a_stable_code(
    door: Any, path: str, body: Any, status: int, code: str
) -> None:
    await door("PUT", "/v1/parties/1", PARTY)
    await door("PUT", "/v1/merchants/5", MERCHANT | {"party": 1})
    answer = await door("PUT", path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["fa"]
    assert answer.json()["detail"]


async def test_versions_need_time_to_spread(door: Any) -> None:
    await arrange(door)
    body = PROGRAMME | {"effective_from": "2026-03-21T08:00:59Z"}
    soon = await door("PUT", "/v1/merchants/5/programmes/2", body)
    assert (soon.status_code, soon.json()["code"]) == (422, "effective-too-soon")
    backdated = await door("PUT", "/v1/merchants/5/programmes/2", body | {"backdated": True})
    assert backdated.status_code == 201
    assert "backdated" not in backdated.json()


async def test_lists_go_page_by_page(door: Any) -> None:
    await arrange(door)
    await door("PUT", "/v1/merchants/6", MERCHANT | {"sector": "florist", "reference": "F-6"})
    page = (await door("GET", "/v1/merchants?limit=1")).json()
    assert ([m["merchant"] for m in page["items"]], page["next"]) == ([5], 5)
    page = (await door("GET", "/v1/merchants?limit=2&after=5")).json()
    assert ([m["merchant"] for m in page["items"]], page["next"]) == ([6], None)
    answer = (await door("GET", "/v1/merchants?reference=F-6")).json()["items"]
    assert [m["merchant"] for m in answer] == [6]
    answer = (await door("GET", "/v1/merchants?title=نان&sector=bakery")).json()["items"]
    assert [m["merchant"] for m in answer] == [5]
    for query in ("limit=201", "limit=0", "color=red"):
        assert (await door("GET", f"/v1/merchants?{query}")).status_code == 422
    branches = (await door("GET", "/v1/merchants/5/branches?after=1")).json()
    assert [b["branch"] for b in branches["items"]] == [2]


async def test_daily_totals_span_days_in_order(door: Any) -> None:
    await arrange(door)
    path = "/v1/merchants/5/tally"
    empty = await door("GET", f"{path}?from=2026-03-21&to=2026-03-21")
    assert empty.json() == {"items": [], "next": None}
    for query in ("from=2026-03-22&to=2026-03-21", "from=2025-03-20&to=2026-03-21", "from=x&to=y"):
        assert (await door("GET", f"{path}?{query}")).status_code == 422


async def test_every_answer_leaves_its_messages_for_the_relay(door: Any, pool: Database) -> None:
    await arrange(door)
    await door("PUT", ACTIVATION)
    async with pool.read() as tx:
        assert await tx.fetchval("select count(*) from outbox_messages") == 5
