"""HTTP door of rules: versions are published and read."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from contracts.members import IdentifierKind
from fraud.rules import usecases
from fraud.rules.domain import LAPSE_MAX_RIAL, Action, Counted, Measure, Rule, Subject, Window
from kit import audit_trail
from kit.base import auth, errors, fields
from kit.base.auth import Role
from kit.room import resources

LIMIT_MAX: Final = 200
RuleName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9\-]{1,47}$")]
Version = Annotated[fields.NumberText, Path(le=1_000_000)]
Text = Annotated[fields.Prose, Field(min_length=1, max_length=300)]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
After = Annotated[str, Query(max_length=64)]


RULE: Final[JsonDict] = {
    "effective_from": "2030-03-21T00:00:00+03:30",
    "over": "card_at_merchant",
    "counts": "sales",
    "measure": "count",
    "window": "10m",
    "threshold": 10,
    "on_purchase": "hold",
    "on_redemption": "decline",
    "fa": "{value} خرید در ده دقیقه، بیش از {threshold}",
    "en": "{value} sales in ten minutes, above {threshold}",
}


router = APIRouter(tags=["fraud"])


class RuleBody(BaseModel):
    """What one version of a rule says. It fires when its value is above (not at) the threshold.

    over: account counts what was allowed anywhere, card the redemptions among it by one identifier,
    card_at_merchant every attempt with that identifier there, terminal and merchant the Rial of a
    day of Tehran (sum_rial of purchases or redemptions, 1d), as last heard. sum_rial of a
    redemption is what it spends, at the price in force. identifiers: looks only where one of these
    was shown; empty: always. lapse_max_rial: an unreviewed earning of a larger basket is
    cancelled at its due time, of another released.
    {value}, {threshold} and {shown} (what was shown) are filled into both texts.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=False,
        json_schema_extra={"examples": [RULE]},
    )

    effective_from: fields.Moment
    enabled: fields.Flag = True
    over: Subject
    counts: Counted
    measure: Measure
    window: Window
    threshold: fields.Amount
    on_purchase: Action
    on_redemption: Action
    on_history: fields.Flag = False
    identifiers: Annotated[tuple[IdentifierKind, ...], Field(max_length=4)] = ()
    lapse_max_rial: fields.Amount = LAPSE_MAX_RIAL
    fa: Text
    en: Text


class RuleView(RuleBody):
    """A version as it is published."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [RULE | {"rule": "card-burst", "version": 2}]}
    )
    rule: str
    version: int


class RulePage(BaseModel):
    """Versions by name and number; next: what to pass as after, null at the end."""

    items: list[RuleView]
    next: str | None


@router.put(
    "/v1/fraud-rules/{rule}/versions/{version}",
    responses={201: {"model": RuleView}},
    dependencies=[auth.allow(Role.RULES)],
)
async def put_rule(
    request: Request, response: Response, rule: RuleName, version: Version, body: RuleBody
) -> RuleView:
    """Publish the next version of a rule; the same body again changes nothing."""
    actor = auth.actor_of(request)
    published = Rule(rule=rule, version=version, **_fields(body))
    async with audit_trail.writing(request, resources(request).database) as act:
        new = await usecases.publish_rule(act.tx, published, author=actor.subject)
        act.tell(_view(published))
    response.status_code = 201 if new else 200
    return _view(published)


@router.get("/v1/fraud-rules/{rule}/versions/{version}", dependencies=[auth.allow(*auth.STAFF)])
async def get_rule(request: Request, rule: RuleName, version: Version) -> RuleView:
    """One version of a rule."""
    async with resources(request).database.read() as tx:
        published = await usecases.get_rule(tx, rule, version)
    return _view(published)


@router.get("/v1/fraud-rules", dependencies=[auth.allow(*auth.STAFF)])
async def list_rules(request: Request, after: After = "", limit: Limit = 50) -> RulePage:
    """All versions of all rules."""
    async with resources(request).database.read() as tx:
        rules = await usecases.list_rules(tx, after=_cursor(after), limit=limit)
    last = rules[-1] if len(rules) == limit else None
    return RulePage(
        items=[_view(rule) for rule in rules],
        next=None if last is None else f"{last.rule}@{last.version}",
    )


def _fields(body: RuleBody) -> dict[str, Any]:
    return body.model_dump()


def _view(rule: Rule) -> RuleView:
    fields: dict[str, str | int | bool | datetime] = {
        name: getattr(rule, name) for name in Rule.__struct_fields__
    }
    return RuleView.model_validate(fields)


def _cursor(after: str) -> tuple[str, int]:
    """(rule, version) of a page's next. Raises Invalid."""
    rule, _, version = after.partition("@")
    if after and not (version.isascii() and version.isdigit() and len(version) < 8):
        raise errors.Invalid("after is what an earlier page gave as next", code="bad-cursor")
    return rule, int(version or 0)
