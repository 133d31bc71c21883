"""Calls of merchants about settlement: who pays, the bank's files, where parties are paid."""

from peyvand.administration import Document, Page
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class SettlementCalls(Calls):
    """Calls about the settlement of a closed window."""

    async def settlement_preview(self, window: int) -> Document:
        """Who would pay and be paid how much; changes nothing."""
        return await self.put(path_of("windows", window, "settlement"), {"dry_run": True})

    async def put_settlement(self, window: int) -> Document:
        """Propose to settle all that is unpaid up to a window."""
        return await self.put(path_of("windows", window, "settlement"), {})

    async def approve_settlement(self, window: int) -> Document:
        """Approve what somebody else proposed; debtors are asked for their payments."""
        return await self.put(path_of("windows", window, "settlement", "approval"), {})

    async def withdraw_settlement(self, window: int) -> Document:
        """End a settlement of which nobody has paid yet."""
        return await self.put(path_of("windows", window, "settlement", "withdrawal"), {})

    async def exclude_from_settlement(self, window: int, party: int) -> Document:
        """Leave out a party that does not pay; somebody else approves again."""
        return await self.put(path_of("windows", window, "settlement", "exclusions", party), {})

    async def reinstruct(self, window: int) -> Document:
        """Instruct again what was rejected or returned, or waited for a Sheba."""
        return await self.put(path_of("windows", window, "settlement", "reinstruction"), {})

    async def settlement(self, window: int) -> Document:
        """A settlement: its parties, instructions, and what was booked."""
        return await self.get(path_of("windows", window, "settlement"))

    async def settlements(self, before: int | None = None) -> Page:
        """Settlements, newest first; go on with before = next."""
        return await self.page(path_of("settlements", before=before, limit=LIMIT))

    async def ageing(self, after: int | None = None, *, late: bool = False) -> Document:
        """What is unpaid by age: the total, and a piece of the parties. late: late payers alone."""
        query = {"after": after, "late": "true" if late else None, "limit": LIMIT}
        return await self.get(path_of("ageing", **query))

    async def payment_file(self, window: int, batch: int, kind: str = "pain001") -> bytes:
        """The payouts of a file for the bank; kind: pain001 or csv."""
        return await self.raw(path_of("windows", window, "settlement", "files", batch, kind))

    async def put_bank_answer(
        self, window: int, answer_id: str, *, content: str, form: str = "csv"
    ) -> Document:
        """Take a file of the bank; form: csv or pain.002. answer_id: a UUID."""
        path = path_of("windows", window, "settlement", "answers", answer_id)
        return await self.put(path, {"format": form, "content": content})

    async def put_sheba_change(
        self, party: int, change_id: str, *, sheba: str, reason: str
    ) -> Document:
        """Propose where a party is paid from now on. change_id: a UUID."""
        path = path_of("parties", party, "sheba-changes", change_id)
        return await self.put(path, {"sheba": sheba, "reason": reason})

    async def approve_sheba_change(self, party: int, change_id: str) -> Document:
        """Approve it as a second person."""
        return await self.put(path_of("parties", party, "sheba-changes", change_id, "approval"), {})

    async def sheba_change(self, party: int, change_id: str) -> Document:
        """A change, and who approved it."""
        return await self.get(path_of("parties", party, "sheba-changes", change_id))
