"""All the SQL of enrolments."""

import uuid

from kit.base.db import Tx


async def insert_enrolment(tx: Tx, enrolment: uuid.UUID, member: int, fingerprint: bytes) -> None:
    """Remember what a request made; an id that exists is a DataError 23505."""
    await tx.execute(
        "insert into enrolments (enrolment, member, fingerprint) values ($1, $2, $3)",
        enrolment,
        member,
        fingerprint,
    )


async def find_enrolment(tx: Tx, enrolment: uuid.UUID) -> tuple[int, bytes] | None:
    """Member and fingerprint of a request, or None."""
    row = await tx.fetchrow(
        "select member, fingerprint from enrolments where enrolment = $1", enrolment
    )
    return None if row is None else (row["member"], row["fingerprint"])
