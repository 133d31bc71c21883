"""Kafka's doors of the edge: the tables' topics, and this instance's replies."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from contracts import envelope, topics
from contracts.envelope import Envelope
from contracts.house import DeadLetter
from contracts.keys import HEAD_BYTES, Ring
from contracts.ledger import Reply
from contracts.members import Identifier
from contracts.merchants import Heartbeat, MerchantStanding
from contracts.topics import Topic
from gateway import store
from gateway.settings import Settings
from gateway.store import Place, Row, Table, Tables
from gateway.usecases.guard import STATE_TOPICS, Guard
from gateway.usecases.waiting import Waiting
from kit import clock, errors, isolation, kafka, letters, outbox, telemetry
from kit.kafka import Record
from kit.telemetry import Metric

log = logging.getLogger(__name__)

CATCH_UP_RECORDS: Final = 5_000
LIVE_RECORDS: Final = 500  # about 10 ms of the loop
RETRY_S: Final = 0.5
POISON_MAX: Final = 20  # records no decoder reads; then the fault is ours, and we stop
FROM_THE_START: Final = 2**62
PROBE: Final = b"probe"

_EVENTS: Final[dict[str, dict[str, Any]]] = {t.name: dict(t.events) for t in STATE_TOPICS}
_reply: Final = msgspec.json.Decoder(Envelope[Reply]).decode


def on_members_identifiers(said: Sequence[Any]) -> list[Row]:
    """Rows of a poll of members.identifiers."""
    return [store.identifier_row(one) for one in said]


def on_merchants_terminals(said: Sequence[Any]) -> list[Row]:
    """Rows of a poll of merchants.terminals: of terminals, and of merchants stopped or opened."""
    return [
        store.merchant_row(one) if isinstance(one, MerchantStanding) else store.terminal_row(one)
        for one in said
    ]


def on_merchants_programmes(said: Sequence[Any]) -> list[Row]:
    """Rows of a poll of merchants.programmes."""
    return [store.programme_row(one) for one in said]


def on_merchants_terms(said: Sequence[Any]) -> list[Row]:
    """Rows of a poll of merchants.terms."""
    return [store.terms_row(one) for one in said]


HANDLERS: Final[dict[str, tuple[tuple[Table, ...], Callable[[Sequence[Any]], list[Row]]]]] = {
    topics.MEMBERS_IDENTIFIERS.name: ((Table.IDENTIFIERS,), on_members_identifiers),
    topics.MERCHANTS_TERMINALS.name: ((Table.TERMINALS, Table.MERCHANTS), on_merchants_terminals),
    topics.MERCHANTS_PROGRAMMES.name: ((Table.PROGRAMMES,), on_merchants_programmes),
    topics.MERCHANTS_TERMS.name: ((Table.TERMS,), on_merchants_terms),
}


def places_of(given: Sequence[Topic], settings: Settings) -> list[Place]:
    """Every partition of topics in this house."""
    return [
        (topic.name, partition)
        for topic in given
        for partition in range(
            topics.partitions(topic, shards=settings.shards, gateways=settings.gateways)
        )
    ]


@dataclass(slots=True)
class TablesFeed:
    """Keeps the tables as their topics say, from the offset stored beside the rows."""

    settings: Settings
    tables: Tables
    guard: Guard
    producer: kafka.Producer
    identifiers: Ring  # keys of digests; under another one nobody is found
    poisoned: int = 0

    async def run(self) -> None:
        """Follow the state topics for ever; a broker that is away is waited for.

        Raises Alarm once too many records were undecodable.
        """
        places = places_of(STATE_TOPICS, self.settings)
        self.guard.watch(places)
        for place, at_ms in self.tables.heartbeats(places).items():
            self.guard.heard(place, at_ms)
        while True:
            try:
                await self._follow(places)
            except errors.Unavailable as error:
                log.warning("state topics: %s", error)
            await asyncio.sleep(RETRY_S)

    async def _follow(self, places: Sequence[Place]) -> None:
        offsets = self.tables.offsets(places)
        reader = await kafka.Assigned.open(
            self.settings.kafka_bootstrap,
            client_id="gateway-tables",
            start={place: offsets[place] or None for place in places},
            last=FROM_THE_START,
        )
        try:
            ends = await reader.end_offsets()
            if self._beyond(offsets, ends, await reader.beginnings()):
                return
            behind = {place: end for place, end in ends.items() if end > offsets[place]}
            while True:
                if behind:
                    await self._settle_behind(reader, behind)
                self.guard.caught_up = self.guard.caught_up or not behind
                most = LIVE_RECORDS if self.guard.caught_up else CATCH_UP_RECORDS
                await self.apply(await reader.poll(max_records=most))
        except kafka.OffsetGone:
            log.warning("an offset is gone; the tables are checked against their topics")
        finally:
            await reader.close()

    async def _settle_behind(self, reader: kafka.Assigned, behind: dict[Place, int]) -> None:
        for place, end in list(behind.items()):
            if await reader.position(*place) >= end:
                del behind[place]

    def _beyond(
        self, offsets: dict[Place, int], ends: dict[Place, int], firsts: dict[Place, int]
    ) -> bool:
        """Rebuild tables whose topic was made anew or cut; whether there was any."""
        bad = {p[0] for p, at in offsets.items() if at and not firsts[p] <= at <= ends[p]}
        for topic in bad:
            log.warning("%s is not the topic it was; its table is built again", topic)
            self.tables.rebuild(HANDLERS[topic][0], [p for p in offsets if p[0] == topic])
            self.guard.caught_up = False
        return bool(bad)

    async def apply(self, records: Sequence[Record]) -> None:
        """Write one poll; a record that no table takes is buried, and the others are kept."""
        heard = [(record, await self._data(record)) for record in records]
        pieces = [heard] if heard else []
        while pieces:
            piece = pieces.pop(0)
            try:
                self._keep(piece)
            except Exception as error:
                if not isolation.of_a_record(error) or store.is_of_the_disk(error):
                    raise
                half = len(piece) // 2
                if half:
                    pieces[:0] = [piece[:half], piece[half:]]
                    continue
                ((record, _),) = piece
                await self._bury(record, record.value or b"", isolation.told(error))
                pieces.insert(0, [(record, None)])  # it is passed over

    def _keep(self, heard: Sequence[tuple[Record, Any]]) -> None:
        """Rows, offsets and heartbeats in one transaction of the store."""
        said: dict[str, list[Any]] = {}
        offsets: dict[Place, int] = {}
        heartbeats: dict[Place, int] = {}
        for record, data in heard:
            place = (record.topic, record.partition)
            offsets[place] = record.offset + 1
            if isinstance(data, Heartbeat):
                heartbeats[place] = record.timestamp_ms
            elif data is not None:
                said.setdefault(record.topic, []).append(data)
        rows = [row for topic, those in said.items() for row in HANDLERS[topic][1](those)]
        self.tables.apply(rows, offsets, heartbeats)
        self._tell_strange_keys(said.get(topics.MEMBERS_IDENTIFIERS.name, ()))
        for place, at_ms in heartbeats.items():
            self.guard.heard(place, at_ms)

    def _tell_strange_keys(self, said: Sequence[Identifier]) -> None:
        here = {key.head.hex() for key in self.identifiers}
        for head in {one.digest[: 2 * HEAD_BYTES] for one in said} - here:
            telemetry.count(Metric.ALARMS, "identifier-key-missing")
            log.error(
                "key %s is missing in PEYVAND_IDENTIFIER_KEYS: what it names is unknown at tills",
                head[2:],
            )

    async def _data(self, record: Record) -> Any:
        """What a record says; None for a tombstone, and for one that was buried."""
        if record.value is None:
            return None
        try:
            return envelope.decode(record.value, _EVENTS[record.topic]).data
        except envelope.Malformed as error:
            await self._bury(record, record.value, str(error))
            return None

    async def _bury(self, record: Record, raw: bytes, why: str) -> None:
        """Copy a record that cannot be used to the dead letters. Raises Alarm past the limit."""
        self.poisoned += 1
        telemetry.count(Metric.DEAD_LETTERS, "gateway-tables", "undecodable")
        why = letters.clean(why)
        log.error("%s/%d@%d: %s", record.topic, record.partition, record.offset, why)
        if self.poisoned > POISON_MAX:
            raise errors.Alarm("too many undecodable records on the state topics")
        await self.producer.send([_dead_letter(record, raw, why)])


def _dead_letter(record: Record, raw: bytes, why: str) -> outbox.Message:
    place = f"{record.topic}/{record.partition}/{record.offset}"
    at = clock.wall()
    said: Envelope[DeadLetter] = Envelope(
        id=envelope.follow(place, "dead-letter"),
        type="dead-letter.v1",
        key=record.topic,
        occurred_at=at,
        accepted_at=at,
        data=DeadLetter(
            room="gateway",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            code="undecodable",
            detail=why[:500],
            raw=raw[: letters.RAW_BYTES_MAX],
        ),
    )
    return outbox.message(topics.DEAD_LETTERS, said, partition=0)


@dataclass(slots=True)
class RepliesFeed:
    """Hears this instance's partition of gateway.replies, from its end on."""

    settings: Settings
    waiting: Waiting
    guard: Guard

    async def run(self) -> None:
        """Listen for ever; replies that came while the broker was away find nobody waiting."""
        while True:
            try:
                await self._listen()
            except (errors.Unavailable, kafka.OffsetGone) as error:
                log.warning("replies: %s", error)
            self.guard.replies_assigned = False
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        reader = await kafka.Assigned.open(
            self.settings.kafka_bootstrap,
            client_id="gateway-replies",
            start={(topics.GATEWAY_REPLIES.name, self.settings.reply_partition): None},
            fetch_max_wait_ms=100,
        )
        try:
            self.guard.replies_assigned = True
            while True:
                records = await reader.poll(max_records=LIVE_RECORDS, timeout_ms=500)
                self.on_gateway_replies(records)
                telemetry.gauge(Metric.REPLIES_PENDING, self.waiting.count)
        finally:
            await reader.close()

    def on_gateway_replies(self, records: Sequence[Record]) -> None:
        """Hand each reply to whoever waits; late ones are counted and dropped."""
        for record in records:
            self._hand(record)

    def _hand(self, record: Record) -> None:
        correlation = next((v for k, v in record.headers if k == "correlation-id"), None)
        if correlation is None or correlation == PROBE or record.value is None:
            return
        if not self.waiting.awaited(correlation):
            return
        try:
            said = _reply(record.value)
        except (ValueError, RecursionError) as error:
            telemetry.count(Metric.ALARMS, "reply-undecodable")
            log.error("a reply does not read: %s", error)
            return
        self.waiting.answer(correlation, said.data)


async def measure_clock(settings: Settings, producer: kafka.Producer, guard: Guard) -> None:
    """Send a probe to this instance's own reply partition and compare the broker's stamp.

    Only where that topic keeps the broker's time; transactions' acknowledgements are compared too.
    """
    if settings.sandbox or not topics.GATEWAY_REPLIES.append_time:
        return
    probe = outbox.Message(
        topics.GATEWAY_REPLIES.name,
        settings.reply_partition,
        PROBE,
        PROBE,
        (("correlation-id", PROBE),),
    )
    before: datetime = clock.wall()
    ack = await producer.send_one(probe, deadline_s=5.0)
    guard.note_append(before, ack.appended_at, clock.wall())
