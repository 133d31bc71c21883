"""Shapes of the answers, for the OpenAPI document; msgspec encodes the answers themselves, faster.

A test compares each shape with real answers. Totals over shards are text, since they may pass 2^53.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import Unit

Count = Annotated[int, Field(ge=0)]
Total = Annotated[str, Field(pattern=r"^-?\d+$", examples=["590"])]
Vector = Annotated[dict[str, int], Field(examples=[{"0": 118, "1": 97}])]
Base64 = Annotated[str, Field(examples=["4J2mN0uS0b0="])]


class Shape(BaseModel):
    """No field that is not named here is ever answered."""

    model_config = ConfigDict(extra="forbid")


class Amounts(Shape):
    """Amounts of one unit at one moment. total = available + held + pending."""

    unit: Unit
    total: int
    available: int
    held: int
    pending: int
    past: int
    balance: int
    debt: int
    in_transit: int
    expiring: int
    expiring_at: datetime | None


class IssuerAmounts(Amounts):
    """The same of one issuer."""

    issuer: int


class Balance(Shape):
    """A club account's balance; shard null: nothing was ever booked."""

    account: Annotated[int, Field(examples=[5001])]
    shard: int | None
    sequence: int
    as_of: datetime
    final: bool
    points: int
    available_points: int
    held_points: int
    pending_points: int
    in_transit_points: int
    credit_rial: int
    expiring_points: int
    expiring_at: datetime | None
    by_unit: list[Amounts]
    by_issuer: list[IssuerAmounts]


class Lot(Shape):
    """One credit of value: whose liability, what it cost, from when and until when it is good."""

    lot: int
    unit: Unit
    amount: int
    cost_rial: int
    issuer: int
    funder: int
    merchant: int
    rule: str
    rule_version: int
    available_from: datetime
    expires_at: datetime | None
    born_at: datetime
    parent: int | None
    origin: str
    remaining: int
    cost_left: int
    held: int


class Lots(Shape):
    """A page of lots; next: send it as after; null on the last."""

    items: list[Lot]
    next: int | None
    sequence: int
    as_of: datetime


class Movement(Shape):
    """One change of a lot by the command of a sequence number."""

    sequence: int
    ordinal: int
    what: str
    amount: int
    cost_rial: int
    claim_rial: int
    fee_rial: int
    issuer: int
    acceptor: int
    merchant: int
    original_sequence: int | None
    original_ordinal: int | None


class LotHistory(Shape):
    """A lot and what moved it, in order."""

    shard: int
    sequence: int
    lot: Lot
    items: list[Movement]
    next: str | None


class StatementLine(Shape):
    """One entry of the account, with the running balance after it."""

    account_sequence: int
    sequence: int
    line: int
    amount: int
    balance: int
    decided_at: datetime
    occurred_at: datetime
    id: str
    command: str
    kind: str | None
    merchant: int


class Statement(Shape):
    """A page of a statement."""

    items: list[StatementLine]
    next: int | None
    shard: int | None
    sequence: int


class Claim(Shape):
    """What a transaction makes one party owe another."""

    debtor: int
    creditor: int
    rial: int


class Money(Shape):
    """The money leg of a transaction."""

    claims: list[Claim]
    fee_rial: int
    own_discount_rial: int
    cost_released_rial: int


class Booking(Shape):
    """A transaction as it was booked, all of it out of its leaf of the log.

    A record that could not be read has no times of its own.
    """

    id: Annotated[str, Field(examples=["3.t.10000017.1.42"])]
    shard: int
    sequence: int
    booked_by: str
    command: str
    kind: str | None
    merchant: int
    status: str
    code: str
    occurred_at: datetime | None
    accepted_at: datetime | None
    decided_at: datetime
    fingerprint: str | None
    body: Any
    answer: Any
    entries: list[dict[str, Any]]
    lots: list[dict[str, Any]]
    consumptions: list[dict[str, Any]]
    holds: list[dict[str, Any]]
    dates: list[dict[str, Any]]
    money: Money


class Position(Shape):
    """What a debtor owes a creditor, gross, and the network's fee in it."""

    debtor: int
    creditor: int
    owed_rial: Total
    fee_rial: Total


class OverShards(Shape):
    """What every answer over shards says of itself."""

    vector: Vector
    as_of: datetime | None
    final: bool


class Positions(OverShards):
    """A page of positions."""

    items: list[Position]
    next: str | None


class VintageFigures(Shape):
    """issued − redeemed − reversed + restored − expired − in_transit = outstanding."""

    issued: Total
    redeemed: Total
    reversed: Total
    restored: Total
    expired: Total
    in_transit: Total
    outstanding: Total


class Vintage(Shape):
    """What became of the points of one issuer and Solar Hijri month of issue."""

    key: Annotated[str, Field(examples=["5.NP.1405-03"])]
    issuer: int
    unit: Unit
    month: Annotated[str, Field(examples=["1405-03"])]
    amount: VintageFigures
    cost_rial: VintageFigures


class Vintages(OverShards):
    """A page of vintages."""

    items: list[Vintage]
    next: str | None


class Revenue(Shape):
    """Revenue of one vintage under IFRS 15, period by period."""

    issuer: int
    unit: Unit
    month: str
    periods: list[dict[str, Any]]


class Inclusion(Shape):
    """Proof that a leaf is in a shard's log of a size (RFC 9162)."""

    shard: int
    sequence: int
    index: int
    size: int
    leaf: Base64
    leaf_hash: Base64
    proof: list[Base64]
    root: Base64
    checkpoint: str | None


class EntryPlace(Shape):
    """The entry that was asked for."""

    account: int
    account_id: int
    account_sequence: int
    line: int
    amount: int
    balance: int


class EntryInclusion(Inclusion):
    """Proof that the leaf which holds an entry is in the log."""

    entry: EntryPlace


class Consistency(Shape):
    """Proof that the log of the new size begins with that of the old."""

    shard: int
    old_size: int
    old_root: Base64
    new_size: int
    new_root: Base64
    proof: list[Base64]
    old_checkpoint: str | None
    new_checkpoint: str | None


class Checkpoint(Shape):
    """A shard's latest signed checkpoint (C2SP tlog-checkpoint)."""

    shard: int
    size: int
    at: datetime
    checkpoint: str


class Checkpoints(Shape):
    """A page of checkpoints, and the keys that verify them."""

    items: list[Checkpoint]
    next: int | None
    keys: Any
