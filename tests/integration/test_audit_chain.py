"""The trail is chained by hash: what was altered, deleted, inserted or moved is found."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

import kit
from kit.base import db
from kit.base.auth import Role
from kit.base.db import Database
from support import services
from support.callers import Vouched
from support.clocks import StoppedClock

SECRET = "the actor secret of these tests"
NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
CHAIN = Path(kit.__file__).parent / "base/audit_chain.sql"
FORGED = (
    "insert into audit (subject, roles, act, route, target, body_sha256)"
    " values ('sara', '{}', 'write', 'PUT /x', '{}', '')"
)


class Door:
    """Identity's HTTP door, and its database as its owner has it."""

    def __init__(self, client: httpx.AsyncClient, owner: db.Connection) -> None:
        self.client = client
        self.owner = owner

    async def write(self, number: int) -> None:
        """One act: a user is registered."""
        names = {"name_fa": "سارا", "name_en": "Sara", "grants": []}
        body = {"login": f"user{number}@example.org", **names}
        path = f"/v1/users/{uuid.UUID(int=number)}"
        signed = Vouched("identity", SECRET, {Role.USERS})
        assert (await self.client.put(path, json=body, auth=signed)).status_code == 201

    async def acts(self, query: str = "") -> list[dict[str, Any]]:
        """The trail as an auditor reads it."""
        signed = Vouched("identity", SECRET, {Role.AUDITOR})
        read = await self.client.get(f"/v1/audit/identity?limit=200{query}", auth=signed)
        assert read.status_code == 200, read.text
        return read.json()["items"]

    async def broken(self) -> list[int]:
        """Numbers of the acts that are not intact."""
        return [act["id"] for act in await self.acts("&broken=true")]

    async def tamper(self, *statements: str) -> None:
        """What only the owner of the tables can do: with the triggers off."""
        for statement in (
            "alter table audit disable trigger user",
            *statements,
            "alter table audit enable trigger user",
        ):
            await self.owner.execute(statement)


@pytest_asyncio.fixture(loop_scope="session")
async def door(
    fresh_database: Callable[[str], Awaitable[str]], owner_dsn: Callable[[str], str]
) -> AsyncIterator[Door]:
    dsn = await fresh_database("identity")
    database = await Database.open(dsn, size=8)
    service = services.service("identity")
    opened = services.opened(service, database, StoppedClock(NOW), actor_secret=SECRET)
    transport = httpx.ASGITransport(services.application(service, opened))
    owner = await db.connect(owner_dsn(dsn))
    async with httpx.AsyncClient(transport=transport, base_url="http://identity") as client:
        yield Door(client, owner)
    await owner.close()
    await database.close()


@pytest.mark.asyncio(loop_scope="session")
async def test_whatever_is_done_to_the_trail_is_found(door: Door) -> None:
    """Also by whoever owns the tables. Ten writers at once leave one chain without a gap."""
    await asyncio.gather(*(door.write(number) for number in range(1, 11)))
    acts = await door.acts()
    assert [act["id"] for act in acts] == list(range(1, 11))
    assert len({act["hash"] for act in acts}) == 10
    assert all(act["intact"] for act in acts)
    assert await door.broken() == []

    await door.tamper("create table kept as table audit")
    restore = ("delete from audit", "insert into audit table kept")
    cases = {
        "update audit set subject = 'reza' where id = 4": [4],
        "update audit set approved_by = 'reza' where id = 4": [4],
        "update audit set at = at + interval '1 microsecond' where id = 10": [10],
        "update audit set after = '{}' where id = 1": [1],
        "update audit set hash = '' where id = 4": [4, 5],
        "delete from audit where id = 4": [5],
        "delete from audit where id = 1": [2],
        "delete from audit where id in (4, 5)": [6],
        "update audit set id = case id when 4 then 5 else 4 end where id in (4, 5)": [4, 5, 6],
        "insert into audit select 11, a.at, a.subject, a.roles, a.act,"
        " a.route, a.target, a.body_sha256, a.before, a.after, a.trace, a.address, a.approved_by,"
        " a.hash from audit a where id = 10": [11],
    }  # fmt: skip
    await door.owner.execute(
        "alter table audit drop constraint audit_pkey, alter column id drop identity"
    )
    for statement, found in cases.items():
        await door.tamper(statement)
        assert await door.broken() == found, statement
        await door.tamper(*restore)
        assert await door.broken() == []

    # a new chain from a forged act on is whole: what an auditor noted of the old one is not in it
    noted = (await door.acts())[-1]
    await door.tamper("delete from audit where id > 3")
    await door.owner.execute(FORGED)
    assert await door.broken() == []
    assert noted["hash"] not in {act["hash"] for act in await door.acts()}


@pytest.mark.asyncio(loop_scope="session")
async def test_the_program_can_neither_alter_nor_choose(door: Door) -> None:
    await door.write(1)
    (first,) = await door.acts()
    for statement in ("update audit set subject = ''", "delete from audit", "truncate audit"):
        with pytest.raises(Exception, match="append-only"):
            await door.owner.execute(statement)
    await door.owner.execute(
        FORGED.replace("(subject", "(id, hash, subject")
        .replace("values (", "overriding system value values (99, '\\x00', ")
    )  # fmt: skip
    second = (await door.acts())[-1]
    assert (second["id"], second["intact"]) == (2, True), "its number and hash are the trail's"
    assert second["hash"] != first["hash"]


@pytest.mark.asyncio(loop_scope="session")
async def test_what_was_there_before_the_chain_is_chained(door: Door) -> None:
    """The migration, on a trail with a gap, as an aborted transaction leaves it."""
    for number in range(1, 5):
        await door.write(number)
    whole = await door.acts()
    await door.tamper(
        "drop trigger audit_chained on audit",
        "drop function chain_audit, is_intact, audit_hash",
        "alter table audit drop column hash",
        "delete from audit where id = 2",
    )
    await door.owner.execute(CHAIN.read_text("utf-8"))
    acts = await door.acts()
    assert [act["id"] for act in acts] == [1, 3, 4]
    assert await door.broken() == []
    assert acts[0]["hash"] == whole[0]["hash"]
    await door.write(5)
    last = (await door.acts())[-1]
    assert (last["id"], last["intact"]) == (5, True)
