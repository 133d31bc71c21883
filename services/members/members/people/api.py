"""HTTP door of consents."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from members.additions import usecases as additions
from members.enroller import enroller
from members.people import usecases
from members.people.domain import ConsentAnswers, Person
from members.terms import enrolment_terms

router = APIRouter(tags=["members"])


class AnswersBody(BaseModel):
    """The member's answers. wording: version of the text that the member read."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"receipts": True, "marketing": False, "wording": "1"}]},
    )
    receipts: fields.Flag
    marketing: fields.Flag
    wording: Annotated[fields.Prose, Field(min_length=1, max_length=40)]


@dataclass(frozen=True, slots=True)
class Answers:
    """The newest consents of a member."""

    member: int
    terms: bool
    receipts: bool
    marketing: bool
    wording: str
    given_at: datetime


@router.put("/v1/members/{member}/consents/{request_id}", dependencies=[auth.allow(Role.ENROL)])
async def put_consents(
    request: Request,
    member: fields.AccountText,
    request_id: uuid.UUID,
    body: AnswersBody,
) -> Answers:
    """Record a member's later answers: SMS for every purchase, marketing."""
    database = resources(request).database
    clock = resources(request).clock
    key_set = resources(request).shared(enrolment_terms).key_set
    answers = ConsentAnswers(request_id, body.receipts, body.marketing, body.wording)

    by = enroller(request)

    async def record(act: audit_trail.Act) -> Person:
        person = await usecases.get_person(act.tx, member)
        await additions.refuse_other_party(act.tx, by, person.binding.account)
        before = person.consents
        kept = await usecases.record_consents(
            act.tx, member, answers, key_set=key_set, now=clock.now()
        )
        act.tell(kept.consents, before=before)
        return kept

    person = await audit_trail.written(request, database, record)
    kept = person.consents
    return Answers(
        member, kept.terms, kept.receipts, kept.marketing, kept.wording, person.consented_at
    )
