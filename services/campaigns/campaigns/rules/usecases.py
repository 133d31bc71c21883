"""Publishing versions of rules, keeping the live ones, and what they give a basket."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campaigns.rules import store
from campaigns.rules.domain import book, effects, explanations, publishing, schema
from campaigns.rules.domain.book import Bonus, Book, Skipped
from campaigns.rules.domain.effects import Then
from campaigns.rules.domain.schema import Basket, calendar
from campaigns.rules.domain.tree import Rejected
from contracts import topics
from contracts.campaigns import RulePublished
from contracts.envelope import Envelope, derive_id
from kit.base import errors, telemetry, versions
from kit.base.db import Tx
from kit.stream import outbox

__all__ = ["Basket", "Bonus", "Explanation", "Shelf", "Then", "applies", "calendar", "explain",
           "find_rule", "keep_rules", "list_rules", "put_rule", "refresh", "reward"]  # fmt: skip

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Shelf:
    """The compiled rules of a process, and the revision of the table up to which they were read."""

    revision: int = 0
    book: Book = field(default_factory=lambda: book.EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What one rule said of one basket, and why. outcome: "awarded", "condition-failed",
    "no-line-qualifies", "below-one-point", "cap-rejected", "cap-trimmed", or a Skipped's value."""

    rule: str
    version: int
    outcome: str
    points: int = 0
    failed: tuple[explanations.FailedClause, ...] = ()


# -------------------------------------------------------------------------------------- publishing


async def put_rule(tx: Tx, published: RulePublished, *, subject: str, now: datetime) -> bool:
    """Write down a version and publish it on campaigns.rules; False when it exists just so.

    Raises RuleInvalid (problems with their paths), AlreadyExistsDifferently, VersionNotNext,
    EffectiveTooSoon.
    """
    publishing.check_rule(published)
    await store.lock_rule(tx, published.rule)
    existing = await store.find_version(tx, published.rule, published.version)
    if not versions.is_new(published, existing, await store.find_newest(tx, published.rule)):
        return False
    publishing.check_funder(published, await store.find_parties(tx, published.merchants))
    await store.insert_version(tx, published, subject=subject, put_at=now)
    key = f"{published.rule}@{published.version}"
    said = Envelope[Any](
        id=derive_id(key, "rule-published"),
        type="rule-published.v1",
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=published,
    )
    outbox.add(tx, [outbox.message(topics.CAMPAIGNS_RULES, said)])
    return True


async def find_rule(tx: Tx, rule: str, version: int) -> RulePublished:
    """One version as it was put. Raises NotFound."""
    found = await store.find_version(tx, rule, version)
    if found is None:
        raise errors.NotFound(f"no version {version} of rule {rule}; GET /v1/rules lists them")
    return found


async def list_rules(tx: Tx, *, after: str, limit: int) -> list[RulePublished]:
    """The newest version of each rule, by rule id, at most limit."""
    return await store.list_newest(tx, after=after, limit=limit)


# ------------------------------------------------------------------------------------------ living


async def keep_rules(tx: Tx, heard: Sequence[RulePublished]) -> None:
    """Write versions that were heard into live_rules, and tell every process of them."""
    await store.upsert_live_rules(tx, heard)
    await store.upsert_changes(tx, [(r.rule, r.version) for r in heard])


async def refresh(tx: Tx, shelf: Shelf) -> None:
    """Compile what was published since the last look: one statement, which mostly finds nothing.

    A version that this code cannot compile is left out with an alarm; the road goes on.
    """
    changes = await store.list_changes(tx, shelf.revision)
    if not changes:
        return
    compiled: list[book.Rule] = []
    for _, published in changes:
        try:
            compiled.append(book.compile_rule(published))
        except Rejected as rejected:
            telemetry.count(telemetry.Metric.ALARMS, "rule-does-not-compile")
            log.error("rule %s@%s: %s", published.rule, published.version, rejected)
    shelf.book = book.with_rules(shelf.book, compiled)
    shelf.revision = max(revision for revision, _ in changes)


# ----------------------------------------------------------------------------------------- giving


def applies(shelf: Shelf, merchant: int) -> bool:
    """Whether any rule at all speaks of a merchant's baskets."""
    return bool(book.chains(shelf.book, merchant))


def reward(shelf: Shelf, basket: Basket) -> list[Bonus]:
    """What every live rule gives a basket, fixed bonuses before multipliers, each by rule id."""
    return book.bonuses(shelf.book, basket)


async def explain(shelf: Shelf, basket: Basket, *, history: bool) -> list[Explanation]:
    """What every rule said of a basket and why; the same closures as reward, side effects none.

    The loop goes on between two rules: the tills' sales are on it.
    """
    told: list[Explanation] = []
    for chain in book.chains(shelf.book, basket.merchant):
        await asyncio.sleep(0)
        rule = book.in_force(chain, basket.merchant, basket.occurred_at, basket.accepted_at)
        if isinstance(rule, Skipped) or history:
            why = rule if isinstance(rule, Skipped) else Skipped.HISTORY
            newest = chain[0].published
            told.append(Explanation(rule=newest.rule, version=newest.version, outcome=why.value))
        else:
            told.append(_explained(rule, basket))
    return told


def _explained(rule: book.Rule, basket: schema.Basket) -> Explanation:
    published = rule.published
    failed = explanations.failed_clauses(rule.condition, basket)
    given = effects.Given() if failed else effects.give(rule.effect, basket)
    match given:
        case _ if failed:
            outcome = "condition-failed"
        case effects.Given(capped=Then.REJECT):
            outcome = "cap-rejected"
        case effects.Given(capped=Then.TRIM):
            outcome = "cap-trimmed"
        case effects.Given(lines=0):
            outcome = "no-line-qualifies"
        case effects.Given(parts=()):
            outcome = "below-one-point"
        case _:
            outcome = "awarded"
    return Explanation(
        rule=published.rule,
        version=published.version,
        outcome=outcome,
        points=given.points,
        failed=failed,
    )
