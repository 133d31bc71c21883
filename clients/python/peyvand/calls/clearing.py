"""Calls of clearing: settlement windows, their gross matrix and net positions."""

from typing import Final

from peyvand.administration import Document, Page
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of

PRINTING_S: Final = 20.0  # a thousand lines are set in seconds, after others that wait


class ClearingCalls(Calls):
    """Calls of clearing: settlement windows, their gross matrix and net positions.

    Rial are text of digits: sums over all merchants may pass 2^53.
    """

    async def cut_window(self, window: int, *, dry_run: bool = False) -> Document:
        """Cut the open window, or say what would be closed; a window that was cut stays as it is.

        Its state is "closing" until every shard has answered, then "closed". Raises Conflict
        `not-the-next-window`, `earlier-window-open`.
        """
        body = {"dry_run": True} if dry_run else {}
        return await self.put(path_of("windows", window), body)

    async def window(self, window: int) -> Document:
        """A settlement window with its state, sums and vector."""
        return await self.get(path_of("windows", window))

    async def windows(self, before: str | int | None = None) -> Page:
        """Settlement windows, newest first; the first of them is open."""
        return await self.page(path_of("windows", before=before, limit=LIMIT))

    async def window_pairs(self, window: int, after: str | int | None = None) -> Page:
        """The gross matrix: what each party came to owe each other one in a window."""
        return await self.page(path_of("windows", window, "pairs", after=after, limit=LIMIT))

    async def window_positions(self, window: int, after: str | int | None = None) -> Page:
        """Net positions of a closed window, one a party; they sum to zero."""
        return await self.page(path_of("windows", window, "positions", after=after, limit=LIMIT))

    async def party_statement(
        self, window: int, party: int, after: str | int | None = None
    ) -> Document:
        """A party's statement of a closed window: opening, a piece of its lines, closing."""
        path = path_of("windows", window, "statements", party, after=after, limit=LIMIT)
        return await self.get(path)

    async def party_statement_csv(self, window: int, party: int) -> str:
        """The same, whole, as CSV; it begins with the byte order mark."""
        return await self.text(path_of("windows", window, "statements", party, "csv"))

    async def party_statement_pdf(self, window: int, party: int) -> bytes:
        """The same, whole, to print: A4, Persian, the amount in words.

        At its foot is `statement_sha256`. Raises Invalid `statement-too-long`, TooMany
        `printing-busy`.
        """
        return await self.raw(
            path_of("windows", window, "statements", party, "pdf"), request_s=PRINTING_S
        )

    async def party_transactions(
        self,
        window: int,
        party: int,
        after: str | int | None = None,
        *,
        side: str,
        counterparty: int,
    ) -> Page:
        """The transactions behind a line. side: "claim", "due" or "own"."""
        parts = ("windows", window, "statements", party, "transactions")
        query = {"side": side, "counterparty": counterparty, "after": after, "limit": LIMIT}
        return await self.page(path_of(*parts, **query))

    async def merchant_statement(
        self, merchant: int, window: int, after: str | int | None = None
    ) -> Document:
        """The statement of a merchant's party, for the merchant's own reader too."""
        path = path_of("merchants", merchant, "statements", window, after=after, limit=LIMIT)
        return await self.get(path)

    async def merchant_statement_csv(self, merchant: int, window: int) -> str:
        """The same, whole, as CSV; it begins with the byte order mark."""
        return await self.text(path_of("merchants", merchant, "statements", window, "csv"))

    async def merchant_statement_pdf(self, merchant: int, window: int) -> bytes:
        """The same, whole, to print, as `party_statement_pdf`."""
        return await self.raw(
            path_of("merchants", merchant, "statements", window, "pdf"), request_s=PRINTING_S
        )

    async def merchant_transactions(
        self,
        merchant: int,
        window: int,
        after: str | int | None = None,
        *,
        side: str,
        counterparty: int,
    ) -> Page:
        """The transactions behind a line of that statement."""
        parts = ("merchants", merchant, "statements", window, "transactions")
        query = {"side": side, "counterparty": counterparty, "after": after, "limit": LIMIT}
        return await self.page(path_of(*parts, **query))

    async def reconciliation(self, window: int) -> Document:
        """What does not agree in a closed window: differences, none when all is well."""
        return await self.get(path_of("windows", window, "reconciliation"))
