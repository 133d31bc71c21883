"""The Kafka doors: golden examples, poison, outcomes, names on two shards; every batch twice."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import contracts
from contracts import envelope, topics
from contracts.envelope import Envelope
from contracts.fraud import NameSeen, ScreeningDecision, TerminalsSeen
from contracts.ledger import Outcome
from contracts.values import Channel, Kind, Status, name_parts
from fraud.alerts import consumer as alerts_consumer
from fraud.alerts import usecases as alerts
from fraud.cases import consumer as cases_consumer
from fraud.cases import usecases as cases
from fraud.cases.domain import CaseStatus, ReviewOutcome
from fraud.screening import consumer, usecases
from fraud.screening.domain import decisions
from fraud.screening.domain import reasons as screening_reasons
from fraud.screening.usecases import ScreeningState
from kit.base import db, errors
from kit.stream.consumer import Event, event

EXAMPLES = Path(contracts.__file__).parents[1] / "examples"
Screened = Callable[[db.Tx], list[Envelope[Any]]]
Sale = Callable[..., Event]


def golden(topic: topics.Topic) -> list[Event]:
    found = sorted((EXAMPLES / topic.name).glob("*.json"))
    assert found
    return [
        event(topic, envelope.decode(path.read_bytes(), dict(topic.events)), offset=place)
        for place, path in enumerate(found)
    ]


def poison(raw: bytes, **fields: Any) -> Event:
    return Event(
        topic="pos.transactions",
        partition=4,
        offset=9,
        at=fields.pop("at"),
        headers=fields.pop("headers", {}),
        key=b"",
        raw=raw,
        envelope=None,
        error="malformed JSON",
    )


async def twice(
    handle: Callable[[db.Tx, list[Event]], Any], tx: db.Tx, batch: list[Event]
) -> tuple[list[Any], list[Any]]:
    await handle(tx, batch)
    first = tx.take_messages()
    await handle(tx, batch)
    return first, tx.take_messages()


# --------------------------------------------------------------------------------------- the road


async def test_every_golden_transaction_is_screened_once(tx: db.Tx, state: ScreeningState) -> None:
    handle = consumer.road(state).handle
    first, second = await twice(handle, tx, golden(topics.POS_TRANSACTIONS))
    on_road = [m for m in first if m.topic == topics.FRAUD_SCREENED.name]
    assert len(on_road) == len(golden(topics.POS_TRANSACTIONS))
    assert second == on_road
    for message in on_road:
        envelope.decode(message.value, dict(topics.FRAUD_SCREENED.events))
    for message in first:
        if message.topic == topics.FRAUD_TERMINALS.name:
            envelope.decode(message.value, dict(topics.FRAUD_TERMINALS.events))


async def test_an_unreadable_record_is_refused_under_the_hash_of_its_bytes(
    tx: db.Tx, state: ScreeningState, now: datetime, screened: Screened, sale: Sale
) -> None:
    """In the midst of a batch, with its reply address, without stopping the shard."""
    road = consumer.road(state)
    assert road.poison.value == "pass"
    bad = poison(b"{\xff", at=now, headers={"reply-topic": b"r", "correlation-id": b"7"})
    batch = [sale(1), bad, sale(2)]
    await road.handle(tx, batch)
    assert dict(tx.messages[1].headers)["correlation-id"] == b"7"
    assert tx.messages[1].partition == 4
    said = screened(tx)
    assert [one.type for one in said] == [
        "transaction-screened.v1",
        "transaction-refused.v1",
        "transaction-screened.v1",
    ]
    refused = said[1].data
    assert name_parts(refused.name)[0].value == "u"
    assert (refused.transaction, refused.reason.code) == (None, screening_reasons.UNREADABLE)
    await road.handle(tx, batch)
    assert screened(tx) == said
    replayed = msgspec.structs.replace(bad, headers={"replay": b"1"}, raw=b"other")
    await road.handle(tx, [replayed])
    assert screened(tx)[0].data.replayed
    assert await tx.fetchval("select count(*) from decisions") == 3


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"name": "t.1.1.\x00"}, False),
        ({"name": "no name"}, False),
        ({"identifier_id": "a\x00b"}, True),
    ],
)
async def test_what_the_database_refuses_becomes_a_refusal(
    database: db.Database,
    state: ScreeningState,
    screened: Screened,
    sale: Sale,
    fields: dict[str, Any],
    kept: bool,
    committed: None,
) -> None:
    road = consumer.road(state)
    bad = sale(1, **fields)
    if fields != {"name": "no name"}:  # which the database would keep
        with pytest.raises(errors.Permanent):
            async with database.transaction() as tx:
                await road.handle(tx, [bad])
    assert road.refuse is not None
    answers: list[Any] = []
    for _ in range(2):
        async with database.transaction() as tx:
            await road.refuse(tx, bad, "bad-datum: a byte \x00 that cannot be kept")
            answers += screened(tx)
    assert answers[0] == answers[1]
    refused = answers[0].data
    assert answers[0].type == "transaction-refused.v1"
    assert (refused.name == "t.10000017.1.1") is kept
    assert "\x00" not in refused.reason.en


async def test_a_refused_name_stays_refused_on_the_road(
    tx: db.Tx, state: ScreeningState, screened: Screened, sale: Sale
) -> None:
    road = consumer.road(state)
    assert road.refuse is not None
    await road.refuse(tx, sale(1), "bad-datum: x")
    await road.handle(tx, [sale(1)])
    first, second = screened(tx)
    assert (first.type, second.type) == ("transaction-refused.v1",) * 2
    inquiry = sale(2, kind=Kind.INQUIRY)
    await road.refuse(tx, inquiry, "bad-datum: x")
    assert await tx.fetchval("select count(*) from decisions") == 1


# ----------------------------------------------------------------------------------------- cases


def outcome(name: str, status: Status, command: str = "post-transaction.v1", **f: Any) -> Event:
    at = datetime.fromisoformat("2025-06-01T09:00:05+00:00")
    said = Envelope(
        id=f"outcome-{name}",
        type="outcome-recorded.v1",
        key="1000001",
        occurred_at=at,
        accepted_at=at,
        data=Outcome(sequence=1, name=name, command=command, status=status, decided_at=at, **f),
    )
    return event(topics.LEDGER_ENTRIES, said, partition=5)


async def held(tx: db.Tx, state: ScreeningState, sale: Sale, sequence: int = 1) -> str:
    record = sale(sequence, amount_rial=2_000_000_001)
    await usecases.screen_transactions(tx, state, [record])
    tx.take_messages()
    return decisions.case_id(5, f"t.10000017.1.{sequence}")


async def test_golden_outcomes_are_heard(tx: db.Tx) -> None:
    first, second = await twice(cases_consumer.on_ledger_entries, tx, golden(topics.LEDGER_ENTRIES))
    assert first == second == []


@pytest.mark.parametrize(
    ("status", "then"),
    [
        (Status.UNDER_REVIEW, CaseStatus.OPEN),
        (Status.COMPLETED, CaseStatus.VOID),
        (Status.REFUSED, CaseStatus.VOID),
    ],
)
async def test_a_case_hears_its_outcome(
    tx: db.Tx, state: ScreeningState, sale: Sale, status: Status, then: CaseStatus
) -> None:
    case_id = await held(tx, state, sale)
    heard = [outcome("t.10000017.1.1", status), outcome("t.10000017.1.9", Status.COMPLETED)]
    await twice(cases_consumer.on_ledger_entries, tx, heard)
    case = await cases.get_case(tx, case_id)
    assert (case.status, case.ledger_status) == (then, status)


@pytest.mark.parametrize(
    ("decision", "status", "then"),
    [
        (ReviewOutcome.RELEASE, Status.COMPLETED, CaseStatus.RELEASED),
        (ReviewOutcome.CANCEL, Status.COMPLETED, CaseStatus.CANCELLED),
        (ReviewOutcome.RELEASE, Status.REFUSED, CaseStatus.REFUSED),
    ],
)
async def test_a_verdict_is_one_command_and_shows_the_ledgers_answer(
    tx: db.Tx,
    state: ScreeningState,
    sale: Sale,
    now: datetime,
    decision: ReviewOutcome,
    status: Status,
    then: CaseStatus,
) -> None:
    case_id = await held(tx, state, sale)
    await cases_consumer.on_ledger_entries(tx, [outcome("t.10000017.1.1", Status.UNDER_REVIEW)])
    at = now + timedelta(hours=1)
    for _ in range(2):
        case = await cases.decide_case(tx, case_id, decision, "seen", reviewer="sara", now=at)
        assert (case.status, case.decided_at) == (CaseStatus.DECIDED, at)
    (message,) = tx.take_messages()
    assert (message.topic, message.partition, message.numbered) == ("ledger.commands", 5, True)
    command = envelope.decode(message.value or b"", dict(topics.LEDGER_COMMANDS.events))
    assert command.type == f"{decision.value}-pending.v1"
    assert (command.accepted_at, command.key) == (at, "1000001")
    assert (command.data.name, command.data.original) == (f"v.{case_id}", "t.10000017.1.1")
    assert (command.data.case_id, command.data.reviewer) == (case_id, "sara")
    answer = outcome(command.data.name, status, command.type, code="x")
    await twice(cases_consumer.on_ledger_entries, tx, [answer])
    case = await cases.get_case(tx, case_id)
    assert (case.status, case.answer_code) == (then, "x")
    assert case.answered_at is not None


# ---------------------------------------------------------------------------------------- alerts


def seen(shard: int, fingerprint: str, name: str = "t.1.1.1", offset: int = 0) -> Event:
    at = datetime.fromisoformat("2025-06-01T09:00:05+00:00")
    said = Envelope(
        id=f"seen-{shard}-{name}",
        type="terminals-seen.v1",
        key="1",
        occurred_at=at,
        accepted_at=at,
        fingerprint=fingerprint,
        data=TerminalsSeen(
            names=(
                NameSeen(
                    name=name,
                    terminal=1,
                    merchant=7,
                    shard=shard,
                    account=shard,
                    fingerprint=fingerprint,
                    seen_at=at,
                ),
            )
        ),
    )
    return event(topics.FRAUD_TERMINALS, said, offset=offset)


async def test_golden_sightings_raise_nothing(tx: db.Tx) -> None:
    await twice(alerts_consumer.on_fraud_terminals, tx, golden(topics.FRAUD_TERMINALS))
    assert await alerts.list_alerts(tx, after=0, limit=9) == []


async def test_one_name_on_two_shards_raises_one_alert(tx: db.Tx) -> None:
    await twice(alerts_consumer.on_fraud_terminals, tx, [seen(1, "f"), seen(1, "f", "t.1.1.2")])
    assert await alerts.list_alerts(tx, after=0, limit=9) == []
    await twice(alerts_consumer.on_fraud_terminals, tx, [seen(2, "g"), seen(3, "f")])
    found = await alerts.list_alerts(tx, after=0, limit=9)
    assert [(a.kind.value, a.first.shard, a.second.shard) for a in found] == [
        ("name-with-two-payloads", 1, 2),
        ("name-on-two-shards", 1, 3),
    ]
    assert await alerts.list_alerts(tx, after=found[-1].number, limit=9) == []


async def test_what_the_road_says_of_a_name_on_two_shards_is_what_raises_it(
    tx: db.Tx, state: ScreeningState, sale: Sale
) -> None:
    """Through the whole room: an identifier of an account on another shard posts, and shows."""
    await usecases.screen_transactions(tx, state, [sale(1), sale(1, shard=6, account=1_000_002)])
    assert [
        envelope.decode(m.value or b"", dict(topics.FRAUD_SCREENED.events)).data.decision
        for m in tx.messages
        if m.topic == topics.FRAUD_SCREENED.name
    ] == [ScreeningDecision.ALLOW] * 2
    told = [
        event(
            topics.FRAUD_TERMINALS,
            envelope.decode(m.value or b"", dict(topics.FRAUD_TERMINALS.events)),
        )
        for m in tx.take_messages()
        if m.topic == topics.FRAUD_TERMINALS.name
    ]
    await alerts_consumer.on_fraud_terminals(tx, told)
    (alert,) = await alerts.list_alerts(tx, after=0, limit=9)
    assert {alert.first.shard, alert.second.shard} == {5, 6}


async def test_an_online_name_meets_itself_whichever_terminal_sent_it(
    tx: db.Tx, state: ScreeningState, sale: Sale
) -> None:
    """The sights of one name must reach one partition, or two of them may miss each other."""
    online = {"name": "o.7.77.purchase", "channel": Channel.ONLINE}
    partitions: set[int | None] = set()
    for n in range(4):  # a poll each, as two shards have them
        one = sale(n, shard=5 + n, account=1_000_001 + n, terminal=10_000_017 + n, **online)
        await usecases.screen_transactions(tx, state, [one])
        (told,) = [m for m in tx.take_messages() if m.topic == topics.FRAUD_TERMINALS.name]
        assert told.key == b"o.7.77.purchase"
        partitions.add(told.partition)
    assert len(partitions) == 1
