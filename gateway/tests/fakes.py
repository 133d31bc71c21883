"""Fakes around a gateway in its tests: records, services, and a road of one stage."""

import asyncio
import base64
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web as aioweb

from contracts import envelope, members, topics
from contracts import keys as named
from contracts.envelope import Envelope
from contracts.identity import ApiKey, Session
from contracts.ledger import Reply
from contracts.members import Binding, Identifier, IdentifierKind
from contracts.merchants import Heartbeat, MerchantStanding, Programme, Terminal, TerminalKey, Terms
from contracts.pos import PosTransaction
from gateway.access import domain as keys
from gateway.clients import Service
from gateway.settings import Settings
from gateway.tables import consumer
from gateway.tables.usecases.readiness import STATE_TOPICS
from kit.base import auth, clock, errors
from kit.stream import kafka, outbox

from .proposals import Proposals

SHARDS = 12
SECRET = "actor-secret"
ROOT = base64.b64encode(b"i" * 32).decode()  # of identifiers
RING = named.ring([ROOT], members.OF_IDENTIFIERS, setting="of these tests")
CARD, OTHER_CARD = "6037991234567893", "6037997599999999"
MOBILE = "09123456789"
TERMINAL, SISTER, STRANGER = 10000017, 10000018, 20000001
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
EVENT_TYPES = {
    Identifier: (topics.MEMBERS_IDENTIFIERS, "identifier-changed.v1"),
    Terminal: (topics.MERCHANTS_TERMINALS, "terminal-changed.v1"),
    MerchantStanding: (topics.MERCHANTS_TERMINALS, "merchant-standing-changed.v1"),
    Programme: (topics.MERCHANTS_PROGRAMMES, "programme-published.v1"),
    Terms: (topics.MERCHANTS_TERMS, "terms-published.v1"),
    Session: (topics.IDENTITY_SESSIONS, "session-changed.v1"),
    ApiKey: (topics.IDENTITY_SESSIONS, "api-key-changed.v1"),
}


def secret(terminal: int, key_id: str = "k1") -> str:
    return hashlib.sha256(f"{terminal}{key_id}".encode()).hexdigest()[:43]


def bearer(terminal: int, key_id: str = "k1") -> dict[str, str]:
    return {"authorization": f"Bearer pvt_{terminal}_{key_id}_{secret(terminal, key_id)}"}


def operator(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer pvo_{name}_{name}-secret"}


def session(name: str, **changes: Any) -> Session:
    """A session of Sara as identity publishes it; its token is `token(name)`."""
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
        "session": name,
        "version": 1,
        "sha256": keys.digest(f"secret-of-{name}"),
        "user": "00000000-0000-7000-8000-000000000001",
        "roles": ("partners",),
        "idle_s": 1_800,
        "idle_ends_at": now + timedelta(minutes=30),
        "ends_at": now + timedelta(hours=12),
    }
    return Session(**(fields | changes))


def api_key(name: str, **changes: Any) -> ApiKey:
    """A program's key as identity publishes it; its text is `program(name)`."""
    fields: dict[str, Any] = {
        "key": name,
        "version": 1,
        "sha256": keys.digest(f"secret-of-{name}"),
        "program": "shop-sync",
        "roles": ("partners",),
        "ends_at": datetime.now(UTC) + timedelta(days=90),
    }
    return ApiKey(**(fields | changes))


def program(name: str, secret: str = "") -> dict[str, str]:
    return {"authorization": f"Bearer pvk_{name}_{secret or f'secret-of-{name}'}"}


def token(name: str, secret: str = "") -> dict[str, str]:
    return {"authorization": f"Bearer pvs_{name}_{secret or f'secret-of-{name}'}"}


def digest_of(kind: IdentifierKind, text: str, party: int = 0) -> str:
    return members.digest(RING[0], kind, members.canonical(kind, text), party=party)


def identifier(
    text: str, kind: IdentifierKind = IdentifierKind.CARD, *, party: int = 0, **changes: Any
) -> Identifier:
    """An identifier as members publishes it. party: of an external reference, its issuer."""
    fields: dict[str, Any] = {
        "identifier_id": f"id-{kind.value}-{text[-4:]}",
        "version": 1,
        "digest": digest_of(kind, text, party),
        "kind": kind,
        "last4": text[-4:],
        "bindings": (Binding(from_at=OPENED, member=7, account=1000001, shard=5),),
    }
    return Identifier(**(fields | changes))


def terminal_key(
    number: int, key_id: str = "k1", *, epoch: int = 2, revoked_at: datetime | None = None
) -> TerminalKey:
    return TerminalKey(
        key_id=key_id,
        sha256=keys.digest(secret(number, key_id)),
        created_at=OPENED,
        revoked_at=revoked_at,
        epoch=epoch,
    )


