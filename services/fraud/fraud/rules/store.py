"""All the SQL of rules."""

from typing import Final

import msgspec

from fraud.rules.domain import Counted, Rule, Subject, Threshold
from kit.base.db import Record, Tx
from kit.base.versions import Newest
from kit.stream import local_tables

_encode: Final = msgspec.json.Encoder().encode
_rule: Final = msgspec.json.Decoder(Rule)


async def update_revision(tx: Tx) -> None:
    """Tell the road that there is a new version; the row lock lets writers wait for one another."""
    await tx.execute("update rulebook set revision = revision + 1")


async def find_rules(tx: Tx) -> list[Rule]:
    """Every version of every rule, by name and version."""
    rows = await tx.fetch("select rule, version, body from rule_versions order by rule, version")
    return local_tables.legible(rows, _rule_of, "rule_versions")


async def find_rule(tx: Tx, rule: str, version: int) -> Rule | None:
    """One version."""
    body = await tx.fetchval(
        "select body from rule_versions where rule = $1 and version = $2", rule, version
    )
    return None if body is None else _rule.decode(body)


async def list_rules(tx: Tx, after: tuple[str, int], limit: int) -> list[Rule]:
    """Versions after (rule, version), by name and version."""
    rows = await tx.fetch(
        "select rule, version, body from rule_versions where (rule, version) > ($1, $2)"
        " order by rule, version limit $3",
        *after,
        limit,
    )
    return local_tables.legible(rows, _rule_of, "rule_versions")


def _rule_of(row: Record) -> Rule:
    return _rule.decode(row["body"])


async def find_newest(tx: Tx, rule: str) -> Newest | None:
    """Number and start of a rule's newest version, or None."""
    row = await tx.fetchrow(
        "select version, effective_from from rule_versions where rule = $1"
        " order by version desc limit 1",
        rule,
    )
    return None if row is None else Newest(**dict(row))


async def insert_rule(tx: Tx, rule: Rule, author: str) -> None:
    """Write down a version."""
    await tx.execute(
        "insert into rule_versions (rule, version, effective_from, author, body)"
        " values ($1, $2, $3, $4, $5)",
        rule.rule,
        rule.version,
        rule.effective_from,
        author,
        _encode(rule).decode(),
    )


async def find_thresholds(tx: Tx) -> list[Threshold]:
    """The thresholds on days of all versions of rules; those not in force do no harm."""
    rows = await tx.fetch(
        "select body ->> 'over' as over, body ->> 'counts' as counts,"
        " (body ->> 'threshold')::bigint as rial from rule_versions"
        " where body ->> 'over' in ('terminal', 'merchant')"
    )
    return [Threshold(Subject(over), Counted(counts), rial) for over, counts, rial in rows]
