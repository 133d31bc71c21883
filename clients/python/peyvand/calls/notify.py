"""Calls of notify: messages to members."""

from peyvand.administration import Page
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class MessageCalls(Calls):
    """Calls of notify: messages to members."""

    async def messages(self, after: str | int | None = None, *, member: int | None = None) -> Page:
        """Messages to members, mobile numbers masked."""
        return await self.page(path_of("messages", member=member, after=after, limit=LIMIT))

    async def message_counts(self) -> dict[str, int]:
        """How many messages are in each state."""
        return (await self.get(path_of("messages", limit=1, counts="true")))["counts"]
