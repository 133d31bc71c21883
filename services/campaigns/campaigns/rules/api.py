"""HTTP door: versions of bonus rules."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from campaigns import settings
from campaigns.rules import usecases
from campaigns.rules.domain import tree
from contracts.campaigns import RulePublished
from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources

RuleId = Annotated[str, Path(pattern="^[a-z][a-z0-9-]{0,63}$")]


RULE: Final[JsonDict] = {
    "effective_from": "2030-03-21T00:00:00+03:30",
    "merchants": [12],
    "title_fa": "دو برابر روزهای جمعه",
    "title_en": "Twice on Fridays",
    "condition": {">=": [{"var": "amount_rial"}, 500_000]},
    "effect": {"multiply": {"increment_bp": 10_000}},
}


router = APIRouter(tags=["rules"])


class RuleBody(BaseModel):
    """A version of a rule. condition, effect: see the guide of the engine's dialect.

    funder: the party that pays, 1 the network, 0 the merchant's own party; another only where all
    the merchants are its own.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [RULE]},
    )

    effective_from: fields.Moment
    effective_until: fields.Moment | None = None
    merchants: list[fields.Number] = []
    funder: fields.NumberOrZero = 0
    title_fa: fields.Title
    title_en: fields.Title
    condition: Any
    effect: Any
    retired: fields.Flag = False


@router.put("/v1/rules/{rule}/versions/{version}", dependencies=[auth.allow(Role.RULES)])
async def put_rule(
    request: Request, rule: RuleId, version: fields.NumberText, body: RuleBody
) -> Response:
    """Publish a version: 201 new, 200 the same again, 422 other content or a faulty rule."""
    actor = auth.actor_of(request)
    published = _published(rule, version, body)
    async with audit_trail.writing(request, resources(request).database) as act:
        new = await usecases.put_rule(
            act.tx, published, subject=actor.subject, now=resources(request).clock.now()
        )
        act.tell(published)
    return _json(published, 201 if new else 200)


@router.get("/v1/rules/{rule}/versions/{version}", dependencies=[auth.allow(*auth.STAFF)])
async def get_rule(request: Request, rule: RuleId, version: fields.NumberText) -> Response:
    """One version as it was put."""
    async with resources(request).database.read() as tx:
        published = await usecases.find_rule(tx, rule, version)
    return _json(published, 200)


@router.get("/v1/rules", dependencies=[auth.allow(*auth.STAFF)])
async def list_rules(
    request: Request,  # pyright: ignore[reportUnusedFunction]
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> Response:
    """The newest version of each rule, by rule id."""
    async with resources(request).database.read() as tx:
        rules = await usecases.list_rules(tx, after=after, limit=limit)
    following = rules[-1].rule if len(rules) == limit else None
    return _json({"items": rules, "next": following}, 200)


def _published(rule: str, version: int, body: RuleBody) -> RulePublished:
    return RulePublished(
        rule=rule,
        version=version,
        effective_from=body.effective_from,
        effective_until=body.effective_until,
        merchants=tuple(sorted(set(body.merchants))),
        funder=body.funder,
        title_fa=body.title_fa,
        title_en=body.title_en,
        condition=tree.folded(body.condition),
        effect=tree.folded(body.effect),
        retired=body.retired,
    )


def _json(content: Any, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
