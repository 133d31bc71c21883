"""Kafka's door of the tables: the state topics, from the offsets stored beside the rows."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts import envelope, topics
from contracts.envelope import Envelope
from contracts.identity import ApiKey
from contracts.keys import HEAD_BYTES, Ring
from contracts.members import Identifier
from contracts.merchants import Heartbeat, MerchantStanding
from contracts.platform import DeadLetter
from contracts.topics import Topic
from gateway.settings import Settings
from gateway.tables import store
from gateway.tables.store import Place, Row, Table, Tables
from gateway.tables.usecases.readiness import STATE_TOPICS, Readiness
from kit.base import clock, errors, telemetry
from kit.base.telemetry import Metric
from kit.stream import dead_letters, isolation, kafka, outbox
from kit.stream.kafka import Record

log = logging.getLogger(__name__)

CATCH_UP_RECORDS: Final = 5_000
LIVE_RECORDS: Final = 500  # about 10 ms of the loop
RETRY_S: Final = 0.5
DEAD_LETTERS_MAX: Final = 20  # records no decoder reads; then the fault is ours, and we stop
FROM_THE_START: Final = 2**62

_EVENTS: Final[dict[str, dict[str, Any]]] = {t.name: dict(t.events) for t in STATE_TOPICS}


def on_members_identifiers(records: Sequence[Any]) -> list[Row]:
    """Rows of a poll of members.identifiers."""
    return [store.identifier_row(record) for record in records]


def on_merchants_terminals(records: Sequence[Any]) -> list[Row]:
    """Rows of a poll of merchants.terminals: of terminals, and of merchants stopped or opened."""
    return [
        store.merchant_row(record)
        if isinstance(record, MerchantStanding)
        else store.terminal_row(record)
        for record in records
    ]


def on_merchants_programmes(records: Sequence[Any]) -> list[Row]:
    """Rows of a poll of merchants.programmes."""
    return [store.programme_row(record) for record in records]


def on_merchants_terms(records: Sequence[Any]) -> list[Row]:
    """Rows of a poll of merchants.terms."""
    return [store.terms_row(record) for record in records]


def on_identity_sessions(records: Sequence[Any]) -> list[Row]:
    """Rows of a poll of identity.sessions: of sessions, and of keys of programs."""
    return [
        store.api_key_row(record) if isinstance(record, ApiKey) else store.session_row(record)
        for record in records
    ]


HANDLERS: Final[dict[str, tuple[tuple[Table, ...], Callable[[Sequence[Any]], list[Row]]]]] = {
    topics.MEMBERS_IDENTIFIERS.name: ((Table.IDENTIFIERS,), on_members_identifiers),
    topics.MERCHANTS_TERMINALS.name: ((Table.TERMINALS, Table.MERCHANTS), on_merchants_terminals),
    topics.MERCHANTS_PROGRAMMES.name: ((Table.PROGRAMMES,), on_merchants_programmes),
    topics.MERCHANTS_TERMS.name: ((Table.TERMS,), on_merchants_terms),
    topics.IDENTITY_SESSIONS.name: ((Table.SESSIONS, Table.API_KEYS), on_identity_sessions),
}


def places_of(state_topics: Sequence[Topic], settings: Settings) -> list[Place]:
    """Every partition of topics on this platform."""
    return [
        (topic.name, partition)
        for topic in state_topics
        for partition in range(
            topics.partitions(topic, shards=settings.shards, gateways=settings.gateways)
        )
    ]


@dataclass(slots=True)
class TablesFeed:
    """Keeps the tables equal to their topics, from the offset stored beside the rows."""

    settings: Settings
    tables: Tables
    readiness: Readiness
    producer: kafka.Producer
    identifier_keys: Ring
    dead_letters: int = 0

    async def run(self) -> None:
        """Follow the state topics for ever; a broker that is away is waited for.

        Raises Alarm once too many records were undecodable.
        """
        places = places_of(STATE_TOPICS, self.settings)
        self.readiness.expect_heartbeats(places)
        for place, at_ms in self.tables.heartbeats(places).items():
            self.readiness.note_heartbeat(place, at_ms)
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
            if self._rebuild_replaced(offsets, ends, await reader.beginnings()):
                return
            behind = {place: end for place, end in ends.items() if end > offsets[place]}
            while True:
                if behind:
                    await self._drop_reached(reader, behind)
                self.readiness.caught_up = self.readiness.caught_up or not behind
                limit = LIVE_RECORDS if self.readiness.caught_up else CATCH_UP_RECORDS
                await self.apply(await reader.poll(max_records=limit))
        except kafka.OffsetGone:
            log.warning("an offset is gone; the tables are checked against their topics")
        finally:
            await reader.close()

    async def _drop_reached(self, reader: kafka.Assigned, behind: dict[Place, int]) -> None:
        for place, end in list(behind.items()):
            if await reader.position(*place) >= end:
                del behind[place]

    def _rebuild_replaced(
        self, offsets: dict[Place, int], ends: dict[Place, int], firsts: dict[Place, int]
    ) -> bool:
        """Rebuild tables whose topic was created anew or cut; whether there was any."""
        replaced = {p[0] for p, at in offsets.items() if at and not firsts[p] <= at <= ends[p]}
        for topic in replaced:
            log.warning("%s is not the topic it was; its table is built again", topic)
            self.tables.rebuild(HANDLERS[topic][0], [p for p in offsets if p[0] == topic])
            self.readiness.caught_up = False
        return bool(replaced)

    async def apply(self, records: Sequence[Record]) -> None:
        """Write one poll; one that no table takes becomes a dead letter, the others are kept."""
        decoded = [(record, await self._decode(record)) for record in records]
        batches = [decoded] if decoded else []
        while batches:
            batch = batches.pop(0)
            try:
                self._write(batch)
            except Exception as error:
                if not isolation.of_a_record(error) or store.is_of_the_disk(error):
                    raise
                half = len(batch) // 2
                if half:
                    batches[:0] = [batch[:half], batch[half:]]
                    continue
                ((record, _),) = batch
                await self._send_dead_letter(record, record.value or b"", isolation.describe(error))
                batches.insert(0, [(record, None)])  # its offset alone is kept

    def _write(self, decoded: Sequence[tuple[Record, Any]]) -> None:
        """Rows, offsets and heartbeats in one transaction of the store."""
        by_topic: dict[str, list[Any]] = {}
        offsets: dict[Place, int] = {}
        heartbeats: dict[Place, int] = {}
        for record, data in decoded:
            place = (record.topic, record.partition)
            offsets[place] = record.offset + 1
            if isinstance(data, Heartbeat):
                heartbeats[place] = record.timestamp_ms
            elif data is not None:
                by_topic.setdefault(record.topic, []).append(data)
        rows = [row for topic, data in by_topic.items() for row in HANDLERS[topic][1](data)]
        self.tables.apply(rows, offsets, heartbeats)
        self._report_missing_keys(by_topic.get(topics.MEMBERS_IDENTIFIERS.name, ()))
        for place, at_ms in heartbeats.items():
            self.readiness.note_heartbeat(place, at_ms)

    def _report_missing_keys(self, identifiers: Sequence[Identifier]) -> None:
        """Raise an alarm for each key of digests that this gateway lacks."""
        configured = {key.head.hex() for key in self.identifier_keys}
        used = {identifier.digest[: 2 * HEAD_BYTES] for identifier in identifiers}
        for head in used - configured:
            telemetry.count(Metric.ALARMS, "identifier-key-missing")
            log.error(
                "key %s is missing in PEYVAND_IDENTIFIER_KEYS: what it names is unknown at tills",
                head[2:],
            )

    async def _decode(self, record: Record) -> Any:
        """The event in a record; None for a tombstone, and for one that does not read."""
        if record.value is None:
            return None
        try:
            return envelope.decode(record.value, _EVENTS[record.topic]).data
        except envelope.Malformed as error:
            await self._send_dead_letter(record, record.value, str(error))
            return None

    async def _send_dead_letter(self, record: Record, raw: bytes, detail: str) -> None:
        """Copy a record that cannot be used to the dead letters. Raises Alarm past the limit."""
        self.dead_letters += 1
        telemetry.count(Metric.DEAD_LETTERS, "gateway-tables", "undecodable")
        detail = dead_letters.clean(detail)
        log.error("%s/%d@%d: %s", record.topic, record.partition, record.offset, detail)
        if self.dead_letters > DEAD_LETTERS_MAX:
            raise errors.Alarm("too many undecodable records on the state topics")
        await self.producer.send([_dead_letter(record, raw, detail)])


def _dead_letter(record: Record, raw: bytes, detail: str) -> outbox.Message:
    place = f"{record.topic}/{record.partition}/{record.offset}"
    at = clock.wall()
    letter: Envelope[DeadLetter] = Envelope(
        id=envelope.derive_id(place, "dead-letter"),
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
            detail=detail[:500],
            raw=raw[: dead_letters.RAW_BYTES_MAX],
        ),
    )
    return outbox.message(topics.DEAD_LETTERS, letter, partition=0)
