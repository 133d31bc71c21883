"""Shared by the routes: parameters, resources of the application, answers."""

from typing import Annotated, Any, Final

from fastapi import Path, Request, Response
from msgspec import json
from pydantic import BaseModel, ConfigDict, Field

from contracts.values import Unit, ascii_digits
from kit.base import errors, fields
from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import resources
from ledger.log.clients import Archive, archive_of
from ledger.log.domain import as_of
from ledger.query.usecases.moments import AsOf
from ledger.settings import PAGE_MAX

PARTY_MAX: Final = 2**31 - 1

Account = fields.AccountText
Shard = Annotated[fields.AfterNumber, Path(le=as_of.SHARD_MAX)]
Limit = Annotated[int, Field(ge=1, le=PAGE_MAX, description="at most so many items")]
Time = Annotated[
    str | None,
    Field(
        max_length=64, description="RFC 3339 with its zone (a plus is %2B), digits of any script"
    ),
]
Number = Annotated[str | None, Field(max_length=64, description="digits of any script")]
Vector = Annotated[
    str | None,
    Field(
        max_length=as_of.VECTOR_LENGTH_MAX,
        description="shard:sequence,… with every shard of the book",
    ),
]
Issuer = Annotated[fields.AfterNumber, Field(description="whose points, where unit is MP; else 0")]


class Parameters(BaseModel):
    """Parameters of a reading. An unknown one is refused: a misspelt `at` must not read now."""

    model_config = ConfigDict(extra="forbid")


class OfAccount(Parameters):
    """Of a club account; shard: which part, where it has value on more than one."""

    shard: Number = None


class OfShard(OfAccount):
    """A moment of one shard: now, a time, or a sequence number."""

    at: Time = None
    sequence: Number = None


class OfBook(Parameters):
    """A moment of all shards: now, a time, or a vector of sequence numbers."""

    at: Time = None
    vector: Vector = None


def database(request: Request) -> Database:
    """The service's database."""
    return resources(request).database


def clock(request: Request) -> Clock:
    """The platform's clock."""
    return resources(request).clock


def archive(request: Request) -> Archive | None:
    """The folder of published checkpoints, if there is one."""
    return resources(request).shared(archive_of)


def as_of_shard(request: Request, parameters: OfShard) -> AsOf:
    """The requested moment; digits of any of three scripts. Raises Invalid, each with its code."""
    as_of.at_most_one(at=parameters.at, sequence=parameters.sequence)
    at = None if parameters.at is None else as_of.time_of(parameters.at)
    sequence, shard = number_of(parameters.sequence), number_of(parameters.shard)
    return AsOf(now=clock(request).now(), at=at, sequence=sequence, shard=shard)


def as_of_book(request: Request, parameters: OfBook) -> AsOf:
    """As as_of_shard, of all shards."""
    as_of.at_most_one(at=parameters.at, vector=parameters.vector)
    at = None if parameters.at is None else as_of.time_of(parameters.at)
    vector = None if parameters.vector is None else as_of.vector_of(parameters.vector)
    return AsOf(now=clock(request).now(), at=at, vector=vector)


def number_of(text: str | None) -> int | None:
    """A number, if the parameter has one. Raises Invalid `bad-number`."""
    return None if text is None else as_of.number_of(text)


def account_of_unit(unit: Unit, issuer: int) -> tuple[Unit, int]:
    """Unit and counterparty of a value account. Raises Invalid `issuer-missing`."""
    if unit is Unit.MERCHANT_POINTS and not issuer:
        raise errors.Invalid(
            "merchant points are kept by issuer: name it",
            code="issuer-missing",
            fa="امتیاز ویژهٔ پذیرنده به تفکیک صادرکننده است؛ صادرکننده را بدهید.",
        )
    return unit, issuer if unit is Unit.MERCHANT_POINTS else 0


def pair_of(text: str, first_max: int, second_max: int) -> tuple[int, int]:
    """Two numbers of a cursor. Raises Invalid `bad-cursor`."""
    first, _, second = ascii_digits(text).partition(".")
    if not (first.isdecimal() and second.isdecimal()):
        raise bad_cursor()
    if len(first) > 19 or len(second) > 19 or int(first) > first_max or int(second) > second_max:
        raise bad_cursor()
    return int(first), int(second)


def bad_cursor() -> errors.Invalid:
    """An error for a cursor that no page has."""
    return errors.Invalid("after is the next of the page before", code="bad-cursor")


def shaped(shape: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """A route's `responses`, with the shape of its answer."""
    return {200: {"model": shape}}


def answer(value: dict[str, Any]) -> Response:
    """A JSON response, encoded fast."""
    return Response(json.encode(value), media_type="application/json")
