"""Local tables: monotonic, rebuilt from their messages alone, and each process's memory of them."""

from datetime import timedelta
from typing import Any

from campaigns.awards import store as awards_store
from campaigns.programmes import consumer as programmes_consumer
from campaigns.programmes import usecases as programmes
from campaigns.rules import consumer as rules_consumer
from campaigns.rules import usecases as rules
from campaigns.rules.domain import book
from contracts import topics
from contracts.envelope import Envelope
from contracts.merchants import Heartbeat
from kit.stream import consumer

TABLES = {
    "programmes": "select merchant, version, body::text from programmes order by 1, 2",
    "terms": "select version, body::text from terms order by 1",
    "live_rules": "select rule, version, body::text from live_rules order by 1, 2",
}


async def content(tx: Any) -> dict[str, list[tuple[Any, ...]]]:
    return {name: [tuple(r) for r in await tx.fetch(sql)] for name, sql in TABLES.items()}


async def hear(tx: Any, facts: list[Any], make: Any) -> None:
    """Each topic's messages to its own handler, as three polls."""
    handlers = {
        "merchants.programmes": programmes_consumer.on_merchants_programmes,
        "merchants.terms": programmes_consumer.on_merchants_terms,
        "campaigns.rules": rules_consumer.on_campaigns_rules,
    }
    events = [make.state_event(fact) for fact in facts]
    for topic, handle in handlers.items():
        await handle(tx, [event for event in events if event.topic == topic])


async def test_local_tables_dropped_and_rebuilt_are_the_same(tx: Any, make: Any) -> None:
    facts = [
        make.programme(),
        make.programme(version=2, earn_points=3),
        make.programme(merchant=6, party=60),
        make.terms(),
        make.terms(version=2, price_rial=600),
        make.rule(),
        make.rule(version=2, condition={"==": [{"var": "hour"}, 9]}),
    ]
    await hear(tx, facts, make)
    first = await content(tx)
    assert {name: len(rows) for name, rows in first.items()} == {
        "programmes": 3, "terms": 2, "live_rules": 2,
    }  # fmt: skip
    await hear(tx, facts, make)  # delivered again
    assert await content(tx) == first
    await tx.execute("delete from programmes; delete from terms; delete from live_rules")
    for fact in reversed(facts):  # one at a time, in another order
        await hear(tx, [fact], make)
    assert await content(tx) == first
    old, new = make.caches(), make.caches()
    for caches in (old, new):
        await programmes.refresh(tx, caches.programmes)
        await rules.refresh(tx, caches.rules)
    assert old.programmes == new.programmes
    assert len(old.rules.book.versions["nowruz"]) == 2


async def test_a_version_once_heard_is_never_changed(tx: Any, make: Any) -> None:
    await hear(tx, [make.programme()], make)
    before = await content(tx)
    await hear(tx, [make.programme(earn_points=99)], make)
    assert await content(tx) == before


async def test_memory_follows_the_tables_by_revision(tx: Any, make: Any) -> None:
    cache, rule_cache = programmes.ProgrammeCache(), rules.RuleCache()
    await programmes.refresh(tx, cache)
    assert programmes.find_programme(cache, 5, 1) is None
    await hear(tx, [make.programme(), make.terms()], make)
    await programmes.refresh(tx, cache)
    assert programmes.find_programme(cache, 5, 1) == make.programme()
    assert programmes.find_terms(cache, 1) == make.terms()
    known = cache.revision
    await programmes.refresh(tx, cache)
    assert cache.revision == known
    late = make.programme(version=2, effective_from=make.now)
    await hear(tx, [late, make.rule()], make)
    await programmes.refresh(tx, cache)
    await rules.refresh(tx, rule_cache)
    before = make.now - timedelta(seconds=1)
    assert programmes.find_programme_as_of(cache, 5, make.now) == late
    assert programmes.find_programme_as_of(cache, 5, before) == make.programme()
    assert programmes.find_programme_as_of(cache, 5, make.now - timedelta(days=900)) is None
    assert programmes.find_terms_as_of(cache, make.now - timedelta(days=900)) is None
    assert book.chains(rule_cache.book, 5)


async def test_a_backdated_version_is_in_force_before_the_others_only(tx: Any, make: Any) -> None:
    cache = programmes.ProgrammeCache()
    long_ago = make.now - timedelta(days=9_000)
    old = {"version": 2, "effective_from": long_ago}
    both = [make.programme(), make.programme(**old), make.terms(), make.terms(**old)]
    await hear(tx, both, make)
    await programmes.refresh(tx, cache)
    for at, version in ((make.now, 1), (long_ago, 2)):
        programme = programmes.find_programme_as_of(cache, 5, at)
        terms = programmes.find_terms_as_of(cache, at)
        assert (programme and programme.version, terms and terms.version) == (version, version)


async def test_a_heartbeat_changes_nothing(tx: Any, make: Any) -> None:
    beat = Heartbeat(room="merchants", at=make.now)
    said = Envelope(id="x", type="heartbeat.v1", key="merchants", occurred_at=make.now,
                    accepted_at=make.now, data=beat)  # fmt: skip
    await programmes_consumer.on_merchants_programmes(
        tx, [consumer.event(topics.MERCHANTS_PROGRAMMES, said)]
    )
    await programmes_consumer.on_merchants_terms(tx, [consumer.event(topics.MERCHANTS_TERMS, said)])
    assert await tx.fetchval("select count(*) from programmes") == 0


async def test_a_rule_that_does_not_compile_is_left_out_and_the_road_goes_on(
    tx: Any, make: Any
) -> None:
    strange = make.rule(rule="from-tomorrow", condition={"sentiment": ["happy"]})
    await rules.keep_rules(tx, [strange, make.rule()])
    cache = rules.RuleCache()
    await rules.refresh(tx, cache)
    assert set(cache.book.versions) == {"nowruz"}
    known = cache.revision
    await rules.refresh(tx, cache)
    assert cache.revision == known


async def test_decisions_are_found_by_shard_and_name_and_pruned_by_age(tx: Any, make: Any) -> None:
    old = make.now - timedelta(days=401)
    await awards_store.insert_decisions(
        tx,
        [(1, "t.1.1.1", b"a", old), (2, "t.1.1.1", b"b", make.now), (1, "t.1.1.2", b"c", old)],
    )
    _, found = await awards_store.find_outputs(tx, [(1, "t.1.1.1"), (2, "t.1.1.2")])
    assert found == {(1, "t.1.1.1"): b"a"}
    before = make.now - timedelta(days=400)
    assert await awards_store.delete_decisions(tx, before=before, limit=1) == 1
    assert await awards_store.delete_decisions(tx, before=before, limit=10) == 1
    assert await tx.fetchval("select count(*) from decisions") == 1


async def test_a_stored_version_that_does_not_read_is_left_out_and_the_road_goes_on(
    tx: Any, make: Any
) -> None:
    await hear(tx, [make.programme(), make.programme(version=2), make.terms(), make.rule()], make)
    await rules.keep_rules(tx, [make.rule(rule="yalda")])
    await tx.execute('update programmes set body = \'{"merchant": "x"}\' where version = 2')
    await tx.execute("update live_rules set body = '[]' where rule = 'yalda'")
    caches = make.caches()
    await programmes.refresh(tx, caches.programmes)
    await rules.refresh(tx, caches.rules)
    assert programmes.find_programme(caches.programmes, 5, 1) == make.programme()
    assert programmes.find_programme(caches.programmes, 5, 2) is None
    assert set(caches.rules.book.versions) == {"nowruz"}
