"""Where a book is read from: a live database or an exported folder, both as binary copies."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Protocol

from verifier.tables import Table


class Unreadable(Exception):
    """The book cannot be read at all; the text says why."""


class Book(Protocol):
    """One book at one moment."""

    def blocks(self, table: Table, shard: int) -> AsyncIterator[bytes]:
        """A table's rows of a shard, in the table's order, as PostgreSQL's binary copy."""
        ...

    async def chunks_at(self, shard: int, sequences: Iterable[int]) -> Mapping[int, bytes]:
        """Packed leaves that hold these sequence numbers, by the first number of each."""
        ...

    async def counts(self) -> dict[str, dict[int, int]]:
        """How many rows each table has of each shard that occurs in it."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...
