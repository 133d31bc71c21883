"""Enrolling a second factor, confirming it, and taking its codes."""

import secrets
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Final

from contracts import keys
from contracts.keys import Ring
from identity import errors
from identity.second_factors import domain, store
from identity.second_factors.domain import CodeRefused, Factor
from identity.settings import RECOVERY_CODES, Settings
from identity.users import usecases as users
from kit.base.db import Tx
from kit.base.errors import Unavailable
from kit.room import Resources

OF_SECOND_FACTORS: Final = "second factors"


class KeyMissing(Unavailable):
    """Sealed under a key that the service does not have; an operator gives it again."""

    code = "sealing-key-missing"
    fa = "کلید این دادهٔ شخصی به سامانه داده نشده است؛ گردانندهٔ شبکه باید آن را برگرداند."


async def enrol(
    tx: Tx, fresh: Factor, ring: Ring, *, secret: bytes, within_s: int
) -> tuple[Factor, str | None]:
    """Enrol a second factor of a user, to be confirmed by its first code; and its otpauth URI.

    fresh: without its sealed secret. One that waits already is given up for it. The same again has
    no URI. A user's first one is enrolled within_s seconds after an invitation; a later one by any
    of his sessions, all of which the factor before has opened.
    Raises Unknown, Differs, EnrolmentTooLate.
    """
    user = await users.lock_user(tx, fresh.user)
    kept = await store.find_factor(tx, fresh.factor)
    if kept is not None:
        if kept.user != fresh.user:
            raise errors.Differs("this is another factor; make a new UUID")
        return kept, None
    if await store.lock_confirmed(tx, user.user) is None:
        domain.refuse_late(user.accepted_at, fresh.enrolled_at, within_s=within_s)
    await store.delete_pending(tx, user.user)
    factor = replace(fresh, sealed=_sealed(ring, secret, user.user))
    await store.insert_factor(tx, factor)
    return factor, domain.uri_of(secret, user.login)


async def confirm(
    tx: Tx, factor: str, user: str, ring: Ring, *, code: str, now: datetime
) -> list[str] | None:
    """Confirm a factor by a code of it; recovery codes, shown once. None where it was confirmed.

    It takes the place of the one before. Raises Unknown, CodeRefused, KeyMissing.
    """
    await users.lock_user(tx, user)
    kept = await store.find_factor(tx, factor)
    if kept is None or kept.user != user:
        raise errors.Unknown(f"you have no second factor {factor}; enrol one first")
    if kept.confirmed_at is not None:
        return None
    step = domain.match_step(_secret(ring, kept), domain.fold(code), now, kept.last_step)
    if step is None:
        raise CodeRefused("not the code of this moment; send the next one")
    await store.delete_confirmed(tx, user)
    await store.update_confirmed(tx, factor, step=step, now=now)
    made = range(RECOVERY_CODES)
    codes = [domain.recovery_code(secrets.token_bytes(domain.RECOVERY_BYTES)) for _ in made]
    await store.replace_recovery_codes(tx, user, domain.recovery_digests(codes))
    return codes


async def is_confirmed(tx: Tx, user: str) -> bool:
    """Whether a user signs in with a second factor."""
    return await store.lock_confirmed(tx, user) is not None


async def take_code(tx: Tx, user: str, ring: Ring, *, code: str, now: datetime) -> bool:
    """Use up a code or a recovery code of a user; False where it is none, or was used.

    A secret that an earlier key sealed is sealed by the newest. Raises KeyMissing.
    """
    factor = await store.lock_confirmed(tx, user)
    try:
        folded = domain.fold(code)
    except CodeRefused:
        return False
    if factor is None:
        return False
    if not domain.is_one_time(folded):
        (digest,) = domain.recovery_digests([folded])
        return await store.use_recovery_code(tx, user, digest, now)
    secret = _secret(ring, factor)
    step = domain.match_step(secret, folded, now, factor.last_step)
    if step is None:
        return False
    current = factor.sealed.startswith(ring[0].head)
    sealed = factor.sealed if current else _sealed(ring, secret, user)
    return await store.update_step(tx, factor.factor, step=step, sealed=sealed)


async def list_factors(tx: Tx, user: str) -> tuple[list[Factor], int]:
    """A user's factors, and how many recovery codes are left."""
    return await store.list_factors(tx, user), await store.count_recovery_codes(tx, user)


async def forget(tx: Tx, user: str) -> None:
    """Remove a user's factors and recovery codes: an invitation begins anew."""
    await store.delete_all(tx, user)


def ring_of(opened: Resources) -> Ring:
    """The keys that seal second factors; `opened.shared(ring_of)` reads them once."""
    settings: Settings = opened.settings
    return keys.ring(settings.identity_keys, OF_SECOND_FACTORS, setting="PEYVAND_IDENTITY_KEYS")


def _sealed(ring: Ring, secret: bytes, user: str) -> bytes:
    nonce = secrets.token_bytes(keys.NONCE_BYTES)
    return keys.seal(ring[0], nonce, secret, uuid.UUID(user).int)


def _secret(ring: Ring, factor: Factor) -> bytes:
    try:
        return keys.unseal(ring, factor.sealed, uuid.UUID(factor.user).int)
    except keys.MissingKey as error:
        raise KeyMissing(f"{error}, in PEYVAND_IDENTITY_KEYS") from error
