"""Issuing, withdrawing and redeeming activation codes."""

import uuid
from datetime import datetime

from kit.base.db import Tx
from merchants import errors
from merchants.activation_codes import domain, store
from merchants.activation_codes.domain import ActivationCode, ActivationCodeUnknown
from merchants.terminals import usecases as terminals
from merchants.terminals.domain import IssuedKey


async def issue(tx: Tx, fresh: ActivationCode) -> tuple[ActivationCode, bool]:
    """Issue a code under the caller's id; as kept, and whether it is new.

    Those before it of the same terminal end. Raises Unknown (terminal), Differs.
    """
    await terminals.lock_terminal(tx, fresh.terminal)
    kept = await store.find_code(tx, fresh.code_id)
    if kept is not None:
        if (kept.terminal, kept.overlap_s) != (fresh.terminal, fresh.overlap_s):
            raise errors.Differs("another code has this id; make a new UUID")
        return kept, False
    await store.update_ended(tx, fresh.terminal, fresh.issued_at)
    await store.insert_code(tx, fresh)
    return fresh, True


async def get_code(tx: Tx, terminal: int, code_id: uuid.UUID) -> ActivationCode:
    """A terminal's code. Raises Unknown."""
    kept = await store.find_code(tx, str(code_id))
    if kept is None or kept.terminal != terminal:
        raise errors.Unknown(f"terminal {terminal} has no such code; issue one")
    return kept


async def withdraw(tx: Tx, terminal: int, code_id: uuid.UUID, now: datetime) -> ActivationCode:
    """End a code; repeated, the first end stands. Raises Unknown."""
    await terminals.lock_terminal(tx, terminal)
    await store.update_ended(tx, terminal, now, code_id=str(code_id))
    return await get_code(tx, terminal, code_id)


async def redeem(
    tx: Tx, code: str, device: uuid.UUID, *, secret: str, now: datetime
) -> tuple[ActivationCode, IssuedKey]:
    """Activate the terminal that a code is of: its next epoch, and a key made of secret.

    The same device may redeem it again until it ends, as its answer may have been lost; each time
    the epoch rises and the keys before end. Raises ActivationCodeUnknown.
    """
    kept = await store.lock_digest(tx, domain.digest(code))
    if kept is None or not kept.is_good(str(device), now):
        raise ActivationCodeUnknown("no such code, or it is used up; ask for a new one")
    key, _ = await terminals.activate_terminal(
        tx,
        kept.terminal,
        kept.activation(),
        secret=secret,
        now=now,
        overlap_s=kept.overlap_s,
    )
    await store.update_redeemed(tx, kept.code_id, str(device))
    return kept, key
