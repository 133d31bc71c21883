"""The source of a book: a live database or an exported folder, both as binary copies."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Protocol

from verifier.tables import Table


class Unreadable(Exception):
    """The book cannot be read at all; the text has the reason."""


class Book(Protocol):
    """One snapshot of a book."""

    def blocks(self, table: Table, shard: int) -> AsyncIterator[bytes]:
        """A table's rows of a shard, in the table's order, as PostgreSQL's binary copy."""
        ...

    async def chunks_at(self, shard: int, sequences: Iterable[int]) -> Mapping[int, bytes]:
        """Packed leaves that hold these sequence numbers, by the first number of each."""
        ...

    async def counts(self) -> dict[str, dict[int, int]]:
        """The number of rows of each table, for each shard that occurs in it."""
        ...

    async def close(self) -> None:
        """Close the book."""
        ...