def terminal(number: int, merchant: int = 12, **changes: Any) -> Terminal:
    key = terminal_key(number, epoch=changes.get("epoch", 2))
    fields: dict[str, Any] = {
        "terminal": number,
        "version": 1,
        "epoch": 2,
        "merchant": merchant,
        "party": merchant + 100,
        "branch": 3,
        "active": True,
        "keys": (key,),
    }
    return Terminal(**(fields | changes))


def programme(version: int, effective_from: datetime, merchant: int = 12) -> Programme:
    return Programme(
        merchant=merchant,
        party=merchant + 100,
        version=version,
        effective_from=effective_from,
        title_fa="باشگاه",
        title_en="club",
        earn_points=1,
        earn_per_rial=1000,
    )


def terms(version: int, effective_from: datetime) -> Terms:
    return Terms(
        version=version, effective_from=effective_from, price_rial=1, price_points=1, fee_bp=100
    )


def message_of(data: Any, **changes: Any) -> outbox.Message:
    """A state event as its owner publishes it."""
    topic, kind = EVENT_TYPES[type(data)]
    part = getattr(data, "digest", None) or getattr(data, "terminal", None)
    if isinstance(data, Session):
        part = data.session
    if isinstance(data, ApiKey):
        part = f"key/{data.key}"
    if isinstance(data, MerchantStanding):
        part = f"merchant/{data.merchant}"
    part = part or getattr(data, "merchant", "network")
    event: Envelope[Any] = Envelope(
        id=envelope.derive_id(f"{part}@{data.version}", kind),
        type=kind,
        key=f"{part}@{data.version}",
        occurred_at=OPENED,
        accepted_at=OPENED,
        data=data,
    )
    return outbox.message(topic, event, **changes)


def heartbeats(settings: Settings) -> list[outbox.Message]:
    """One heartbeat on every partition of every state topic."""
    now = datetime.now(UTC)
    by_name = {topic.name: topic for topic in STATE_TOPICS}
    return [
        outbox.message(
            by_name[name],
            Envelope(
                id="00000000-0000-7000-8000-000000000000",
                type="heartbeat.v1",
                key="heartbeat",
                occurred_at=now,
                accepted_at=now,
                data=Heartbeat(room=by_name[name].owner, at=now),
            ),
            partition=partition,
        )
        for name, partition in consumer.places_of(STATE_TOPICS, settings)
    ]


@dataclass
class FakeServices:
    """The services, as small as can be: what they know, and which calls came."""

    identifiers: dict[str, Identifier] = field(default_factory=dict)
    terminals: dict[int, Terminal] = field(default_factory=dict)
    outcomes: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    forwarded: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    signed_for: list[str] = field(default_factory=list)  # the service, of each call
    delay_s: float = 0.0
    actors: list[auth.Actor] = field(default_factory=list[auth.Actor])  # of what was forwarded
    sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    api_keys: dict[str, ApiKey] = field(default_factory=dict[str, ApiKey])
    uses: list[list[str]] = field(default_factory=list[list[str]])  # of each report
    uses_status: int = 200
    proposals: Proposals = field(default_factory=Proposals)
    status: int = 201  # of what is forwarded
    more_headers: dict[str, str] = field(default_factory=dict[str, str])

    async def serve(self, request: aioweb.Request) -> aioweb.StreamResponse:
        """One handler for every service; each call must be signed."""
        self.calls.append(request.raw_path)
        actor = await self.actor_of(request)
        await asyncio.sleep(self.delay_s)
        parts = request.path.split("/")
        if parts[1:3] == ["internal", "proposals"]:
            return self.proposals.serve(request.method, parts, actor, await request.read())
        if parts[1] == "internal":
            assert actor.roles == {"service"}
            if parts[3:] == ["uses"]:
                reported = msgspec.json.decode(await request.read())
                self.uses.append(next(iter(reported.values())))
                return aioweb.json_response({"moved": 0}, status=self.uses_status)
            body = self._internal(parts)
            if body is None:
                return aioweb.Response(status=404)
            return aioweb.Response(body=body, content_type="application/json")
        if request.path == "/openapi.json":
            return aioweb.json_response(self.documents.get(str(request.url.port), {"paths": {}}))
        body = await request.read()
        self.actors.append(actor)
        self.forwarded.append((request.method, request.raw_path, dict(request.headers), body))
        if parts[2] == "proposals" and parts[4:] == ["approval"]:
            return aioweb.json_response(self.proposals.view(parts[3]))
        answer = {"subject": actor.subject, "roles": sorted(actor.roles), "bytes": len(body)}
        headers = {"etag": '"7"', "x-own": "1"} | self.more_headers
        return aioweb.json_response(answer, status=self.status, headers=headers)

    async def actor_of(self, request: aioweb.Request) -> auth.Actor:
        """The actor that the request is signed with, for one of the services and with this body."""
        value = request.headers.get(auth.HEADER, ".")
        query = request.raw_path.partition("?")[2]
        for room in Service:
            secret = (auth.room_secret(SECRET, room.value),)
            call = auth.Call(room.value, request.method, request.path, query)
            with suppress(errors.Unauthorized):
                actor, digest = auth.verify(value, secret, call, clock.wall())
                assert digest == hashlib.sha256(await request.read()).hexdigest()
                self.signed_for.append(room.value)
                return actor
        raise AssertionError("not signed")

    def _internal(self, parts: list[str]) -> bytes | None:
        record: Any = None
        match parts[2]:
            case "identifiers":
                record = self.identifiers.get(parts[3])
            case "terminals":
                record = self.terminals.get(int(parts[3]))
            case "sessions":
                record = self.sessions.get(parts[3])
            case "api-keys":
                record = self.api_keys.get(parts[3])
            case _:
                return self.outcomes.get("/".join(parts[3:]))
        return None if record is None else msgspec.json.encode(record)


