"""HTTP door of second factors: each user's own."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from identity.second_factors import domain, usecases
from identity.second_factors.domain import Factor
from identity.second_factors.usecases import ring_of
from identity.settings import Settings
from kit import audit_trail
from kit.base import auth
from kit.room import resources

router = APIRouter(tags=["second factors"])


@dataclass(frozen=True, slots=True)
class EnrolledFactor:
    """uri: for an authenticator, as text or as a QR code; in the first answer only."""

    factor: str
    uri: str | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class FactorView:
    """A second factor. confirmed_at: null while it waits for its first code."""

    factor: str
    enrolled_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """The confirmed one, and one that waits. recovery_codes_left: unused ones."""

    items: list[FactorView]
    recovery_codes_left: int


@router.put("/v1/second-factors/{factor}", dependencies=[auth.allow(auth.PERSON)])
async def put_factor(request: Request, response: Response, factor: uuid.UUID) -> EnrolledFactor:
    """Enrol an authenticator under the caller's UUID: 201, and 200 without its URI when repeated.

    It counts once a code of it has confirmed it; until then the one before stays.
    """
    opened = resources(request)
    settings: Settings = opened.settings
    user = auth.actor_of(request).subject
    fresh = Factor(str(factor), user, b"", opened.clock.now())
    async with audit_trail.writing(request, opened.database) as act:
        kept, uri = await usecases.enrol(
            act.tx,
            fresh,
            opened.shared(ring_of),
            secret=secrets.token_bytes(domain.SECRET_BYTES),
            within_s=settings.enrolment_s,
        )
        act.tell({"user": user, "factor": kept.factor, "confirmed": kept.confirmed_at is not None})
    response.status_code = 200 if uri is None else 201
    return EnrolledFactor(kept.factor, uri, kept.confirmed_at)


@router.get("/v1/second-factors", dependencies=[auth.allow(auth.PERSON)])
async def list_factors(request: Request) -> Factors:
    """The caller's own second factors, secrets never."""
    async with resources(request).database.read() as tx:
        factors, left = await usecases.list_factors(tx, auth.actor_of(request).subject)
    views = [FactorView(f.factor, f.enrolled_at, f.confirmed_at) for f in factors]
    return Factors(views, left)
