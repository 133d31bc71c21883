"""SQL of evidence."""

from typing import Final

from kit.base.db import Record, Tx
from merchants.disputes.domain.evidence import EvidenceFile

_SELECT: Final = (
    "select dispute::text as dispute, file::text as file, party, title, media_type,"
    " encode(sha256, 'hex') as sha256, size_bytes, sent_at, sent_by from dispute_files"
)


async def insert_file(tx: Tx, file: EvidenceFile, content: bytes) -> None:
    """Add a file; one that is there is a DataError."""
    await tx.execute(
        "insert into dispute_files"
        " (dispute, file, party, title, media_type, sha256, size_bytes, content, sent_at, sent_by)"
        " values ($1::uuid, $2::uuid, $3, $4, $5, decode($6, 'hex'), $7, $8, $9, $10)",
        file.dispute,
        file.file,
        file.party,
        file.title,
        file.media_type,
        file.sha256,
        file.size_bytes,
        content,
        file.sent_at,
        file.sent_by,
    )


async def find_file(tx: Tx, dispute: str, file: str) -> EvidenceFile | None:
    """A file of a dispute, or None."""
    row = await tx.fetchrow(
        _SELECT + " where dispute = $1::uuid and file = $2::uuid", dispute, file
    )
    return None if row is None else _file(row)


async def find_content(tx: Tx, dispute: str, file: str) -> bytes:
    """The content of a file that is there."""
    content: bytes = await tx.fetchval(
        "select content from dispute_files where dispute = $1::uuid and file = $2::uuid",
        dispute,
        file,
    )
    return content


async def count_files(tx: Tx, dispute: str, party: int) -> int:
    """How many files a party has sent."""
    count: int = await tx.fetchval(
        "select count(*) from dispute_files where dispute = $1::uuid and party = $2",
        dispute,
        party,
    )
    return count


async def list_files(tx: Tx, dispute: str) -> list[EvidenceFile]:
    """The files of a dispute as they came; there are few."""
    rows = await tx.fetch(_SELECT + " where dispute = $1::uuid order by sent_at, file", dispute)
    return [_file(row) for row in rows]


def _file(row: Record) -> EvidenceFile:
    return EvidenceFile(**dict(row))
