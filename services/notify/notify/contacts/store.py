"""All the SQL of contacts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from contracts.members import Contact
from kit.base.db import Tx
from kit.stream import local_tables

CONTACTS: Final = local_tables.Table(
    name="contacts",
    columns={
        "member": "bigint",
        "version": "int",
        "account": "bigint",
        "sealed": "text",
        "locale": "text",
        "receipts": "boolean",
        "marketing": "boolean",
    },
    key=("member",),
    version="version",
)


async def upsert_contacts(tx: Tx, contacts: Sequence[Contact]) -> int:
    """Keep the newest version of each; gives how many were newer."""
    rows: list[Mapping[str, Any]] = [msgspec.structs.asdict(contact) for contact in contacts]
    return await local_tables.upsert(tx, CONTACTS, rows)


async def delete_contacts(tx: Tx, members: Sequence[int]) -> None:
    """Forget members who were erased."""
    await tx.execute("delete from contacts where member = any($1::bigint[])", sorted(members))


async def find_contacts(
    tx: Tx, *, members: Sequence[int], accounts: Sequence[int]
) -> dict[int, Contact]:
    """Contacts of these members and of everybody on these accounts, by member."""
    rows = await tx.fetch(
        "select member, version, account, sealed, locale, receipts, marketing from contacts"
        " where member = any($1::bigint[])"
        " union select member, version, account, sealed, locale, receipts, marketing from contacts"
        " where account = any($2::bigint[])",
        list(members),
        list(accounts),
    )
    return {row["member"]: Contact(**dict(row)) for row in rows}


async def find_sealed(tx: Tx, members: Sequence[int]) -> dict[int, str]:
    """The sealed contacts of members that have one, by member."""
    rows = await tx.fetch(
        "select member, sealed from contacts where member = any($1::bigint[])", list(members)
    )
    return {row["member"]: row["sealed"] for row in rows}