Answering = Callable[[Envelope[PosTransaction]], Reply | None]


def completed(submitted: Envelope[PosTransaction]) -> Reply:
    name, fingerprint = submitted.data.name, submitted.fingerprint
    body = msgspec.json.encode({"name": name, "fingerprint": fingerprint})
    return Reply(name=name, http_status=200, body=msgspec.Raw(body))


@dataclass
class FakeRoad:
    """The road in one stage: reads every transaction and answers as `answering` does."""

    bootstrap: str
    producer: kafka.Producer
    answering: Answering = completed
    submitted: list[tuple[kafka.Record, Envelope[PosTransaction]]] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        places = [(topics.POS_TRANSACTIONS.name, p) for p in range(SHARDS)]
        reader = await kafka.Assigned.open(
            self.bootstrap, client_id="fake-road", start=dict.fromkeys(places)
        )
        self.ready.set()
        try:
            while True:
                await self.pass_on(await reader.poll(timeout_ms=20))
        finally:
            await reader.close()

    async def pass_on(self, records: Sequence[kafka.Record]) -> None:
        replies: list[outbox.Message] = []
        for record in records:
            if record.key == b"probe":  # a test's own
                continue
            event = envelope.decode(record.value or b"", dict(topics.POS_TRANSACTIONS.events))
            self.submitted.append((record, event))
            reply = self.answering(event)
            if reply is not None:
                replies.append(reply_to(record, event, reply))
        if replies:
            await self.producer.send(replies)


def reply_to(record: kafka.Record, event: Envelope[PosTransaction], reply: Reply) -> outbox.Message:
    """The reply as kit addresses it: to the topic and partition in the headers."""
    headers = dict(record.headers)
    answer: Envelope[Reply] = Envelope(
        id=envelope.derive_id(event.id, "answer"),
        type="transaction-answered.v1",
        key=event.data.name,
        occurred_at=event.occurred_at,
        accepted_at=event.accepted_at,
        data=reply,
    )
    return outbox.Message(
        headers["reply-topic"].decode(),
        int(headers["reply-partition"]),
        event.data.name.encode(),
        envelope.encode(answer),
        (("correlation-id", headers["correlation-id"]),),
    )


def base_records() -> list[Any]:
    """Records that every test may rely on."""
    later = OPENED + timedelta(days=30)
    return [
        identifier(CARD),
        identifier(MOBILE, IdentifierKind.MOBILE),
        terminal(
            TERMINAL, online=True, keys=(terminal_key(TERMINAL), terminal_key(TERMINAL, "k2"))
        ),
        terminal(SISTER, branch=4),
        terminal(STRANGER, merchant=13, online=True),
        programme(1, OPENED),
        programme(2, later),
        programme(1, OPENED, merchant=13),
        terms(1, OPENED),
        terms(2, later),
    ]


def purchase(sequence: int | str, **changes: Any) -> dict[str, Any]:
    """A purchase of 1000 Rial now; ... leaves a field out."""
    body = {
        "terminal": TERMINAL,
        "epoch": 2,
        "sequence": sequence,
        "kind": "purchase",
        "occurred_at": datetime.now(UTC).isoformat(),
        "identifier": {"card": CARD},
        "amount_rial": 1000,
        "lines": [{"line": 1, "amount_rial": 600, "sku": "a"}, {"line": 2, "amount_rial": 400}],
    }
    return {k: v for k, v in (body | changes).items() if v is not ...}
