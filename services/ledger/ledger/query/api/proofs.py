"""Routes of the log: signed checkpoints, proofs of inclusion and of consistency."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from contracts.values import Unit
from kit.base import auth
from kit.base.auth import Role
from ledger.log.domain import as_of
from ledger.log.usecases import proofs
from ledger.query.api import doors, shapes
from ledger.query.api.doors import Account, Issuer, Limit, Shard
from ledger.query.usecases import entries

router = APIRouter(tags=["ledger"])
_NOTE: Final = "text/plain; charset=utf-8"
Number = Annotated[str, Path(max_length=64)]


class CheckpointsQuery(doors.Parameters):
    """Shards by number."""

    after: Annotated[int, Field(ge=-1, le=as_of.SHARD_MAX)] = -1
    limit: Limit = 100


class OfSize(doors.Parameters):
    """A log at one size; none: what the route says."""

    size: doors.Number = None


class EntryQuery(OfSize, doors.OfAccount):
    """Which account of a club account the entry is of."""

    unit: Unit = Unit.NETWORK_POINTS
    issuer: Issuer = 0


class SizesQuery(doors.Parameters):
    """A log at two sizes; new None: as it stands."""

    old: Annotated[str, Field(max_length=64)]
    new: doors.Number = None


@router.get(
    "/v1/checkpoints",
    responses=doors.shaped(shapes.Checkpoints),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def list_checkpoints(
    request: Request, query: Annotated[CheckpointsQuery, Query()]
) -> Response:
    """The latest signed checkpoint of every shard (C2SP tlog-checkpoint), and the keys."""
    checkpoints = await proofs.list_checkpoints(
        doors.archive(request), after=query.after, limit=query.limit
    )
    return doors.answer(checkpoints)


@router.get(
    "/v1/checkpoints/{shard}",
    response_class=Response,
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def get_checkpoint(
    request: Request, shard: Shard, query: Annotated[OfSize, Query()]
) -> Response:
    """A shard's checkpoint as it was signed, text: the latest, or that of a size."""
    size = doors.number_of(query.size)
    text = await proofs.find_checkpoint(doors.archive(request), shard, size=size)
    return Response(text, media_type=_NOTE)


@router.get(
    "/v1/proofs/{shard}/{sequence}",
    responses=doors.shaped(shapes.Inclusion),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def get_inclusion(
    request: Request, shard: Shard, sequence: Number, query: Annotated[OfSize, Query()]
) -> Response:
    """Proof that a sequence number's leaf is in the shard's log (RFC 9162): leaf, index, hashes.

    Of the latest checkpoint that covers it, else of the log as it stands; or of the size given.
    Bytes are base64.
    """
    number, size = as_of.number_of(sequence), doors.number_of(query.size)
    async with doors.database(request).read() as tx:
        proof = await proofs.inclusion(tx, doors.archive(request), shard, number, size=size)
    return doors.answer(proof)


@router.get(
    "/v1/accounts/{account}/entries/{number}/proof",
    responses=doors.shaped(shapes.EntryInclusion),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def get_entry_proof(
    request: Request,
    account: Account,
    number: Annotated[int, Path(ge=1, le=2**31 - 1)],
    query: Annotated[EntryQuery, Query()],
) -> Response:
    """The same of an account's entry, by its number in the account: the leaf that holds it."""
    size = doors.number_of(query.size)
    unit, issuer = doors.account_of_unit(query.unit, query.issuer)
    chosen = unit, issuer, doors.number_of(query.shard)
    async with doors.database(request).read() as tx:
        proof = await entries.inclusion_of(
            tx, doors.archive(request), account, chosen, number, size=size
        )
    return doors.answer(proof)


@router.get(
    "/v1/consistency/{shard}",
    responses=doors.shaped(shapes.Consistency),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)],
)
async def get_consistency(
    request: Request, shard: Shard, query: Annotated[SizesQuery, Query()]
) -> Response:
    """Proof that the shard's log of size `new` (else: as it stands) begins with that of `old`."""
    old_size, new_size = as_of.number_of(query.old), doors.number_of(query.new)
    async with doors.database(request).read() as tx:
        proof = await proofs.consistency(
            tx, doors.archive(request), shard, old_size=old_size, new_size=new_size
        )
    return doors.answer(proof)
