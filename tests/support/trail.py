"""What a service's audit trail kept."""

import json
from typing import Any

from kit.base.db import Database


class Trail:
    """What a room's trail kept since this was made."""

    def __init__(self, database: Database, after: int) -> None:
        self.database = database
        self.after = after

    @classmethod
    async def of(cls, database: Database) -> "Trail":
        """From now on."""
        async with database.read() as tx:
            return cls(database, await tx.fetchval("select coalesce(max(id), 0) from audit"))

    async def rows(self) -> list[dict[str, Any]]:
        """Its rows in order; target, before and after as they were told."""
        async with self.database.read() as tx:
            rows = await tx.fetch(
                "select id, subject, act, route, body_sha256, target::text as target,"
                " before::text as before, after::text as after from audit"
                " where id > $1 order by id",
                self.after,
            )
        told = ("target", "before", "after")
        return [
            {k: json.loads(v) if k in told and v is not None else v for k, v in row.items()}
            for row in rows
        ]
