"""Publishing versions of rules, keeping the live ones, and what they give a basket."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from campaigns import reasons
from campaigns.contributions import Basket, Contribution, Grant
from campaigns.rules import store
from campaigns.rules.domain import book, effects, explanations, publishing, schema
from campaigns.rules.domain.book import Book, Skipped
from campaigns.rules.domain.effects import CapPolicy
from campaigns.rules.domain.tree import Rejected
from contracts import topics
from contracts.campaigns import RulePublished
from contracts.envelope import Envelope, derive_id
from contracts.merchants import Programme
from contracts.values import Channel
from kit.base import errors, telemetry, versions
from kit.base.db import Tx
from kit.stream import outbox

__all__ = [
    "Explanation",
    "RuleCache",
    "contribute",
    "explain",
    "find_rule",
    "keep_rules",
    "list_rules",
    "put_rule",
    "refresh",
]

log = logging.getLogger(__name__)
_NOTES: Final = {CapPolicy.TRIM: reasons.CAP_TRIMMED, CapPolicy.REJECT: reasons.CAP_REJECTED}


@dataclass(slots=True)
class RuleCache:
    """The compiled rules of a process, and the revision of the table up to which they were read."""

    revision: int = 0
    book: Book = field(default_factory=lambda: book.EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The outcome of one rule for one basket, and why: "awarded", "condition-failed",
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
    event = Envelope[Any](
        id=derive_id(key, "rule-published"),
        type="rule-published.v1",
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=published,
    )
    outbox.add(tx, [outbox.message(topics.CAMPAIGNS_RULES, event)])
    return True


async def find_rule(tx: Tx, rule: str, version: int) -> RulePublished:
    """One version as it was put. Raises NotFound."""
    published = await store.find_version(tx, rule, version)
    if published is None:
        raise errors.NotFound(f"no version {version} of rule {rule}; GET /v1/rules lists them")
    return published


async def list_rules(tx: Tx, *, after: str, limit: int) -> list[RulePublished]:
    """The newest version of each rule, by rule id, at most limit."""
    return await store.list_newest(tx, after=after, limit=limit)


# ------------------------------------------------------------------------------------------ living


async def keep_rules(tx: Tx, rules: Sequence[RulePublished]) -> None:
    """Write versions from the topic into live_rules, and announce them to every process."""
    await store.upsert_live_rules(tx, rules)
    await store.upsert_changes(tx, [(r.rule, r.version) for r in rules])


async def refresh(tx: Tx, cache: RuleCache) -> None:
    """Compile what was published since the last look: one statement, which mostly finds nothing.

    A version that this code cannot compile is left out with an alarm; the road goes on.
    """
    changes = await store.list_changes(tx, cache.revision)
    if not changes:
        return
    compiled: list[book.Rule] = []
    for _, published in changes:
        try:
            compiled.append(book.compile_rule(published))
        except Rejected as rejected:
            telemetry.count(telemetry.Metric.ALARMS, "rule-does-not-compile")
            log.error("rule %s@%s: %s", published.rule, published.version, rejected)
    cache.book = book.with_rules(cache.book, compiled)
    cache.revision = max(revision for revision, _ in changes)


# ------------------------------------------------------------------------------------ contributing


class RuleFacts(Protocol):
    """The facts of rules: the compiled ones, and the merchant's programme, whose party may pay."""

    @property
    def programme(self) -> Programme | None: ...
    @property
    def rules(self) -> RuleCache: ...


def contribute(basket: Basket, facts: RuleFacts) -> Contribution | None:
    """The grants of every live rule, fixed bonuses before multipliers, each by rule id.

    Imported history earns base points only.
    """
    base, programme, transaction = basket.base, facts.programme, basket.transaction
    if base is None or not base.earning or programme is None:
        return None
    rules = facts.rules.book
    if transaction.channel is Channel.HISTORY or not book.chains(rules, transaction.merchant):
        return None
    bonuses = book.bonuses(rules, schema.facts_of(basket, base))
    if not bonuses:
        return None
    return Contribution(grants=[_grant(bonus, programme.party) for bonus in bonuses])


async def explain(basket: Basket, facts: RuleFacts) -> list[Explanation]:
    """What every rule gives a basket and why; the same closures as contribute, no side effect.

    It yields to the event loop between two rules, so that the tills' sales are served.
    """
    if basket.base is None:
        return []
    subject = schema.facts_of(basket, basket.base)
    history = basket.transaction.channel is Channel.HISTORY
    explanations: list[Explanation] = []
    for chain in book.chains(facts.rules.book, subject.merchant):
        await asyncio.sleep(0)
        rule = book.in_force(chain, subject.merchant, subject.occurred_at, subject.accepted_at)
        if isinstance(rule, Skipped) or history:
            why = rule if isinstance(rule, Skipped) else Skipped.HISTORY
            newest = chain[0].published
            explanations.append(
                Explanation(rule=newest.rule, version=newest.version, outcome=why.value)
            )
        else:
            explanations.append(_explained(rule, subject))
    return explanations


def _grant(bonus: book.Bonus, party: int) -> Grant:
    return Grant(
        rule=bonus.rule,
        version=bonus.version,
        funder=bonus.funder or party,
        parts=bonus.effect.parts,
        note=None if bonus.effect.capped is None else _NOTES[bonus.effect.capped],
    )


def _explained(rule: book.Rule, basket: schema.BasketFacts) -> Explanation:
    published = rule.published
    failed = explanations.failed_clauses(rule.condition, basket)
    effect = effects.Effect() if failed else effects.give(rule.effect, basket)
    match effect:
        case _ if failed:
            outcome = "condition-failed"
        case effects.Effect(capped=CapPolicy.REJECT):
            outcome = "cap-rejected"
        case effects.Effect(capped=CapPolicy.TRIM):
            outcome = "cap-trimmed"
        case effects.Effect(lines=0):
            outcome = "no-line-qualifies"
        case effects.Effect(parts=()):
            outcome = "below-one-point"
        case _:
            outcome = "awarded"
    return Explanation(
        rule=published.rule,
        version=published.version,
        outcome=outcome,
        points=effect.points,
        failed=failed,
    )
