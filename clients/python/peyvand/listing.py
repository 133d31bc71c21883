"""Lists of the network, read piece by piece to their end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from peyvand.administration import Document, Page

PAGES_MAX: Final = 1_000_000
Listing = Callable[[str | int | None], Awaitable[Page]]


async def every(listing: Listing) -> AsyncIterator[Document]:
    """All items of a list, piece by piece: `async for case in every(operator.cases)`."""
    after: str | int | None = None
    for _ in range(PAGES_MAX):
        page = await listing(after)
        for item in page.items:
            yield item
        if page.next is None:
            return
        after = page.next
