"""Routes of one club account, and of one transaction as it was booked."""

from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from contracts.values import Unit, parse_public_id
from kit.base import auth, errors
from kit.base.auth import Role
from ledger.log.domain import as_of
from ledger.query.api import doors, shapes
from ledger.query.api.doors import Account, Issuer, Limit, Time
from ledger.query.usecases import accounts, bookings
from ledger.query.usecases.accounts import Range

router = APIRouter(tags=["ledger"])
_INT_MAX: Final = 2**31 - 1
_ORDINAL_MAX: Final = 2**15 - 1
_SHARD_MAX: Final = as_of.SHARD_MAX


class Order(StrEnum):
    """From which end a statement is read."""

    NEWEST = "newest"
    OLDEST = "oldest"


class Flow(StrEnum):
    """Which entries a statement shows."""

    ALL = "all"
    CREDITS = "credits"
    DEBITS = "debits"


class Which(StrEnum):
    """Which lots are listed."""

    OPEN = "open"
    ALL = "all"


class LotsQuery(doors.OfShard):
    """Lots as they are or were, by number."""

    which: Which = Which.OPEN
    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    limit: Limit = 100


class LotQuery(doors.OfAccount):
    """What moved a lot, in order."""

    after: Annotated[str, Field(max_length=32)] = "0.0"
    limit: Limit = 100


class StatementQuery(doors.OfAccount):
    """Part of a statement: numbers in the account, and decision times (until excluded)."""

    unit: Unit = Unit.NETWORK_POINTS
    issuer: Issuer = 0
    order: Order = Order.NEWEST
    flow: Flow = Flow.ALL
    before: Annotated[int, Field(ge=1, le=_INT_MAX)] = _INT_MAX
    after: Annotated[int, Field(ge=0, le=_INT_MAX)] = 0
    since: Time = None
    until: Time = None
    limit: Limit = 100


_SIGNS: Final = {Flow.ALL: 0, Flow.CREDITS: 1, Flow.DEBITS: -1}


@router.get(
    "/v1/accounts/{account}/balance",
    responses=doors.shaped(shapes.Balance),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def get_balance(
    request: Request, account: Account, query: Annotated[doors.OfShard, Query()]
) -> Response:
    """Total, available, held, pending, in transit; by unit, by issuer, and what expires next.

    Now, or as of a time or a sequence number of the account's shard; where value was sent to the
    number on another shard by mistake, 409 until `shard` says which. `final`: no command that is
    still to be booked can change the answer. All zeros, and shard null, for an account on which
    nothing was ever booked.
    """
    requested = doors.as_of_shard(request, query)
    async with doors.database(request).read() as tx:
        balance = await accounts.balance_of(tx, account, requested)
    return doors.answer(balance)


@router.get(
    "/v1/accounts/{account}/lots",
    responses=doors.shaped(shapes.Lots),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def list_lots(
    request: Request, account: Account, query: Annotated[LotsQuery, Query()]
) -> Response:
    """Lots by number, open ones or all, as they are or were."""
    requested = doors.as_of_shard(request, query)
    async with doors.database(request).read() as tx:
        lots = await accounts.list_lots(
            tx,
            account,
            requested,
            only_open=query.which is Which.OPEN,
            after=query.after,
            limit=query.limit,
        )
    return doors.answer(lots)


@router.get(
    "/v1/accounts/{account}/lots/{lot}",
    responses=doors.shaped(shapes.LotHistory),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def get_lot(
    request: Request,
    account: Account,
    lot: Annotated[int, Path(ge=1, le=2**63 - 1)],
    query: Annotated[LotQuery, Query()],
) -> Response:
    """One lot, open or not, and what moved it: consumptions in order, by pages."""
    place = doors.pair_of(query.after, 2**63 - 1, _ORDINAL_MAX)
    shard = doors.number_of(query.shard)
    async with doors.database(request).read() as tx:
        history = await accounts.lot_of(
            tx, account, lot, after=place, limit=query.limit, shard=shard
        )
    return doors.answer(history)


@router.get(
    "/v1/accounts/{account}/statement",
    responses=doors.shaped(shapes.Statement),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def list_statement(
    request: Request, account: Account, query: Annotated[StatementQuery, Query()]
) -> Response:
    """Entries in one unit, each with its running balance; newest first, or oldest.

    Newest first goes on with `before` = the page's `next`, oldest first with `after`. `since` and
    `until` bound the decision time, the latter excluded.
    """
    chosen = doors.account_of_unit(query.unit, query.issuer)
    part = Range(
        after=query.after,
        before=query.before,
        since=None if query.since is None else as_of.time_of(query.since),
        until=None if query.until is None else as_of.time_of(query.until),
        sign=_SIGNS[query.flow],
        oldest_first=query.order is Order.OLDEST,
        limit=query.limit,
        shard=doors.number_of(query.shard),
    )
    async with doors.database(request).read() as tx:
        statement = await accounts.list_statement(tx, account, chosen, part)
    return doors.answer(statement)


@router.get(
    "/v1/bookings/{id}",
    responses=doors.shaped(shapes.Booking),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def get_booking(request: Request, id: Annotated[str, Path(max_length=210)]) -> Response:
    """A transaction as it was booked: all its entries, lots, consumptions, and its money leg.

    id: the public id, the shard and the name. A refusal is booked too, without entries.
    """
    shard, name = _public_id(id)
    async with doors.database(request).read() as tx:
        booking = await bookings.booking_of(tx, shard, name)
    return doors.answer(booking)


def _public_id(text: str) -> tuple[int, str]:
    try:
        shard, name = parse_public_id(text)
    except ValueError:
        shard, name = _SHARD_MAX + 1, ""
    if shard > _SHARD_MAX:
        raise errors.Invalid(
            "a transaction's id is its shard, a dot and its name",
            code="bad-transaction-id",
            fa="شناسهٔ تراکنش از شارد، نقطه و نام آن است.",
        )
    return shard, name
