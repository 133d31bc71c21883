"""All the SQL of second factors and recovery codes."""

from datetime import datetime
from typing import Final

from identity.second_factors.domain import Factor
from kit.base.db import Record, Tx

_FACTOR: Final = (
    "select factor::text, user_id::text, sealed, enrolled_at, confirmed_at, last_step"
    " from second_factors"
)


async def find_factor(tx: Tx, factor: str) -> Factor | None:
    """A second factor by id."""
    row = await tx.fetchrow(_FACTOR + " where factor = $1::uuid", factor)
    return None if row is None else _factor(row)


async def lock_confirmed(tx: Tx, user: str) -> Factor | None:
    """The factor whose codes a user signs in with, locked until the transaction ends."""
    row = await tx.fetchrow(
        _FACTOR + " where user_id = $1::uuid and confirmed_at is not null for update", user
    )
    return None if row is None else _factor(row)


async def list_factors(tx: Tx, user: str) -> list[Factor]:
    """A user's factors: the confirmed one, and one that waits for its first code."""
    rows = await tx.fetch(_FACTOR + " where user_id = $1::uuid order by enrolled_at limit 2", user)
    return [_factor(row) for row in rows]


async def insert_factor(tx: Tx, factor: Factor) -> None:
    """Add a factor that waits for its first code; a second one of the user is a DataError."""
    await tx.execute(
        "insert into second_factors (factor, user_id, sealed, enrolled_at)"
        " values ($1::uuid, $2::uuid, $3, $4)",
        factor.factor, factor.user, factor.sealed, factor.enrolled_at,
    )  # fmt: skip


async def delete_pending(tx: Tx, user: str) -> None:
    """Remove a user's factor that nobody has shown a code of."""
    await tx.execute(
        "delete from second_factors where user_id = $1::uuid and confirmed_at is null", user
    )


async def delete_all(tx: Tx, user: str) -> None:
    """Remove a user's factors and recovery codes."""
    await tx.execute("delete from second_factors where user_id = $1::uuid", user)
    await tx.execute("delete from recovery_codes where user_id = $1::uuid", user)


async def delete_confirmed(tx: Tx, user: str) -> None:
    """Remove the factor whose codes a user signs in with, for another that takes its place."""
    await tx.execute(
        "delete from second_factors where user_id = $1::uuid and confirmed_at is not null", user
    )


async def update_confirmed(tx: Tx, factor: str, *, step: int, now: datetime) -> None:
    """Write that a code of a factor was shown for the first time."""
    await tx.execute(
        "update second_factors set confirmed_at = $2, last_step = $3 where factor = $1::uuid",
        factor, now, step,
    )  # fmt: skip


async def update_step(tx: Tx, factor: str, *, step: int, sealed: bytes) -> bool:
    """Write which step was taken last; False where it, or a later one, was taken meanwhile."""
    tag = await tx.execute(
        "update second_factors set last_step = $2, sealed = $3"
        " where factor = $1::uuid and last_step < $2",
        factor, step, sealed,
    )  # fmt: skip
    return tag == "UPDATE 1"


async def replace_recovery_codes(tx: Tx, user: str, digests: list[str]) -> None:
    """Keep new recovery codes of a user in place of all before."""
    await tx.execute("delete from recovery_codes where user_id = $1::uuid", user)
    await tx.execute(
        "insert into recovery_codes (user_id, sha256) select $1::uuid, unnest($2::text[])",
        user, digests,
    )  # fmt: skip


async def use_recovery_code(tx: Tx, user: str, digest: str, now: datetime) -> bool:
    """Mark a recovery code as used; False where it is none, or was used."""
    tag = await tx.execute(
        "update recovery_codes set used_at = $3"
        " where user_id = $1::uuid and sha256 = $2 and used_at is null",
        user, digest, now,
    )  # fmt: skip
    return tag == "UPDATE 1"


async def count_recovery_codes(tx: Tx, user: str) -> int:
    """How many recovery codes are left."""
    return await tx.fetchval(
        "select count(*) from recovery_codes where user_id = $1::uuid and used_at is null", user
    )


def _factor(row: Record) -> Factor:
    return Factor(
        factor=row["factor"],
        user=row["user_id"],
        sealed=row["sealed"],
        enrolled_at=row["enrolled_at"],
        confirmed_at=row["confirmed_at"],
        last_step=row["last_step"],
    )
