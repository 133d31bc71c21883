"""The HTTP door: rules, a test evaluation, the first purchase's versions."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from campaigns.awards import usecases as awards
from campaigns.awards.api import one_trial
from campaigns.programmes import store as programme_store
from campaigns.programmes import usecases as programmes
from campaigns.rules import consumer as rules_consumer
from campaigns.rules import usecases as rules
from contracts import topics
from contracts.envelope import decode
from kit.stream import consumer, outbox
from support import services
from support.trail import Trail

RULE = {
    "effective_from": "2026-03-20T00:00:00+03:30",
    "effective_until": "2026-04-03T00:00:00+03:30",
    "merchants": [5],
    "funder": 1,
    "title_fa": "نوروز",
    "title_en": "Nowruz",
    "condition": {">=": [{"var": "amount_rial"}, 500_000]},
    "effect": {"multiply": {"increment_bp": 10_000}},
}
PATH = "/v1/rules/nowruz/versions/1"


@pytest_asyncio.fixture(autouse=True)
async def emptied(pool: Any) -> Any:
    yield
    async with pool.transaction() as tx:
        await tx.execute(
            "delete from live_rules; delete from rule_changes; delete from programmes;"
            " delete from terms; delete from programme_changes; delete from outbox_messages"
        )


@pytest_asyncio.fixture(autouse=True)
async def forgotten(pool: Any, owner_dsn: Any, emptied: None) -> Any:
    """Versions are for ever to the run role; the owner makes room for the next test."""
    del emptied
    from kit.base import db

    yield
    async with pool.read() as tx:
        name = await tx.fetchval("select current_database()")
    connection = await db.connect(owner_dsn(f"postgresql://campaigns:x@h/{name}"))
    try:
        await connection.execute(
            "delete from rule_versions; delete from first_purchase_versions where version > 1"
        )
    finally:
        await connection.close()


async def said(pool: Any) -> list[Any]:
    async with pool.transaction() as tx:
        found, _ = await outbox.take_messages(tx, 100)
        return [decode(m.value or b"", dict(topics.CAMPAIGNS_RULES.events)) for m in found]


async def test_a_rule_is_put_once_and_published_once(caller: Any, pool: Any) -> None:
    first = await caller.send("PUT", PATH, json=RULE)
    again = await caller.send("PUT", PATH, json=RULE | {"effective_from": "2026-03-19T20:30:00Z"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    (published,) = await said(pool)
    assert (published.key, published.data.rule, published.data.merchants) == (
        "nowruz@1", "nowruz", (5,),
    )  # fmt: skip
    read = await caller.send("GET", PATH)
    assert read.json() == first.json()


async def test_another_body_under_the_same_version_is_refused(caller: Any, pool: Any) -> None:
    await caller.send("PUT", PATH, json=RULE)
    other = await caller.send("PUT", PATH, json=RULE | {"funder": 2})
    assert (other.status_code, other.json()["code"]) == (422, "already-exists-differently")
    gap = await caller.send("PUT", "/v1/rules/nowruz/versions/3", json=RULE)
    assert (gap.status_code, gap.json()["code"]) == (409, "version-not-next")
    assert gap.json()["expected"] == 2
    earlier = RULE | {"effective_from": "2026-03-01T00:00:00Z"}
    back = await caller.send("PUT", "/v1/rules/nowruz/versions/2", json=earlier)
    assert (back.status_code, back.json()["code"]) == (422, "effective-too-soon")
    assert len(await said(pool)) == 1


async def test_a_faulty_rule_says_where_it_is_wrong(caller: Any, pool: Any) -> None:
    faulty = RULE | {
        "condition": {"and": [{">=": [{"var": "amount_rial"}, 5e5]}, {"==": [{"var": "hue"}, 1]}]},
        "effect": {"fixed": {"points": 1.5}},
    }
    refused = await caller.send("PUT", PATH, json=faulty)
    body = refused.json()
    assert (refused.status_code, body["code"]) == (422, "rule-invalid")
    assert [(p["path"], p["code"]) for p in body["problems"]] == [
        ("/condition/and/0/>=/1", "float-refused"),
        ("/condition/and/1/==/0/var", "unknown-field"),
        ("/effect/fixed/points", "float-refused"),
    ]
    assert body["fa"]
    assert await said(pool) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"funder": 0}, 201),
        ({"funder": 0, "merchants": []}, 201),
        ({"funder": 50}, 201),
        ({"funder": 50, "merchants": [5, 6]}, 201),
        ({"funder": 60}, 422),  # another merchant's party, which agreed to nothing
        ({"funder": 50, "merchants": []}, 422),  # it would pay for everybody's sales
        ({"funder": 50, "merchants": [5, 7]}, 422),
        ({"funder": 50, "merchants": [5, 8]}, 422),  # whose party nobody knows
        ({"funder": 2**31 - 1}, 422),
    ],
)
async def test_nobody_pays_for_a_rule_who_has_no_say(
    caller: Any, pool: Any, make: Any, changes: dict[str, Any], status: int
) -> None:
    async with pool.transaction() as tx:
        known = [make.programme(merchant=n, party=p) for n, p in ((5, 50), (6, 50), (7, 60))]
        await programme_store.upsert_programmes(tx, known)
    answer = await caller.send("PUT", PATH, json=RULE | changes)
    assert answer.status_code == status
    if status == 422:
        assert [(p["path"], p["code"]) for p in answer.json()["problems"]] == [
            ("/funder", "not-the-payers-rule")
        ]
        assert await said(pool) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"effective_from": "2026-03-20T00:00:00"},  # no zone
        {"funder": "1"},
        {"funder": 1.0},
        {"merchants": [0]},
        {"title_fa": "  "},
        {"colour": "red"},
        {"retired": "no"},
    ],
)
async def test_a_badly_shaped_body_is_refused(caller: Any, changes: dict[str, Any]) -> None:
    refused = await caller.send("PUT", PATH, json=RULE | changes)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("rule", ["base", "first-purchase"])
async def test_ids_of_other_origins_are_reserved(caller: Any, rule: str) -> None:
    refused = await caller.send("PUT", f"/v1/rules/{rule}/versions/1", json=RULE)
    assert refused.json()["problems"][0]["path"] == "/rule"


async def test_only_operators_and_only_through_the_gateway(caller: Any) -> None:
    merchant = caller.with_roles("merchant:5")
    for method, path in (
        ("PUT", PATH), ("GET", PATH), ("GET", "/v1/rules"), ("POST", "/v1/rules/evaluate"),
        ("GET", "/v1/first-purchase/versions/1"),
    ):  # fmt: skip
        body = {"merchant": 5, "amount_rial": 1} if method == "POST" else RULE
        json = None if method == "GET" else body
        assert (await merchant.send(method, path, json=json)).status_code == 403
        assert (await caller.client.request(method, path, json=json)).status_code == 401


async def test_what_is_missing_is_404(caller: Any) -> None:
    assert (await caller.send("GET", PATH)).json()["code"] == "not-found"
    assert (await caller.send("GET", "/v1/first-purchase/versions/9")).status_code == 404


async def test_the_list_shows_the_newest_version_of_each_rule_by_pages(caller: Any) -> None:
    await caller.send("PUT", "/v1/rules/b/versions/1", json=RULE)
    await caller.send("PUT", "/v1/rules/b/versions/2", json=RULE | {"retired": True})
    await caller.send("PUT", "/v1/rules/a/versions/1", json=RULE)
    page = (await caller.send("GET", "/v1/rules?limit=1")).json()
    assert ([i["rule"] for i in page["items"]], page["next"]) == (["a"], "a")
    rest = (await caller.send("GET", "/v1/rules?limit=1&after=a")).json()
    assert [(i["rule"], i["version"]) for i in rest["items"]] == [("b", 2)]
    end = (await caller.send("GET", "/v1/rules?after=b")).json()
    assert end == {"items": [], "next": None}


@pytest.mark.SH7
async def test_a_basket_is_tried_without_a_trace(caller: Any, pool: Any, make: Any) -> None:
    far = RULE | {"condition": {">": [{"var": "amount_rial"}, 9_000_000]}, "merchants": []}
    await caller.send("PUT", PATH, json=RULE)
    await caller.send("PUT", "/v1/rules/rich/versions/1", json=far)
    heard = [consumer.event(topics.CAMPAIGNS_RULES, e) for e in await said(pool)]
    async with pool.transaction() as tx:
        await rules_consumer.on_campaigns_rules(tx, heard)
        await programmes.keep_programmes(tx, [make.programme(excluded_categories=("tobacco",))])
        await programmes.keep_terms(tx, [make.terms()])
    lines = [
        {"line": 1, "amount_rial": 700_000},
        {"line": 2, "amount_rial": 300_000, "category": "tobacco"},
    ]
    basket = {"merchant": 5, "amount_rial": 1_000_000, "lines": lines}
    answer = await caller.send("POST", "/v1/rules/evaluate", json=basket)
    found = answer.json()
    assert answer.status_code == 200
    assert (found["points"], found["programme_version"]) == (140, 1)
    assert [(a["rule"], a["line"], a["amount"]) for a in found["awards"]] == [
        ("base", 1, 70), ("nowruz", 1, 70),
    ]  # fmt: skip
    assert [u["reason"]["code"] for u in found["unearned"]] == ["category-excluded"]
    told = {e["rule"]: e for e in found["explanations"]}
    assert told["nowruz"]["outcome"] == "awarded"
    assert told["rich"]["outcome"] == "condition-failed"
    (clause,) = told["rich"]["failed"]
    assert (clause["path"], clause["found"]) == ("/condition/>", [1_000_000, 9_000_000])
    later = (make.now + timedelta(days=60)).isoformat()
    after = (
        await caller.send("POST", "/v1/rules/evaluate", json=basket | {"accepted_at": later})
    ).json()
    assert {e["outcome"] for e in after["explanations"]} == {"not-live"}
    history = (
        await caller.send("POST", "/v1/rules/evaluate", json=basket | {"channel": "history"})
    ).json()
    assert {e["outcome"] for e in history["explanations"]} == {"history-base-only"}
    async with pool.read() as tx:
        assert await tx.fetchval("select count(*) from decisions") == 0
        assert await tx.fetchval("select count(*) from outbox_messages") == 0


async def test_a_trial_lets_others_run_between_its_rules(pool: Any, make: Any) -> None:
    turns = 0

    async def road() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with pool.transaction() as tx:
        await rules.keep_rules(tx, [make.rule(rule=f"rule-{n}") for n in range(20)])
        await programmes.keep_programmes(tx, [make.programme()])
        await programmes.keep_terms(tx, [make.terms()])
        caches = make.caches()
        await awards.refresh(tx, caches)
    beside = asyncio.create_task(road())
    found = await awards.evaluate(
        make.screened().transaction, occurred_at=make.now, accepted_at=make.now, caches=caches
    )
    beside.cancel()
    assert len(found.explanations) >= 20
    assert turns >= len(found.explanations) - 1


async def test_baskets_are_tried_one_after_the_other(caller: Any) -> None:
    one = caller.app.state.resources.shared(one_trial)
    basket = {"merchant": 5, "amount_rial": 1}
    async with one:
        waiting = asyncio.create_task(caller.send("POST", "/v1/rules/evaluate", json=basket))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
    assert (await waiting).status_code == 200


async def test_a_redemption_is_tried_too(caller: Any, pool: Any, make: Any) -> None:
    basket = {"merchant": 5, "amount_rial": 1_000_000, "kind": "redemption", "points": 100}
    none = (await caller.send("POST", "/v1/rules/evaluate", json=basket)).json()
    assert [r["code"] for r in none["decline"]] == ["no-programme"]
    async with pool.transaction() as tx:
        await programmes.keep_programmes(tx, [make.programme()])
        await programmes.keep_terms(tx, [make.terms()])
    found = (await caller.send("POST", "/v1/rules/evaluate", json=basket)).json()
    assert found["redemption"]["points_value_rial"] == 50_000


async def test_a_basket_that_does_not_add_up_is_refused(caller: Any) -> None:
    wrong = {"merchant": 5, "amount_rial": 2, "lines": [{"line": 1, "amount_rial": 1}]}
    twice = {
        "merchant": 5,
        "amount_rial": 2,
        "lines": [{"line": 1, "amount_rial": 1}, {"line": 1, "amount_rial": 1}],
    }
    for body in (wrong, twice, {"merchant": 5, "amount_rial": 1.5}):
        refused = await caller.send("POST", "/v1/rules/evaluate", json=body)
        assert refused.status_code == 422


async def test_the_first_purchases_versions(caller: Any) -> None:
    installed = (await caller.send("GET", "/v1/first-purchase/versions/1")).json()
    assert (installed["amount_rial"], installed["validity_days"]) == (200_000, 60)
    body = {
        "effective_from": "2026-04-01T00:00:00Z",
        "amount_rial": 300_000,
        "validity_days": None,
        "title_fa": "خوش‌آمد",
        "title_en": "Welcome",
    }
    path = "/v1/first-purchase/versions/2"
    assert (await caller.send("PUT", path, json=body)).status_code == 201
    assert (await caller.send("PUT", path, json=body)).status_code == 200
    other = await caller.send("PUT", path, json=body | {"amount_rial": 1})
    assert (other.status_code, other.json()["code"]) == (422, "already-exists-differently")
    floated = await caller.send("PUT", path, json=body | {"amount_rial": 1.5})
    assert floated.status_code == 422


# -------------------------------------------------------------------------------------- the trail


async def test_every_write_leaves_who_and_what(caller: Any, pool: Any) -> None:
    trail = await Trail.of(pool)
    gift = {
        "effective_from": "2027-03-20T00:00:00+03:30",
        "amount_rial": 100_000,
        "validity_days": 30,
        "funder": 1,
        "title_fa": "هدیه",
        "title_en": "Gift",
    }
    calls = ((PATH, RULE), ("/v1/first-purchase/versions/2", gift))
    for path, body in calls:
        answer = await caller.send("PUT", path, json=body)
        assert answer.status_code == 201, answer.text
    items = await trail.rows()
    app = caller.app
    writes = {r for r in services.routes_of(app) if r.startswith("PUT ")}  # a POST evaluates only
    assert {item["route"] for item in items} == writes
    assert {(item["subject"], item["act"]) for item in items} == {("sara", "write")}
    assert items[0]["after"]["rule"] == "nowruz"
