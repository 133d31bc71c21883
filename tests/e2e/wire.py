"""The broker as a fault sees it: records put on topics and read from them, past every room."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cluster import plan
from contracts import envelope, topics
from contracts.fraud import ScreenedTransaction, ScreeningDecision
from contracts.ledger import PostTransaction, Reply
from contracts.merchants import Programme
from contracts.platform import DeadLetter
from contracts.pos import Line, PosTransaction
from contracts.topics import Topic
from contracts.values import Channel, Kind, micros, till_name
from kit.base import ids
from kit.stream import kafka, outbox

from .participants import Member, Till, now

NOBODY_READS = 3  # a partition of gateway.replies that no gateway of this platform reads
ALL = 2**62


@dataclass(slots=True)
class Wire:
    """A producer of this run, and readers opened for each question."""

    cluster: plan.Cluster
    producer: kafka.Producer

    async def put(
        self, topic: Topic, shard: int, value: bytes, *headers: tuple[str, bytes]
    ) -> bytes:
        """Put a record on a partition; gives its correlation id, for the answer it may get."""
        correlation = secrets.token_hex(8).encode()
        address = (
            ("reply-topic", topics.GATEWAY_REPLIES.name.encode()),
            ("reply-partition", b"%d" % NOBODY_READS),
            ("correlation-id", correlation),
        )
        given = tuple((dict(address) | dict(headers)).items())
        # a key of its own, so that compaction takes nobody's place
        message = outbox.Message(topic.name, shard, correlation, value, given)
        await self.producer.send([message])
        return correlation

    async def read(self, topic: Topic, partitions: int, *, last: int = ALL) -> list[kafka.Record]:
        """The last records of each partition, from the first by default, to the present end."""
        start = {(topic.name, partition): None for partition in range(partitions)}
        reader = await kafka.Assigned.open(
            self.cluster.servers.bootstrap, client_id="e2e", start=start, last=last
        )
        found: list[kafka.Record] = []
        try:
            firsts = await reader.beginnings()
            ends = await reader.end_offsets()
            left = {place for place, end in ends.items() if end > firsts[place]}
            while left:
                for record in await reader.poll():
                    place = (record.topic, record.partition)
                    if record.offset < ends[place]:
                        found.append(record)
                    if record.offset + 1 >= ends[place]:
                        left.discard(place)
        finally:
            await reader.close()
        return found

    async def letters(self, raw: bytes) -> list[DeadLetter]:
        """Dead letters about a record."""
        types: dict[str, Any] = dict(topics.DEAD_LETTERS.events)
        records = await self.read(topics.DEAD_LETTERS, 1)
        found = [envelope.decode(r.value, types).data for r in records if r.value is not None]
        return [letter for letter in found if letter.raw == raw]

    async def replies(self, correlation: bytes) -> list[Reply]:
        """Answers to a record that was put."""
        types: dict[str, Any] = dict(topics.GATEWAY_REPLIES.events)
        return [
            envelope.decode(record.value, types).data
            for record in await self.read(topics.GATEWAY_REPLIES, plan.GATEWAYS)
            if ("correlation-id", correlation) in record.headers and record.value is not None
        ]


async def ends(cluster: plan.Cluster, topic: Topic) -> dict[kafka.Place, int]:
    """Next offset of each partition."""
    return await kafka.end_offsets(cluster.servers.bootstrap, [topic.name])


def digest_name(raw: bytes) -> str:
    """The name that an unreadable record's outcome is kept under."""
    return f"u.{hashlib.sha256(raw).hexdigest()}"


def sold(till: Till, member: Member, **fields: Any) -> PosTransaction:
    """A sale as the gateway would put it on the road."""
    named = till.name()
    given: dict[str, Any] = {
        "name": till_name(*named),
        "kind": Kind.PURCHASE,
        "channel": Channel.TILL,
        "merchant": till.shop.merchant,
        "party": till.shop.party,
        "branch": till.shop.branch,
        "terminal": till.terminal,
        "programme_version": 1,
        "terms_version": 1,
        "account": member.account,
        "member": member.member,
        "identifier_id": member.identifier_id,
        "amount_rial": 50_000,
        "lines": (Line(line=1, amount_rial=50_000),),
    }
    return PosTransaction(**(given | fields))


def submitted(about: PosTransaction) -> bytes:
    """A transaction-submitted.v1."""
    return _enveloped("transaction-submitted.v1", about.account, about)


def screened(about: PosTransaction) -> bytes:
    """A transaction-screened.v1 that allows."""
    body = ScreenedTransaction(transaction=about, decision=ScreeningDecision.ALLOW)
    return _enveloped("transaction-screened.v1", about.account, body)


def published(version: Programme) -> bytes:
    """A programme-published.v1."""
    return _enveloped("programme-published.v1", version.merchant, version)


def commanded(about: PosTransaction) -> bytes:
    """A post-transaction.v1 without awards."""
    body = PostTransaction(
        name=about.name,
        kind=about.kind,
        channel=about.channel,
        merchant=about.merchant,
        acceptor=about.party,
        branch=about.branch,
        terminal=about.terminal,
        account=about.account,
        member=about.member,
        amount_rial=about.amount_rial,
        lines=about.lines,
    )
    return _enveloped("post-transaction.v1", about.account, body)


def _enveloped(kind: str, key: int, data: Any) -> bytes:
    at = now()
    said = envelope.Envelope(
        id=ids.uuid7(at),
        type=kind,
        key=str(key),
        occurred_at=at,
        accepted_at=at,
        fingerprint=envelope.fingerprint_of({"at": micros(at), "salt": secrets.token_hex(8)}),
        data=data,
    )
    return envelope.encode(said)


def garbage(sort: str) -> bytes:
    """Bytes that no room can use, never the same twice."""
    salt = secrets.token_hex(8)
    at = "2026-03-21T10:00:00Z"
    head = f'"id":"{salt}","key":"1","occurred_at":"{at}","accepted_at":"{at}"'
    return {
        "no UTF-8": b"\xff\xfe\x00" + salt.encode(),
        "no JSON": b"{" + salt.encode(),
        "an unknown type": f'{{{head},"type":"gift.v1","data":{{}}}}'.encode(),
        "data of another shape": f'{{{head},"type":"post-transaction.v1","data":[1]}}'.encode(),
    }[sort]


GARBAGE: Sequence[str] = ("no UTF-8", "no JSON", "an unknown type", "data of another shape")
