"""The client of operators: administration, imported history, cases, reports."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Self, TypeVar

import msgspec
from msgspec import structs

from peyvand import errors, road, transport
from peyvand.administration import (
    Activation,
    Cut,
    Document,
    Enrolment,
    Moment,
    Page,
    Programme,
    StatementPart,
    Terms,
    Vintage,
    of_book,
    of_shard,
)
from peyvand.listing import every as every
from peyvand.models import Answered, HistoricPurchase, Pending
from peyvand.transport import path_of

LIMIT: Final = 200
T = TypeVar("T")


class Operator:
    """Administers the network under an operator's key; use as `async with Operator(url, key)`.

    Whatever is created is put under a number or id that the caller chose: the same again changes
    nothing, another body under it raises Invalid `already-exists-differently`. Retries are safe.
    """

    def __init__(
        self, base_url: str, key: str, *, options: transport.Options | None = None
    ) -> None:
        self.transport = transport.Transport(base_url, key, options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()

    async def put_party(self, party: int, fields: Mapping[str, Any]) -> Document:
        """Register a legal entity: name_fa, name_en, …"""
        return await self.put(path_of("parties", party), fields)

    async def party(self, party: int) -> Document:
        """A legal entity."""
        return await self.get(path_of("parties", party))

    async def put_merchant(self, merchant: int, fields: Mapping[str, Any]) -> Document:
        """Register a merchant: party, sector, title_fa, title_en, reference."""
        return await self.put(path_of("merchants", merchant), fields)

    async def merchant(self, merchant: int) -> Document:
        """A merchant."""
        return await self.get(path_of("merchants", merchant))

    async def merchants(
        self, after: str | int | None = None, *, reference: str | None = None
    ) -> Page:
        """Merchants in order of number; reference: only the one with that own reference."""
        return await self.page(path_of("merchants", after=after, limit=LIMIT, reference=reference))

    async def put_branch(self, merchant: int, branch: int, fields: Mapping[str, Any]) -> Document:
        """Register a branch."""
        return await self.put(path_of("merchants", merchant, "branches", branch), fields)

    async def branch(self, merchant: int, branch: int) -> Document:
        """A branch."""
        return await self.get(path_of("merchants", merchant, "branches", branch))

    async def branches(self, merchant: int, after: str | int | None = None) -> Page:
        """A merchant's branches in order of number."""
        return await self.page(path_of("merchants", merchant, "branches", after=after, limit=LIMIT))

    async def put_terminal(
        self, merchant: int, terminal: int, *, branch: int, online: bool = False
    ) -> Document:
        """Register a terminal at a branch. online: the one that names the merchant's orders."""
        body = {"branch": branch} | ({"online": True} if online else {})
        return await self.put(path_of("merchants", merchant, "terminals", terminal), body)

    async def terminal(self, merchant: int, terminal: int) -> Document:
        """A terminal."""
        return await self.get(path_of("merchants", merchant, "terminals", terminal))

    async def terminals(self, merchant: int, after: str | int | None = None) -> Page:
        """A merchant's terminals in order of number."""
        path = path_of("merchants", merchant, "terminals", after=after, limit=LIMIT)
        return await self.page(path)

    async def activate_terminal(self, terminal: int, activation_id: str) -> Activation:
        """Start a new epoch; the key is in the first answer only. activation_id: a UUID."""
        path = path_of("terminals", terminal, "activations", activation_id)
        return await self._typed("PUT", path, {}, Activation)

    async def put_terminal_key(self, terminal: int, key_id: str) -> Document:
        """A further key for a terminal (rotation). key_id: eight of a-z and 0-9."""
        return await self.put(path_of("terminals", terminal, "keys", key_id), {})

    async def revoke_terminal_key(self, terminal: int, key_id: str) -> None:
        """Revoke a key; for a day it may still ask for the status of its own names."""
        path = path_of("terminals", terminal, "keys", key_id)
        transport.raise_problem(f"DELETE {path}", await self.transport.request("DELETE", path))

    async def put_standing(
        self, kind: str, number: int, change_id: str, *, standing: str, reason: str
    ) -> Document:
        """Stop one of "terminals", "merchants", "accounts", "parties": "stopped", or "open"."""
        path = path_of(kind, number, "standings", change_id)
        return await self.put(path, {"standing": standing, "reason": reason})

    async def standings(self, kind: str, number: int, before: int | None = None) -> Document:
        """The present standing of one of these four kinds, and its changes."""
        return await self.get(path_of(kind, number, "standings", before=before, limit=LIMIT))

    async def standing(self, kind: str, number: int, change_id: str) -> Document:
        """The ledger's decision on a change of "accounts" or "parties": see its status and code."""
        return await self.get(path_of(kind, number, "standings", change_id))

    async def put_programme(self, merchant: int, version: int, programme: Programme) -> Document:
        """Publish a version of a merchant's programme; versions are contiguous from 1."""
        return await self.put(path_of("merchants", merchant, "programmes", version), programme)

    async def programme(self, merchant: int, version: int) -> Document:
        """A version of a merchant's programme."""
        return await self.get(path_of("merchants", merchant, "programmes", version))

    async def programmes(self, merchant: int, after: str | int | None = None) -> Page:
        """The versions of a merchant's programme."""
        path = path_of("merchants", merchant, "programmes", after=after, limit=LIMIT)
        return await self.page(path)

    async def tally(self, merchant: int, first: date, last: date) -> Page:
        """What a merchant's Tehran days held, from first to last (Gregorian, both included)."""
        days = {"from": first.isoformat(), "to": last.isoformat()}
        return await self.page(path_of("merchants", merchant, "tally", **days))

    async def put_terms(self, version: int, terms: Terms) -> Document:
        """Publish a version of the network's settlement price and fee."""
        return await self.put(path_of("terms", version), terms)

    async def terms(self, version: int) -> Document:
        """A version of the network's terms."""
        return await self.get(path_of("terms", version))

    async def all_terms(self, after: str | int | None = None) -> Page:
        """The versions of the network's terms."""
        return await self.page(path_of("terms", after=after, limit=LIMIT))

    async def enrol(self, enrolment_id: str, fields: Mapping[str, Any]) -> Enrolment:
        """Enrol a person: mobile, name, consents, account (household), external with its party.

        enrolment_id: a UUID. A mobile that is enrolled already answers its membership.
        """
        return await self._typed("PUT", path_of("enrolments", enrolment_id), fields, Enrolment)

    async def member(self, member: int) -> Document:
        """A member."""
        return await self.get(path_of("members", member))

    async def put_consents(
        self, member: int, request_id: str, fields: Mapping[str, Any]
    ) -> Document:
        """Record what a member agrees to now: terms, receipts, marketing. request_id: a UUID."""
        return await self.put(path_of("members", member, "consents", request_id), fields)

    async def put_card(
        self, member: int, card_id: str, fields: Mapping[str, Any] | None = None
    ) -> Document:
        """Issue a further card to a member. card_id: a UUID."""
        return await self.put(path_of("members", member, "cards", card_id), fields or {})

    async def put_mobile(self, member: int, identifier_id: str, mobile: str) -> Document:
        """Give a member who was enrolled without a mobile one. identifier_id: a UUID."""
        path = path_of("members", member, "mobiles", identifier_id)
        return await self.put(path, {"mobile": mobile})

    async def block_identifier(self, identifier_id: str) -> Document:
        """Block a card, mobile or QR, from now on."""
        return await self.post(path_of("identifiers", identifier_id, "block"), {})

    async def rebind_identifier(
        self, identifier_id: str, binding_id: str, fields: Mapping[str, Any]
    ) -> Document:
        """Bind an identifier to another account, member, from from_at on. binding_id: a UUID."""
        return await self.put(path_of("identifiers", identifier_id, "bindings", binding_id), fields)

    async def put_rule(self, rule: str, version: int, fields: Mapping[str, Any]) -> Document:
        """Publish a version of an earn rule."""
        return await self.put(path_of("rules", rule, "versions", version), fields)

    async def rule(self, rule: str, version: int) -> Document:
        """A version of an earn rule."""
        return await self.get(path_of("rules", rule, "versions", version))

    async def rules(self, after: str | int | None = None) -> Page:
        """The earn rules."""
        return await self.page(path_of("rules", after=after, limit=LIMIT))

    async def evaluate_rules(self, basket: Mapping[str, Any]) -> Document:
        """What a basket would earn, without any effect."""
        return await self.post(path_of("rules", "evaluate"), basket)

    async def put_first_purchase(self, version: int, fields: Mapping[str, Any]) -> Document:
        """Publish a version of the first purchase's credit."""
        return await self.put(path_of("first-purchase", "versions", version), fields)

    async def first_purchase(self, version: int) -> Document:
        """A version of the first purchase's credit."""
        return await self.get(path_of("first-purchase", "versions", version))

    async def put_fraud_rule(self, rule: str, version: int, fields: Mapping[str, Any]) -> Document:
        """Publish a version of a fraud rule."""
        return await self.put(path_of("fraud-rules", rule, "versions", version), fields)

    async def fraud_rule(self, rule: str, version: int) -> Document:
        """A version of a fraud rule."""
        return await self.get(path_of("fraud-rules", rule, "versions", version))

    async def fraud_rules(self, after: str | int | None = None) -> Page:
        """The fraud rules."""
        return await self.page(path_of("fraud-rules", after=after, limit=LIMIT))

    async def cases(self, after: str | int | None = None, *, status: str | None = None) -> Page:
        """Cases for review; status: "open" or "decided"."""
        return await self.page(path_of("cases", after=after, limit=LIMIT, status=status))

    async def case(self, case: str) -> Document:
        """One case with its reasons."""
        return await self.get(path_of("cases", case))

    async def put_review_outcome(self, case: str, verdict: str, *, note: str = "") -> Document:
        """Decide a case: "release" or "cancel" (role reviewer)."""
        return await self.put(path_of("cases", case, "verdict"), {"verdict": verdict, "note": note})

    async def fraud_alerts(self, after: str | int | None = None) -> Page:
        """What fraud raised, e.g. one name on two shards."""
        return await self.page(path_of("fraud-alerts", after=after, limit=LIMIT))

    async def balance(self, account: int, as_of: Moment = None) -> Document:
        """An account's balance now, as of a time, or as of a sequence number of its shard."""
        return await self.get(path_of("accounts", account, "balance", **of_shard(as_of)))

    async def lots(
        self,
        account: int,
        after: str | int | None = None,
        *,
        which: str | None = None,
        as_of: Moment = None,
    ) -> Document:
        """A piece of an account's lots by number; which: "open", or "all" of them ever."""
        query = {"which": which, "after": after, "limit": LIMIT, **of_shard(as_of)}
        return await self.get(path_of("accounts", account, "lots", **query))

    async def lot(self, account: int, lot: int, after: str | int | None = None) -> Document:
        """One lot, and a piece of what moved it."""
        return await self.get(path_of("accounts", account, "lots", lot, after=after, limit=LIMIT))

    async def statement(
        self, account: int, before: str | int | None = None, part: StatementPart | None = None
    ) -> Document:
        """A piece of an account's statement, newest first unless part says otherwise."""
        query = {} if part is None else structs.asdict(part)
        if before is not None:
            query["before"] = before
        if not query.get("issuer"):
            query.pop("issuer", None)
        return await self.get(path_of("accounts", account, "statement", **query, limit=LIMIT))

    async def booking(self, transaction_id: str) -> Document:
        """A transaction as it was booked: its entries, lots, consumptions and money leg."""
        return await self.get(path_of("bookings", transaction_id))

    async def positions(self, after: str | int | None = None, *, as_of: Cut = None) -> Document:
        """Who owes whom: a piece of the gross matrix, and the network's fee.

        as_of: a time, or the vector that an earlier piece named.
        """
        return await self.get(path_of("positions", after=after, limit=LIMIT, **of_book(as_of)))

    async def vintages(
        self,
        after: str | int | None = None,
        *,
        issuer: int | None = None,
        unit: str | None = None,
        as_of: Cut = None,
    ) -> Document:
        """A piece of what became of points, by issuer and Solar Hijri month of issue."""
        query = {"issuer": issuer, "unit": unit, "after": after, **of_book(as_of)}
        return await self.get(path_of("vintages", **query, limit=LIMIT))

    async def revenue(
        self,
        vintage: Vintage,
        ends: Sequence[datetime],
        *,
        allocated_rial: Sequence[int],
        redeemed_share_bp: Sequence[int],
    ) -> Document:
        """IFRS 15 revenue from a vintage's points, period by period.

        allocated_rial, redeemed_share_bp: one for all ends of periods, or one for each.
        """
        query = structs.asdict(vintage) | {"at": ends, "allocated_rial": allocated_rial}
        return await self.get(path_of("revenue", **query, redeemed_share_bp=redeemed_share_bp))

    async def checkpoints(self, after: str | int | None = None) -> Document:
        """The latest signed checkpoints, by shard, and the keys that verify them."""
        return await self.get(path_of("checkpoints", after=after, limit=LIMIT))

    async def checkpoint(self, shard: int, *, size: int | None = None) -> str:
        """A shard's checkpoint as it was signed, the latest or that of a size."""
        path = path_of("checkpoints", shard, size=size)
        reply = await self.transport.request("GET", path)
        transport.raise_problem(f"GET {path}", reply)
        return reply.body.decode()

    async def inclusion_proof(
        self, shard: int, sequence: int, *, size: int | None = None
    ) -> Document:
        """Proof that a sequence number's leaf is in the shard's log (RFC 9162)."""
        return await self.get(path_of("proofs", shard, sequence, size=size))

    async def entry_proof(
        self, account: int, number: int, *, unit: str = "NP", issuer: int | None = None
    ) -> Document:
        """Proof of an account's entry, by its number in the account."""
        path = path_of("accounts", account, "entries", number, "proof", unit=unit, issuer=issuer)
        return await self.get(path)

    async def consistency_proof(self, shard: int, old: int, new: int | None = None) -> Document:
        """Proof that the shard's log of size new (else: as it stands) begins with that of old."""
        return await self.get(path_of("consistency", shard, old=old, new=new))

    async def messages(self, after: str | int | None = None, *, member: int | None = None) -> Page:
        """Messages to members, mobile numbers masked."""
        return await self.page(path_of("messages", member=member, after=after, limit=LIMIT))

    async def message_counts(self) -> dict[str, int]:
        """How many messages are in each state."""
        return (await self.get(path_of("messages", limit=1, counts="true")))["counts"]

    async def trail(self, room: str, after: str | int | None = None) -> Page:
        """Who wrote what in a room, and who read whose personal data (role auditor)."""
        return await self.page(path_of("audit", room, after=after, limit=LIMIT))

    async def post_history(
        self, purchase: HistoricPurchase, *, follow: road.Follow | None = None
    ) -> Answered | Pending:
        """Bring in a purchase of the past (role history); a 202 is followed.

        Versions that the purchase names are waited for: the gateway hears of a new one in a second.
        """
        return await road.complete(
            self.transport, road.HISTORY, road.encode(purchase), follow=follow
        )

    async def get(self, path: str) -> Document:
        """GET any path; raises the problem."""
        return await self._typed("GET", path, None, Document)

    async def put(self, path: str, body: object) -> Document:
        """PUT any path; raises the problem."""
        return await self._typed("PUT", path, body, Document)

    async def post(self, path: str, body: object) -> Document:
        """POST any path; only where a repeat is harmless, since it is retried."""
        return await self._typed("POST", path, body, Document)

    async def page(self, path: str) -> Page:
        """One piece of any list."""
        body = await self.get(path)
        return Page(items=body["items"], next=body.get("next"))

    async def _typed(self, method: str, path: str, body: object, kind: type[T]) -> T:
        raw = None if body is None else msgspec.json.encode(body)
        reply = await self.transport.request(method, path, raw)
        transport.raise_problem(f"{method} {path}", reply)
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except msgspec.MsgspecError as error:
            raise errors.BadReply(
                f"{method} {path}", status=reply.status, body=reply.body
            ) from error
