"""Calls of merchants about disputes: of lines of closed windows, their evidence, their ends.

A party's key (`party:<number>`) makes those with a party; the network makes all.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from peyvand import errors, transport
from peyvand.administration import Document, Page
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of

UPLOAD_S: Final = 60.0  # for a file of 5 MiB over a slow line


class DisputeCalls(Calls):
    """Calls about disputes."""

    async def put_dispute(  # noqa: PLR0913 - what a dispute says
        self,
        party: int,
        dispute_id: str,
        *,
        window: int,
        counterparty: int,
        amount_rial: int,
        reason: str,
        text: str,
        side: str = "due",
        transactions: Sequence[str] = (),
    ) -> Document:
        """Dispute a line of a closed window. dispute_id: a UUID. side: due or claim.

        reason: not-our-sale, wrong-amount, duplicate, reversed-later or other.
        """
        body = {
            "window": window,
            "counterparty": counterparty,
            "side": side,
            "amount_rial": amount_rial,
            "reason": reason,
            "text": text,
            "transactions": list(transactions),
        }
        return await self.put(path_of("parties", party, "disputes", dispute_id), body)

    async def dispute(self, dispute_id: str, party: int | None = None) -> Document:
        """A dispute with its steps and evidence; party: with a party's key, its number."""
        if party is None:
            return await self.get(path_of("disputes", dispute_id))
        return await self.get(path_of("parties", party, "disputes", dispute_id))

    async def disputes(
        self,
        before: str | int | None = None,
        *,
        party: int | None = None,
        counterparty: int | None = None,
        window: int | None = None,
        state: str | None = None,
    ) -> Page:
        """Disputes of all parties, newest first; go on with before = next."""
        query = {"counterparty": counterparty, "window": window, "state": state}
        return await self.page(
            path_of("disputes", party=party, before=before, limit=LIMIT, **query)
        )

    async def party_disputes(
        self,
        party: int,
        before: str | int | None = None,
        *,
        counterparty: int | None = None,
        window: int | None = None,
        state: str | None = None,
    ) -> Page:
        """Disputes of a party, on either side, as its own key sees them."""
        query = {"counterparty": counterparty, "window": window, "state": state}
        at = ("parties", party, "disputes")
        return await self.page(path_of(*at, before=before, limit=LIMIT, **query))

    async def answer_dispute(
        self, party: int, dispute_id: str, *, accepted_rial: int, note: str = ""
    ) -> Document:
        """Answer a dispute against a party: all of it accepted, a part, or 0."""
        path = path_of("parties", party, "disputes", dispute_id, "answer")
        return await self.put(path, {"accepted_rial": accepted_rial, "note": note})

    async def escalate_dispute(self, party: int, dispute_id: str, note: str = "") -> Document:
        """Ask the network to decide what was rejected, or accepted only in part."""
        path = path_of("parties", party, "disputes", dispute_id, "escalation")
        return await self.put(path, {"note": note})

    async def withdraw_dispute(self, party: int, dispute_id: str, note: str = "") -> Document:
        """Give a dispute up."""
        path = path_of("parties", party, "disputes", dispute_id, "withdrawal")
        return await self.put(path, {"note": note})

    async def decide_dispute(
        self, dispute_id: str, *, upheld_rial: int, note: str = ""
    ) -> Document:
        """Decide a dispute for the network; another person approves it."""
        path = path_of("disputes", dispute_id, "decision")
        return await self.put(path, {"upheld_rial": upheld_rial, "note": note})

    async def put_evidence(
        self, party: int, dispute_id: str, file_id: str, content: bytes, *, title: str = ""
    ) -> Document:
        """Send a PDF, PNG or JPEG for a party's side. file_id: a UUID."""
        path = path_of("evidence", party, dispute_id, file_id, title=title or None)
        kind = "application/octet-stream"
        reply = await self.transport.request(
            "PUT", path, content, content_type=kind, request_s=UPLOAD_S
        )
        transport.raise_problem(f"PUT {path}", reply)
        try:
            return msgspec.json.decode(reply.body, type=Document)
        except msgspec.MsgspecError as error:
            raise errors.BadReply(f"PUT {path}", status=reply.status, body=reply.body) from error

    async def evidence(self, party: int, dispute_id: str, file_id: str) -> bytes:
        """A file of either side, as it was sent."""
        return await self.raw(path_of("evidence", party, dispute_id, file_id))
