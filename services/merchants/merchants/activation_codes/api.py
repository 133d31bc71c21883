"""HTTP door of activation codes: issued by operators, redeemed by whoever types them."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, Strict

from kit import audit_trail
from kit.base import auth, fields, ids
from kit.base.auth import Role
from kit.room import resources
from merchants import settings
from merchants.activation_codes import domain, usecases
from merchants.activation_codes.domain import ActivationCode
from merchants.terminals.domain import IssuedKey

router = APIRouter(tags=["terminals"])
_PATH: Final = "/v1/terminals/{terminal}/activation-codes/{code_id}"


class ActivationCodeBody(BaseModel):
    """overlap_s: how long keys before the code's stay good once it is redeemed, in seconds."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overlap_s": 600}]})
    overlap_s: Annotated[int, Strict(), Field(ge=0, le=settings.KEYS_OVERLAP_MAX_S)] = 0


class RedemptionBody(BaseModel):
    """code: sixteen digits, of any script, grouped or not. device: a UUID that the till keeps."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "4512 8830 0971 2641",
                    "device": "5a1f3c77-64c8-4d36-9a53-0f6f0f3f2d11",
                }
            ]
        },
    )
    code: Annotated[str, Field(min_length=1, max_length=64)]
    device: uuid.UUID


@dataclass(frozen=True, slots=True)
class ActivationCodeView:
    """A code. code: its digits, in the answer that issued it and never again.

    device: the one that redeemed it. ended_at: when it was withdrawn or replaced.
    """

    code_id: str
    terminal: int
    issued_by: str
    issued_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    device: str | None
    redeemed: int
    code: str | None = None


@router.put(_PATH, dependencies=[auth.allow(Role.TERMINALS)])
async def put_code(
    request: Request,
    response: Response,
    terminal: fields.NumberText,
    code_id: uuid.UUID,
    body: ActivationCodeBody,
) -> ActivationCodeView:
    """Issue a code, good for a day: 201; 200 without its digits when repeated.

    Codes before it of the same terminal end. Read it out to whoever stands at the till.
    """
    opened, now = resources(request), resources(request).clock.now()
    code = domain.code_of(secrets.randbelow(10**15))
    fresh = ActivationCode(
        code_id=str(code_id),
        terminal=terminal,
        sha256=domain.digest(code),
        overlap_s=body.overlap_s,
        issued_by=auth.actor_of(request).subject,
        issued_at=now,
        ends_at=now + domain.LIFE,
    )

    async def issue(act: audit_trail.Act) -> tuple[ActivationCode, bool]:
        kept, created = await usecases.issue(act.tx, fresh)
        act.tell(_view(kept))
        return kept, created

    kept, created = await audit_trail.written(request, opened.database, issue)
    response.status_code = 201 if created else 200
    return _view(kept, domain.grouped(code) if created else None)


@router.get(_PATH, dependencies=[auth.allow(*auth.STAFF)])
async def get_code(
    request: Request, terminal: fields.NumberText, code_id: uuid.UUID
) -> ActivationCodeView:
    """A code without its digits: whether it was redeemed, and by which device."""
    async with resources(request).database.read() as tx:
        return _view(await usecases.get_code(tx, terminal, code_id))


@router.delete(_PATH, dependencies=[auth.allow(Role.TERMINALS)])
async def delete_code(
    request: Request, terminal: fields.NumberText, code_id: uuid.UUID
) -> ActivationCodeView:
    """Withdraw a code; repeated, the first end stands. A key that it gave stays: revoke that."""
    opened = resources(request)
    async with audit_trail.writing(request, opened.database) as act:
        ended = await usecases.withdraw(act.tx, terminal, code_id, opened.clock.now())
        act.tell(_view(ended))
    return _view(ended)


@router.post("/v1/activations", dependencies=[auth.allow(auth.STRANGER)])
async def post_activation(request: Request, body: RedemptionBody) -> IssuedKey:
    """Redeem a code: the terminal's next epoch and its key, for the device alone. Needs no key.

    Where the answer is lost, the same device sends the same again and has another key; what it had
    before ends. 422 bad-activation-code: mistyped. 403 activation-code-unknown.
    """
    opened = resources(request)
    code = domain.normalised(body.code)

    async def redeem(act: audit_trail.Act) -> IssuedKey:
        kept, key = await usecases.redeem(
            act.tx, code, body.device, secret=ids.secret(), now=opened.clock.now()
        )
        act.tell(
            {
                "code_id": kept.code_id,
                "terminal": key.terminal,
                "epoch": key.epoch,
                "key_id": key.key_id,
                "device": str(body.device),
            }
        )
        return key

    return await audit_trail.written(request, opened.database, redeem)


def _view(kept: ActivationCode, code: str | None = None) -> ActivationCodeView:
    return ActivationCodeView(
        code_id=kept.code_id,
        terminal=kept.terminal,
        issued_by=kept.issued_by,
        issued_at=kept.issued_at,
        ends_at=kept.ends_at,
        ended_at=kept.ended_at,
        device=kept.device,
        redeemed=kept.redeemed,
        code=code,
    )
