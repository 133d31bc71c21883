"""The book of rules: every published version compiled, and which of them apply to a basket."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from msgspec import Struct

from campaigns.rules.domain import conditions, effects
from campaigns.rules.domain.schema import BasketFacts
from campaigns.rules.domain.tree import Node, Problem, Rejected
from contracts.campaigns import RulePublished
from kit.base import versions


class Skipped(Enum):
    """Why a rule that knows the merchant gave nothing before its condition was even read."""

    NOT_YET = "not-yet-in-force"  # no version in force at occurred_at
    RETIRED = "retired"  # at occurred_at, or since then and by accepted_at
    ELSEWHERE = "other-merchants"
    NOT_LIVE = "not-live"  # accepted_at is outside the version's window
    HISTORY = "history-base-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of a rule, compiled."""

    published: RulePublished
    version: int
    effective_from: datetime
    merchants: frozenset[int]
    condition: Node
    effect: effects.EffectSpec


class Bonus(Struct, frozen=True, kw_only=True):
    """The bonus of one rule for one basket. funder: a party; 0 is the merchant's own."""

    rule: str
    version: int
    funder: int
    effect: effects.Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Rules by id; each with its versions, newest first. Immutable: a change makes a new book.

    at_merchant: the rules that baskets of a merchant are asked about, everywhere: those for all
    other merchants; in the order of calculation: fixed bonuses, then multipliers, each by rule id.
    """

    versions: Mapping[str, tuple[Rule, ...]]
    everywhere: tuple[tuple[Rule, ...], ...]
    at_merchant: Mapping[int, tuple[tuple[Rule, ...], ...]]


EMPTY = Book(versions={}, everywhere=(), at_merchant={})


def compile_rule(published: RulePublished) -> Rule:
    """Check and compile one version. Raises Rejected with the path of every problem."""
    problems: list[Problem] = []
    condition, effect = None, None
    try:
        condition = conditions.compile_condition(published.condition, "/condition")
    except Rejected as rejected:
        problems += rejected.problems
    try:
        effect = effects.compile_effect(published.effect, "/effect")
    except Rejected as rejected:
        problems += rejected.problems
    if condition is None or effect is None:
        raise Rejected(problems)
    return Rule(
        published=published,
        version=published.version,
        effective_from=published.effective_from,
        merchants=frozenset(published.merchants),
        condition=condition,
        effect=effect,
    )


def with_rules(book: Book, rules: Iterable[Rule]) -> Book:
    """A book with further versions; one that it has already changes nothing."""
    chains_by_rule = dict(book.versions)
    for rule in rules:
        kept = {r.version: r for r in chains_by_rule.get(rule.published.rule, ())}
        kept.setdefault(rule.version, rule)
        chains_by_rule[rule.published.rule] = tuple(versions.latest_first(kept.values()))
    everywhere: list[tuple[Rule, ...]] = []
    at_merchant: dict[int, list[tuple[Rule, ...]]] = {}
    for chain in sorted(chains_by_rule.values(), key=_order):
        if any(not rule.merchants for rule in chain):
            everywhere.append(chain)
            continue
        for merchant in {m for rule in chain for m in rule.merchants}:
            at_merchant.setdefault(merchant, []).append(chain)
    return Book(
        versions=chains_by_rule,
        everywhere=tuple(everywhere),
        at_merchant={
            merchant: tuple(sorted((*everywhere, *own), key=_order))
            for merchant, own in at_merchant.items()
        },
    )


def _order(chain: tuple[Rule, ...]) -> tuple[int, str]:
    shapes = list(effects.Shape)
    return shapes.index(chain[0].effect.shape), chain[0].published.rule


def chains(book: Book, merchant: int) -> tuple[tuple[Rule, ...], ...]:
    """The rules that may apply to a merchant's baskets, each with its newest version first."""
    return book.at_merchant.get(merchant, book.everywhere)


def in_force(
    chain: tuple[Rule, ...], merchant: int, occurred_at: datetime, accepted_at: datetime
) -> Rule | Skipped:
    """The version in force: picked by occurred_at, live by accepted_at (architecture 2).

    A retirement ends every version before it for all sales accepted since: a mistaken rule stops
    at once, whatever occurred_at a till sends.
    """
    rule = versions.in_force(chain, occurred_at)
    if rule is None:
        return Skipped.NOT_YET
    if rule.published.retired or (rule is not chain[0] and _ended(chain, occurred_at, accepted_at)):
        return Skipped.RETIRED
    if rule.merchants and merchant not in rule.merchants:
        return Skipped.ELSEWHERE
    until = rule.published.effective_until
    if accepted_at < rule.effective_from or (until and accepted_at >= until):
        return Skipped.NOT_LIVE
    return rule


def _ended(chain: tuple[Rule, ...], occurred_at: datetime, accepted_at: datetime) -> bool:
    """Whether a retirement came into force between the two times."""
    return any(
        one.published.retired
        and occurred_at < one.effective_from <= accepted_at
        and versions.in_force(chain, one.effective_from) is one
        for one in chain
    )


def bonuses(book: Book, basket: BasketFacts) -> list[Bonus]:
    """The bonus of every live rule for a basket, in the order of calculation, without empty ones.

    Pure, and the till's path: no explanation is made here. Source: campaigns reference 1.
    """
    granted: list[Bonus] = []
    for chain in chains(book, basket.merchant):
        rule = in_force(chain, basket.merchant, basket.occurred_at, basket.accepted_at)
        if isinstance(rule, Skipped) or not rule.condition.run(basket):
            continue
        effect = effects.give(rule.effect, basket)
        if effect.parts or effect.capped:
            granted.append(bonus(rule, effect))
    return granted


def bonus(rule: Rule, effect: effects.Effect) -> Bonus:
    """What a rule gave, under its name."""
    published = rule.published
    return Bonus(
        rule=published.rule, version=published.version, funder=published.funder, effect=effect
    )
