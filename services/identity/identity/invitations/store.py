"""All the SQL of invitations."""

from datetime import datetime
from typing import Final

from identity.invitations.domain import Invitation
from kit.base.db import Record, Tx

_INVITATION: Final = (
    "select invitation::text, user_id::text, sha256, issued_by, issued_at, ends_at, ended_at,"
    " accepted_at from invitations"
)


async def insert_invitation(tx: Tx, invitation: Invitation) -> None:
    """Add an invitation; an id that is there is a DataError."""
    await tx.execute(
        "insert into invitations (invitation, user_id, sha256, issued_by, issued_at, ends_at)"
        " values ($1::uuid, $2::uuid, $3, $4, $5, $6)",
        invitation.invitation, invitation.user, invitation.sha256, invitation.issued_by,
        invitation.issued_at, invitation.ends_at,
    )  # fmt: skip


async def find_invitation(tx: Tx, invitation: str) -> Invitation | None:
    """An invitation by id."""
    row = await tx.fetchrow(_INVITATION + " where invitation = $1::uuid", invitation)
    return None if row is None else _invitation(row)


async def find_token(tx: Tx, sha256: str) -> Invitation | None:
    """An invitation by the digest of its token."""
    row = await tx.fetchrow(_INVITATION + " where sha256 = $1", sha256)
    return None if row is None else _invitation(row)


async def end_invitations(tx: Tx, user: str, now: datetime) -> None:
    """End the invitations of a user that were not accepted."""
    await tx.execute(
        "update invitations set ended_at = $2"
        " where user_id = $1::uuid and ended_at is null and accepted_at is null",
        user, now,
    )  # fmt: skip


async def update_accepted(tx: Tx, invitation: str, now: datetime) -> bool:
    """Write that an invitation was accepted; False where it is good no more."""
    tag = await tx.execute(
        "update invitations set accepted_at = $2 where invitation = $1::uuid"
        " and ended_at is null and accepted_at is null and ends_at > $2",
        invitation, now,
    )  # fmt: skip
    return tag == "UPDATE 1"


def _invitation(row: Record) -> Invitation:
    values = dict(row)
    return Invitation(user=values.pop("user_id"), **values)
