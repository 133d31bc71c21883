"""The models of administration: what an operator puts, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct

from peyvand.transport import Queried

Moment = datetime | int | None  # a time, a sequence number of the account's shard, or now
Cut = datetime | Mapping[str, int] | None  # a time, a vector as an answer names it, or now
Document = dict[str, Any]  # a view as the owning room shows it; fields are only ever added


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A piece of a list. next None: that was all; else the `after` of the next piece."""

    items: list[Document]
    next: str | int | None


class Activation(Struct, frozen=True, kw_only=True):
    """A terminal's epoch and key. key None: it was answered before, and is kept nowhere."""

    terminal: int
    epoch: int
    key_id: str
    key: str | None


class OpenedSession(Struct, frozen=True, kw_only=True):
    """A session, whose token is the key of an Operator. withheld: roles for a second factor."""

    session: str
    token: str
    user: str
    roles: tuple[str, ...]
    withheld: tuple[str, ...]
    idle_ends_at: datetime
    ends_at: datetime


class IssuedApiKey(Struct, frozen=True, kw_only=True):
    """A key of a program. text: the whole of it; None: it was answered before, and kept nowhere."""

    key: str
    name: str
    roles: tuple[str, ...]
    ends_at: datetime
    text: str | None


class EnrolledFactor(Struct, frozen=True, kw_only=True):
    """A second factor. uri: for an authenticator; None: it was answered before."""

    factor: str
    uri: str | None


class Confirmation(Struct, frozen=True, kw_only=True):
    """A second factor that counts now. recovery_codes None: they were answered before."""

    factor: str
    recovery_codes: tuple[str, ...] | None
    roles: tuple[str, ...]


class EnrolledCard(Struct, frozen=True, kw_only=True):
    """A member's card. number: in full only at the enrolment itself, masked later."""

    number: str
    last4: str
    identifier_id: str


class Enrolment(Struct, frozen=True, kw_only=True):
    """A membership. qr: the text of the virtual card."""

    member: int
    account: int
    shard: int
    card: EnrolledCard
    qr: str


class Programme(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version of a merchant's programme: earn_points for every earn_per_rial Rial.

    effective_from: aware. Basis points: 10,000 is all. backdated: for replays and set-up only.
    """

    effective_from: datetime
    title_fa: str
    title_en: str
    earn_points: int
    earn_per_rial: int
    earning_categories: tuple[str, ...] = ()
    excluded_categories: tuple[str, ...] = ()
    validity_days: int | None = None
    activation_days: int = 0
    redeem_min_points: int = 0
    redeem_max_share_bp: int = 10_000
    own_discount_bp: int = 0
    own_discount_max_rial: int = 0
    basket_max_rial: int = 10_000_000_000
    earns_on_paid_part: bool = True
    earn_in_steps: bool = False
    top_up_max_rial: int = 0
    backdated: bool = False


class Terms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version of the network's terms: price_rial Rial settle price_points points."""

    effective_from: datetime
    price_rial: int
    price_points: int
    fee_bp: int
    grace_days: int = 30
    backdated: bool = False


class StatementPart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which entries of an account a statement shows, in one unit; what is None or default is all.

    unit: NP, MP (then issuer: whose), CR, GV. order: newest or oldest first; go on with before, or
    after, = next. flow: credits or debits alone. since, until: decision times, until excluded.
    """

    unit: str = "NP"
    issuer: int = 0
    order: str = "newest"
    flow: str = "all"
    before: int | None = None
    after: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class Vintage(Struct, frozen=True, kw_only=True):
    """Points of one issuer and one Solar Hijri month, "1405-03", in which they were issued."""

    issuer: int
    month: str
    unit: str = "NP"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that was not imported. line: from 1, in the file."""

    line: int
    code: str
    detail: str
    fa: str


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of an import. lines = enrolled + known + bad."""

    lines: int = 0
    enrolled: int = 0
    known: int = 0
    bad: list[BadLine] = field(default_factory=list[BadLine])


class ImportedLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One member of an import. external: reference among the customers of party; needs it."""

    mobile: str
    name: str = ""
    consents: Mapping[str, bool] = {}
    external: str = ""
    party: int = 0


def of_shard(as_of: Moment) -> dict[str, Queried]:
    """How a reading of one account is asked for as of a moment."""
    if as_of is None:
        return {}
    return {"at": as_of} if isinstance(as_of, datetime) else {"sequence": as_of}


def of_book(as_of: Cut) -> dict[str, Queried]:
    """How a reading of the whole book is asked for as of a cut."""
    if as_of is None:
        return {}
    if isinstance(as_of, datetime):
        return {"at": as_of}
    return {"vector": ",".join(f"{shard}:{sequence}" for shard, sequence in as_of.items())}
