"""Every public route × every scope × own, another merchant's or member's, and nobody's (N1b).

Generated from the routes: who comes in is read off `test_authority.TABLE` (roles) and `OWNERS`
(whose a thing is); nothing here names a route.
"""

import re

from kit.base import auth

from .edge import STAFF_KEYS, Edge
from .matrix import (
    FORGED,
    LETTER_OF,
    NAMES_SOMEBODYS,
    ROLES,
    Cells,
    Tenants,
    body_for,
    body_of,
    is_kept_out,
    is_let_in,
    is_own,
    is_refused,
    numbered,
    others_of,
    proxied,
    target,
)  # fmt: skip
from .openapi_file import served
from .owners import OWNERS, Owner

_SOMEBODYS = (Owner.MERCHANT, Owner.PARTY, Owner.MEMBER, Owner.PERSON, Owner.NETWORK)


async def test_every_public_route_has_an_owner() -> None:
    document = await served()
    public = {f"{m.upper()} {path}" for path, of in document["paths"].items() for m in of}
    assert public == set(OWNERS), "say in owners.py whose it is"


def test_a_merchants_reader_reads_all_that_lies_under_its_merchant() -> None:
    letter = LETTER_OF["merchant:5"]
    own = {row for row, letters in ROLES.items() if letter in letters}
    assert own == {row for row, _, _ in proxied(Owner.MERCHANT) if row.startswith("GET ")}


async def test_a_stranger_comes_to_nothing_but_the_open_doors(edge: Edge, tenants: Tenants) -> None:
    cells = Cells(edge)
    for row, method, path in proxied():
        right = is_let_in if OWNERS[row] is Owner.OPEN else lambda a: a.status == 401
        for who in ("", *FORGED):
            at = target(path, tenants[0].values)
            await cells.check(who, row, at, right, body_of(method), never=tenants[0].mark)
    cells.conclude(600)


async def test_staff_come_to_what_their_role_says_whosever_it_is(
    edge: Edge, tenants: Tenants
) -> None:
    cells = Cells(edge)
    for row, method, path in proxied():
        for role in STAFF_KEYS:
            is_in = LETTER_OF[auth.Role(role)] in ROLES[row] or OWNERS[row] is Owner.OPEN
            right = is_let_in if is_in else lambda a: a.status == 403
            whose = ({}, tenants[0].values) if method == "GET" else ({},)
            for values in whose:
                await cells.check(role, row, target(path, values), right, body_of(method))
    cells.conclude(2_000)


async def test_a_numbered_scope_comes_to_its_own_and_to_nothing_else(
    edge: Edge, tenants: Tenants
) -> None:
    cells = Cells(edge)
    for mine, other, suffix in ((*tenants, "one"), (*reversed(tenants), "two")):
        for row, method, path in proxied():
            at = target(path, mine.values)
            for who, scope in numbered(suffix).items():
                right = is_let_in if is_own(who, scope, row) else lambda a: a.status == 403
                await cells.check(who, row, at, right, body_of(method), never=other.mark)
    cells.conclude(1_500)


async def test_a_numbered_scope_never_comes_to_anothers(edge: Edge, tenants: Tenants) -> None:
    cells = Cells(edge)
    for mine, other, suffix in ((*tenants, "one"), (*reversed(tenants), "two")):
        for row, method, path in proxied(*_SOMEBODYS):
            if NAMES_SOMEBODYS.isdisjoint(re.findall(r"\{(\w+)\}", path)):
                continue
            for at in others_of(path, mine, other):
                # a UUID that another has given is his: said as such, where one may give UUIDs
                gives = method == "PUT" and (OWNERS[row] is Owner.PERSON or mine.owns(at))
                right = is_refused if gives else is_kept_out
                for who in numbered(suffix):
                    body = body_for(row, mine)
                    await cells.check(who, row, at, right, body, never=other.mark)
    cells.conclude(500)
