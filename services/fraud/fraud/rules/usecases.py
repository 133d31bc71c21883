"""The verbs of rules: publish a version, read versions, announce a change to screening."""

from fraud.rules import domain, store
from fraud.rules.domain import Rule, Threshold
from kit.base import errors, versions
from kit.base.db import Tx


async def publish_rule(tx: Tx, rule: Rule, *, author: str) -> bool:
    """Write a version; screening applies it from its next poll on. False: it was there already.

    Raises Invalid, AlreadyExistsDifferently, VersionNotNext, EffectiveTooSoon.
    """
    domain.check(rule)
    await store.update_revision(tx)
    existing = await store.find_rule(tx, rule.rule, rule.version)
    if not versions.is_new(rule, existing, await store.find_newest(tx, rule.rule)):
        return False
    await store.insert_rule(tx, rule, author)
    return True


async def list_rules(tx: Tx, *, after: tuple[str, int], limit: int) -> list[Rule]:
    """Versions after (rule, version), by name and version."""
    return await store.list_rules(tx, after, limit)


async def get_rule(tx: Tx, rule: str, version: int) -> Rule:
    """One version. Raises NotFound."""
    published = await store.find_rule(tx, rule, version)
    if published is None:
        raise errors.NotFound(f"there is no version {version} of a rule {rule[:80]}")
    return published


async def find_rules(tx: Tx) -> list[Rule]:
    """Every version of every rule, by name and version."""
    return await store.find_rules(tx)


async def find_thresholds(tx: Tx) -> list[Threshold]:
    """The thresholds of all versions of rules on days of terminals and merchants."""
    return await store.find_thresholds(tx)


async def announce_change(tx: Tx) -> None:
    """Have screening read rules, terms and large days again at its next poll."""
    await store.update_revision(tx)
