"""SQL of rule versions and of the local table live_rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from contracts.campaigns import RulePublished
from kit.base.db import Tx
from kit.stream import local_tables

LIVE_RULES_TABLE: Final = local_tables.Table(
    name="live_rules",
    columns={"rule": "text", "version": "int", "body": "jsonb"},
    key=("rule", "version"),
    version="version",
)

_rule = msgspec.json.Decoder(RulePublished)


async def lock_rule(tx: Tx, rule: str) -> None:
    """One writer a rule at a time, also before its first version has a row to lock."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('campaigns.rule'), hashtext($1))", rule)


async def find_version(tx: Tx, rule: str, version: int) -> RulePublished | None:
    """One version as it was put."""
    body = await tx.fetchval(
        "select body::text from rule_versions where rule = $1 and version = $2", rule, version
    )
    return None if body is None else _rule.decode(body)


async def find_newest(tx: Tx, rule: str) -> RulePublished | None:
    """The newest version of a rule."""
    body = await tx.fetchval(
        "select body::text from rule_versions where rule = $1 order by version desc limit 1", rule
    )
    return None if body is None else _rule.decode(body)


async def find_parties(tx: Tx, merchants: Sequence[int]) -> set[int]:
    """The parties of merchants, by their programmes; 0 for one that has none."""
    rows = await tx.fetch(
        "select distinct coalesce((p.body->>'party')::int, 0) as party"
        " from unnest($1::int[]) as u (merchant)"
        " left join programmes p on p.merchant = u.merchant",
        merchants,
    )
    return {row["party"] for row in rows}


async def list_newest(tx: Tx, *, after: str, limit: int) -> list[RulePublished]:
    """The newest version of each rule, by rule id, after a given one."""
    rows = await tx.fetch(
        "select distinct on (rule) rule, body::text as body from rule_versions"
        " where rule > $1 order by rule, version desc limit $2",
        after,
        limit,
    )
    return local_tables.legible(rows, lambda row: _rule.decode(row["body"]), "rule_versions")


async def insert_version(
    tx: Tx, published: RulePublished, *, subject: str, put_at: datetime
) -> None:
    """Write down a version; the key is new, the caller has looked."""
    await tx.execute(
        "insert into rule_versions (rule, version, effective_from, body, subject, put_at)"
        " values ($1, $2, $3, $4::text::jsonb, $5, $6)",
        published.rule,
        published.version,
        published.effective_from,
        msgspec.json.encode(published).decode(),
        subject,
        put_at,
    )


async def upsert_live_rules(tx: Tx, rules: Sequence[RulePublished]) -> None:
    """Keep every version, whatever the order of arrival."""
    rows = [
        {"rule": r.rule, "version": r.version, "body": msgspec.json.encode(r).decode()}
        for r in rules
    ]
    await local_tables.upsert(tx, LIVE_RULES_TABLE, rows)


async def upsert_changes(tx: Tx, changed: Sequence[tuple[str, int]]) -> None:
    """Announce (rule, version) under the next revision; its row is locked until commit."""
    rows = sorted(set(changed))
    await tx.execute(
        "with risen as (update rule_revision set revision = revision + 1 returning revision)"
        " insert into rule_changes (rule, version, revision)"
        " select u.rule, u.version, risen.revision"
        " from risen, unnest($1::text[], $2::int[]) as u (rule, version)"
        " on conflict (rule, version) do update set revision = excluded.revision",
        [rule for rule, _ in rows],
        [version for _, version in rows],
    )


async def list_changes(tx: Tx, revision: int) -> list[tuple[int, RulePublished]]:
    """(revision, version of a rule) of everything announced after revision."""
    rows = await tx.fetch(
        "select c.rule, c.version, c.revision, l.body::text as body from rule_changes c"
        " join live_rules l on l.rule = c.rule and l.version = c.version"
        " where c.revision > $1",
        revision,
    )
    return local_tables.legible(
        rows, lambda row: (row["revision"], _rule.decode(row["body"])), "live_rules"
    )
