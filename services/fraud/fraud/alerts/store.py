"""All the SQL of alerts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from contracts.fraud import NameSeen
from fraud.alerts.domain import Alert, AlertKind
from kit.base.db import Record, Tx
from kit.stream import local_tables

_json: Final = msgspec.json.Encoder()
_name_seen: Final = msgspec.json.Decoder(NameSeen)


async def insert_names_seen(tx: Tx, seen: Sequence[NameSeen]) -> None:
    """Remember the first sight of each name on each shard, in order of arrival."""
    await tx.execute(
        "insert into names_seen (name, shard, terminal, merchant, account, fingerprint, seen_at)"
        " select * from unnest($1::text[], $2::int[], $3::bigint[], $4::int[], $5::bigint[],"
        "  $6::text[], $7::timestamptz[]) on conflict (name, shard) do nothing",
        [s.name for s in seen],
        [s.shard for s in seen],
        [s.terminal for s in seen],
        [s.merchant for s in seen],
        [s.account for s in seen],
        [s.fingerprint for s in seen],
        [s.seen_at for s in seen],
    )


async def find_shared_names(tx: Tx, names: Sequence[str]) -> list[NameSeen]:
    """All sights of those names that more than one shard saw, in order of arrival."""
    rows = await tx.fetch(
        "select s.name, s.shard, s.terminal, s.merchant, s.account, s.fingerprint, s.seen_at"
        " from unnest($1::text[]) as k (name) join names_seen s on s.name = k.name"
        " where exists (select from names_seen o where o.name = s.name and o.shard <> s.shard)"
        " order by s.number",
        list(dict.fromkeys(names)),
    )
    return [NameSeen(**dict(row)) for row in rows]


async def insert_alerts(tx: Tx, raised: Sequence[Alert]) -> list[str]:
    """Write alerts down, once for each name and shard; gives the kinds of the new ones."""
    await local_tables.will_number(tx, "alerts")
    rows = await tx.fetch(
        "insert into alerts (kind, name, terminal, first, second, second_shard, raised_at)"
        " select * from unnest($1::text[], $2::text[], $3::bigint[], $4::jsonb[], $5::jsonb[],"
        "  $6::int[], $7::timestamptz[]) on conflict (name, second_shard) do nothing"
        " returning kind",
        [a.kind.value for a in raised],
        [a.first.name for a in raised],
        [a.first.terminal for a in raised],
        [_json.encode(a.first).decode() for a in raised],
        [_json.encode(a.second).decode() for a in raised],
        [a.second.shard for a in raised],
        [a.raised_at for a in raised],
    )
    return [row["kind"] for row in rows]


async def list_alerts(tx: Tx, after: int, limit: int) -> list[Alert]:
    """Alerts after a number, oldest first; a page misses none that is committed later."""
    await local_tables.all_numbered(tx, "alerts")
    rows = await tx.fetch(
        "select number, kind, first, second, raised_at from alerts where number > $1"
        " order by number limit $2",
        after,
        limit,
    )
    return local_tables.legible(rows, _alert, "alerts")


def _alert(row: Record) -> Alert:
    return Alert(
        number=row["number"],
        kind=AlertKind(row["kind"]),
        first=_name_seen.decode(row["first"]),
        second=_name_seen.decode(row["second"]),
        raised_at=row["raised_at"],
    )


async def delete_names_seen(tx: Tx, before: datetime, limit: int) -> int:
    """Forget names seen before a time, limit at most; gives how many."""
    done = await tx.execute(
        "delete from names_seen where (name, shard) in"
        " (select name, shard from names_seen where seen_at < $1 limit $2)",
        before,
        limit,
    )
    return int(done.rpartition(" ")[2])
