"""Calls of the ledger: balances, statements, positions, proofs."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import structs

from peyvand import transport
from peyvand.administration import Cut, Document, Moment, StatementPart, Vintage, of_book, of_shard
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class LedgerCalls(Calls):
    """Calls of the ledger: balances, statements, positions, proofs."""

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
