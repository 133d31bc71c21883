"""The verbs of the road and of rules on a real database; every batch twice."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from contracts.fraud import ScreeningDecision
from contracts.values import Channel, Kind
from fraud.rules import domain as rules
from fraud.rules import usecases as publishing
from fraud.screening import usecases
from fraud.screening.domain import decisions, windows
from fraud.screening.domain import reasons as screening_reasons
from fraud.screening.usecases import ScreeningState
from kit.base import db, errors, versions
from kit.stream.consumer import Event

Screened = Callable[[db.Tx], list[Any]]
Sale = Callable[..., Event]
BURST = 10  # of the default rule card-burst


def burst(sale: Sale, count: int, first: int = 1, **fields: Any) -> list[Event]:
    return [sale(n, after_s=n, **fields) for n in range(first, first + count)]


async def table(tx: db.Tx, what: str) -> list[dict[str, Any]]:
    """All rows of a table, but what depends on the poll or the try that wrote them."""
    sql: dict[str, Any] = {
        "decisions": "select * from decisions order by shard, name",
        "windows": "select * from windows order by shard, key",
        "cases": "select * from cases order by case_id",
    }
    rows = [dict(row) for row in await tx.fetch(sql[what])]
    for row in rows:
        row.pop("recorded_at", None)
        row.pop("number", None)
        row.pop("touched_at", None)
    return rows


async def test_a_stolen_card_in_a_burst_is_declined_with_its_reason(
    tx: db.Tx,
    state: ScreeningState,
    sale: Sale,
    screened: Screened,
    declines: Callable[[], list[str]],
) -> None:
    await usecases.screen_transactions(tx, state, burst(sale, BURST + 2))
    said = screened(tx)
    assert declines() == [f"5.{one.data.transaction.name} card-burst" for one in said[BURST:]]
    await usecases.screen_transactions(tx, state, burst(sale, BURST + 2))
    assert screened(tx) == said
    assert declines() == []  # a repeat was told the first time
    decisions_made = [one.data.decision for one in said]
    assert decisions_made == [ScreeningDecision.ALLOW] * BURST + [ScreeningDecision.DECLINE] * 2
    reason = said[BURST].data.reasons[0]
    assert (reason.code, reason.rule, reason.version) == ("card-burst", "card-burst", 2)
    assert "11" in reason.en
    assert "۱۱" in reason.fa


async def test_second_delivery_changes_nothing_and_gets_the_first_answer(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    batch = burst(sale, BURST + 1)
    await usecases.screen_transactions(tx, state, batch)
    first = screened(tx)
    before = [await table(tx, name) for name in ("decisions", "windows", "cases")]
    await usecases.screen_transactions(tx, state, batch)
    assert screened(tx) == first
    assert [await table(tx, name) for name in ("decisions", "windows", "cases")] == before


async def test_a_repeat_goes_on_under_its_own_fingerprint_times_and_headers(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    first = sale(1, headers=(("reply-topic", b"gateway.replies"), ("correlation-id", b"1")))
    again = sale(
        1,
        after_s=90,
        amount_rial=5,
        envelope_id="another",
        headers=(("correlation-id", b"2"), ("traceparent", b"00-x"), ("deadline", b"9")),
    )
    await usecases.screen_transactions(tx, state, [first, again])
    headers = [dict(m.headers) for m in tx.messages if m.topic == "fraud.screened"]
    assert [h["correlation-id"] for h in headers] == [b"1", b"2"]
    assert headers[1]["traceparent"] == b"00-x"
    assert all(m.partition == 5 for m in tx.messages if m.topic == "fraud.screened")
    one, other = screened(tx)
    assert first.envelope is not None
    assert again.envelope is not None
    assert (one.fingerprint, other.fingerprint) == (
        first.envelope.fingerprint,
        again.envelope.fingerprint,
    )
    assert one.fingerprint != other.fingerprint
    assert other.accepted_at == again.envelope.accepted_at
    assert other.data.transaction.amount_rial == 5
    assert one.id != other.id
    (window,) = [row for row in await table(tx, "windows") if row["key"] == "m.7.card-1"]
    assert [len(s.ats) for s in windows.unpack(window["events"])] == [1, 0, 0]
    assert len(await table(tx, "decisions")) == 1


async def test_the_same_log_in_other_batches_gives_the_same_tables(
    fresh_database: Callable[[str], Awaitable[str]], sale: Sale
) -> None:
    """A stage that is rebuilt from its topic, with other batch borders, decides alike."""
    log = [
        sale(
            n % 97,
            after_s=(n * 977) % 1_500,
            identifier_id=f"card-{n % 3}",
            account=1_000_001 + n % 2,
            merchant=n % 11 + 1,
            amount_rial=n * 40_000_000,
            kind=(Kind.PURCHASE, Kind.PURCHASE, Kind.REDEMPTION, Kind.REFUND)[n % 4],
        )
        for n in range(120)
    ]
    images: list[list[Any]] = []
    for size in (1, 7, 120):
        opened = await db.Database.open(await fresh_database("fraud"), size=1)
        state = ScreeningState(decisions.Limits())
        for start in range(0, len(log), size):
            if size == 7 and start % 21 == 0:  # a crash before the commit, then the same again
                state = ScreeningState(decisions.Limits())
                with pytest.raises(ConnectionResetError):
                    async with opened.transaction() as tx:
                        await usecases.screen_transactions(tx, state, log[start : start + size])
                        raise ConnectionResetError
            async with opened.transaction() as tx:
                await usecases.screen_transactions(tx, state, log[start : start + size])
                tx.take_messages()
        async with opened.read() as tx:
            images.append([await table(tx, name) for name in ("decisions", "windows", "cases")])
        await opened.close()
    assert images[0] == images[1] == images[2]
    assert len(images[0][0]) == 97
    assert {row["decision"] for row in images[0][0]} == {"allow", "review", "decline"}


async def test_windows_of_a_card_reach_across_accounts_and_polls(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    for n in range(1, BURST + 2):
        await usecases.screen_transactions(tx, state, [sale(n, after_s=n, account=1_000_000 + n)])
    assert screened(tx)[-1].data.decision is ScreeningDecision.DECLINE
    await usecases.screen_transactions(tx, state, [sale(50, after_s=611)])  # the first ten are out
    assert screened(tx)[-1].data.decision is ScreeningDecision.ALLOW


async def test_a_held_purchase_opens_one_case_due_in_72_hours(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened, now: datetime
) -> None:
    large = [sale(n, amount_rial=700_000_000, merchant=n) for n in (2, 3)]  # in all 1.4e9
    await usecases.screen_transactions(tx, state, large)
    screened(tx)
    last = sale(1, amount_rial=700_000_000)
    for _ in range(2):
        await usecases.screen_transactions(tx, state, [last])
    one, other = screened(tx)
    assert one == other
    assert one.data.decision is ScreeningDecision.REVIEW
    assert one.data.review_due_at == now + timedelta(hours=72)
    (case,) = await table(tx, "cases")
    assert case["case_id"] == one.data.case_id == decisions.case_id(5, "t.10000017.1.1")
    assert (case["due_at"], case["status"]) == (now + timedelta(hours=72), "waiting")


async def test_history_is_counted_apart_never_too_old_and_never_refused(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened, now: datetime
) -> None:
    old = datetime(2019, 3, 1, tzinfo=UTC)
    past = [
        sale(n, channel=Channel.HISTORY, occurred_at=old, accepted_at=now + timedelta(hours=1))
        for n in range(1, 30)
    ]
    await usecases.screen_transactions(tx, state, past)
    assert {one.data.decision for one in screened(tx)} == {ScreeningDecision.ALLOW}
    await usecases.screen_transactions(tx, state, [sale(99)])
    assert {row["key"] for row in await table(tx, "windows")} == {
        "a.1000001",
        "m.7.card-1",
        "ha.1000001",
        "hm.7.card-1",
    }
    findings = await tx.fetchval("select findings from decisions where name like '%.99'")
    assert ["card-burst", 2, 1] in msgspec.json.decode(findings)


async def test_an_inquiry_leaves_no_decision_and_no_counter(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    asked = [sale(1, kind=Kind.INQUIRY), sale(2, kind=Kind.INQUIRY, identifier_blocked=True)]
    await usecases.screen_transactions(tx, state, asked)
    assert {m.topic for m in tx.messages} == {"fraud.screened"}
    assert [one.data.decision for one in screened(tx)] == [
        ScreeningDecision.ALLOW,
        ScreeningDecision.DECLINE,
    ]
    assert await table(tx, "decisions") == []
    assert await table(tx, "windows") == []


async def test_a_replayed_record_passes_uncounted_and_marked(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    large = {"amount_rial": 2_000_000_001}
    await usecases.screen_transactions(tx, state, [sale(1, **large)])
    tx.take_messages()
    before = [await table(tx, name) for name in ("decisions", "windows")]
    mark = (("replay", b"1"),)
    again = [sale(1, headers=mark, **large), sale(2, headers=mark, **large)]
    await usecases.screen_transactions(tx, state, again)
    assert {m.topic for m in tx.messages} == {"fraud.screened"}
    assert all(dict(m.headers)["replay"] == b"1" for m in tx.messages)
    known, unknown = screened(tx)
    assert (known.data.decision, known.data.replayed) == (ScreeningDecision.REVIEW, True)
    assert (unknown.data.decision, unknown.data.replayed) == (ScreeningDecision.ALLOW, True)
    assert [await table(tx, name) for name in ("decisions", "windows")] == before


async def test_refused_stays_refused_when_the_till_asks_again(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened, now: datetime
) -> None:
    ahead = msgspec.structs.replace(sale(1), at=now - timedelta(seconds=11))
    await usecases.screen_transactions(tx, state, [ahead])
    await usecases.screen_transactions(tx, state, [sale(1, after_s=30)])
    first, second = screened(tx)
    assert (first.type, second.type) == ("transaction-refused.v1", "transaction-refused.v1")
    assert first.data.reason == second.data.reason
    assert first.data.reason.code == screening_reasons.CLOCK_AHEAD
    assert await table(tx, "windows") == []


async def test_a_name_is_told_to_its_terminals_stream_once(
    tx: db.Tx, state: ScreeningState, sale: Sale
) -> None:
    batch = [sale(1), sale(1, after_s=2), sale(2, terminal=0), sale(3)]
    await usecases.screen_transactions(tx, state, batch)
    (told,) = [m for m in tx.messages if m.topic == "fraud.terminals"]
    assert told.key == b"10000017"
    assert told.partition is not None
    assert told.numbered
    body = msgspec.json.decode(told.value or b"")["data"]
    assert [(seen["shard"], seen["name"]) for seen in body["names"]] == [
        (5, "t.10000017.1.1"),
        (5, "t.10000017.1.3"),
    ]


# ------------------------------------------------------------------------------------------ rules


def version(number: int, **fields: Any) -> rules.Rule:
    given = {
        "rule": "card-burst",
        "version": number,
        "effective_from": datetime(2025, 1, 1, tzinfo=UTC),
        "over": "card_at_merchant",
        "counts": "sales",
        "measure": "count",
        "window": "10m",
        "threshold": 1,
        "on_purchase": "hold",
        "on_redemption": "allow",
        "fa": "{value}",
        "en": "{value} of {threshold}",
    } | fields
    return msgspec.convert(given, rules.Rule)


async def test_a_new_version_counts_from_the_next_poll_on(
    tx: db.Tx, state: ScreeningState, sale: Sale, screened: Screened
) -> None:
    await usecases.screen_transactions(tx, state, [sale(1)])
    assert await publishing.publish_rule(tx, version(3), author="sara")
    assert not await publishing.publish_rule(tx, version(3), author="sara")
    await usecases.screen_transactions(tx, state, [sale(2, after_s=1)])
    first, second = screened(tx)
    assert (first.data.decision, second.data.decision) == (
        ScreeningDecision.ALLOW,
        ScreeningDecision.REVIEW,
    )
    assert second.data.reasons[0].version == 3


async def test_a_version_is_published_once_and_in_order(tx: db.Tx) -> None:
    with pytest.raises(versions.VersionNotNext):
        await publishing.publish_rule(tx, version(4), author="sara")
    with pytest.raises(versions.AlreadyExistsDifferently):
        await publishing.publish_rule(tx, version(1), author="sara")
    with pytest.raises(versions.EffectiveTooSoon):
        await publishing.publish_rule(
            tx, version(3, effective_from=datetime(1969, 12, 31, tzinfo=UTC)), author="sara"
        )
    with pytest.raises(errors.NotFound):
        await publishing.get_rule(tx, "card-burst", 3)
    with pytest.raises(errors.Invalid):
        await publishing.publish_rule(tx, version(3, on_redemption="hold"), author="sara")
    assert (await publishing.get_rule(tx, "card-burst", 1)).threshold == BURST


async def test_a_stored_rule_that_does_not_read_is_left_out_and_the_road_goes_on(
    tx: db.Tx, state: ScreeningState, sale: Sale
) -> None:
    await usecases.screen_transactions(tx, state, [sale(1)])
    known = [live.rule for live in state.book.in_force(2**60)]
    await tx.execute(
        "insert into rule_versions (rule, version, effective_from, author, body)"
        " values ('from-tomorrow', 1, now(), 'tester', '{\"rule\": 7}')"
    )
    await publishing.announce_change(tx)
    await usecases.screen_transactions(tx, state, [sale(2)])
    assert state.book.revision > 1
    assert [live.rule for live in state.book.in_force(2**60)] == known
    assert await tx.fetchval("select count(*) from decisions where name like 't.%.2'") == 1


@pytest.mark.parametrize("spoilt", [b"", b"\x01", bytes(8), b"\x07" * 32], ids=repr)
async def test_a_key_whose_events_are_spoilt_begins_anew(
    tx: db.Tx, state: ScreeningState, sale: Sale, spoilt: bytes
) -> None:
    await usecases.screen_transactions(tx, state, [sale(1), sale(2, account=1_000_009)])
    await tx.execute("update windows set events = $1 where key like 'a.%1000001'", spoilt)
    other = await tx.fetchval("select events from windows where key like 'a.%1000009'")
    await usecases.screen_transactions(tx, state, [sale(3, after_s=5)])
    mine = await tx.fetchval("select events from windows where key like 'a.%1000001'")
    assert [len(series.ats) for series in windows.unpack(mine)] == [1, 0, 0]
    assert await tx.fetchval("select events from windows where key like 'a.%1000009'") == other
