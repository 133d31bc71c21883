"""Commands as the ledger received them, with the bounds of each field."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

SAFE = 2**53 - 1
Sum = Annotated[int, Meta(ge=0, le=SAFE)]
Some = Annotated[int, Meta(ge=1, le=SAFE)]
Share = Annotated[int, Meta(ge=0, le=10_000)]
Id = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Club = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Place = Annotated[int, Meta(ge=0, le=9999)]
BasketLine = Annotated[int, Meta(ge=1, le=9999)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Natural = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Short = Annotated[str, Meta(max_length=64)]
Moment = Annotated[datetime, Meta(tz=True)]  # and of the platform's calendar: hearing.timely
UnitName = Literal["NP", "MP", "CR", "GV", "IRR"]
KindName = Literal[
    "purchase",
    "redemption",
    "authorisation",
    "capture",
    "void",
    "top-up",
    "refund",
    "reversal",
    "inquiry",
]


class Why(Struct):
    """A reason of some stage."""

    code: str
    fa: str
    en: str
    rule: str = ""
    version: Id = 0


class BasketRow(Struct):
    """A line of the sold basket."""

    line: BasketLine
    amount_rial: Sum
    quantity: Count = 1
    sku: Short = ""
    category: Short = ""


class BackRow(Struct):
    """A part of a line that is refunded."""

    line: BasketLine
    amount_rial: Some


class AnswerLine(Struct, omit_defaults=True):
    """A line of an answer: its points, or the reason for none."""

    line: Place
    points: Sum = 0
    rule: str = ""
    rule_version: Id = 0
    funder: Id = 0
    reason: Why | None = None


class Prize(Struct):
    """An award of a rule for a line, or for the basket (line 0)."""

    line: Place
    unit: UnitName
    amount: Some
    cost_rial: Sum
    issuer: Id
    funder: Id
    rule: str
    rule_version: Id
    expires_at: Moment | None = None
    available_from: Moment | None = None
    sliding_days: Id = 0
    budget: Id | None = None


class Deal(Struct):
    """The demand of a redemption, and its terms."""

    points: Sum
    credit_rial: Sum
    points_value_rial: Sum
    own_discount_rial: Sum
    own_discount_max_rial: Sum
    fee_bp: Share
    terms_version: Id
    gift_rial: Sum = 0
    network_max_rial: Sum = 0


class Offer(Struct):
    """The terms of spending where an inquiry is made."""

    price_rial: Some
    price_points: Some
    redeem_min_points: Sum = 0
    redeem_max_share_bp: Share = 10_000
    own_discount_bp: Share = 0
    own_discount_max_rial: Sum = 0
    fee_bp: Share = 0
    terms_version: Id = 0
    least_rial: Sum = 0
    least_points: Sum = 0


class Transaction(Struct):
    """post-transaction.v1"""

    name: str
    kind: KindName
    channel: Literal["till", "online", "history"]
    merchant: Id
    acceptor: Id
    branch: Id
    terminal: Id
    account: Club = 0
    member: Club = 0
    identifier_id: str = ""
    identifier_last4: str = ""
    amount_rial: Sum = 0
    lines: tuple[BasketRow, ...] = ()
    decline: tuple[Why, ...] = ()
    awards: tuple[Prize, ...] = ()
    unearned: tuple[AnswerLine, ...] = ()
    redemption: Deal | None = None
    original: str = ""
    refund_lines: tuple[BackRow, ...] = ()
    grace_expires_at: Moment | None = None
    review_due_at: Moment | None = None
    case_id: str = ""
    replayed: bool = False
    shown: Club = 0
    due_at: Moment | None = None
    offer: Offer | None = None  # the price of a capture; no rule here reads it


class Refusal(Struct):
    """refuse-transaction.v1"""

    name: str
    reason: Why
    kind: KindName = "purchase"
    merchant: Id = 0
    terminal: Id = 0
    account: Club = 0
    replayed: bool = False


class Issue(Struct):
    """issue-value.v1"""

    name: str
    account: Club
    member: Club
    unit: UnitName
    amount: Some
    cost_rial: Sum
    issuer: Id
    funder: Id
    rule: str
    rule_version: Id
    expires_at: Moment | None = None
    purpose: str = ""
    original: str = ""
    available_from: Moment | None = None
    pending_event: str = ""
    sliding_days: Id = 0
    budget: Id | None = None


class TakeBack(Struct):
    """revoke-issue.v1"""

    name: str
    account: Club
    member: Club
    issued_by: str
    purpose: str = ""


class Release(Struct):
    """release-pending.v1"""

    name: str
    original: str
    case_id: str
    reviewer: str


class Cancel(Struct):
    """cancel-pending.v1"""

    name: str
    original: str
    case_id: str
    reviewer: str


class Expire(Struct):
    """expire-lot.v1"""

    name: str
    account: Club
    lot: Natural


class Tick(Struct):
    """advance-clock.v1"""

    name: str


class Inquiry(Struct, kw_only=True):
    """inquire.v1: never in the book, but decoded, since its bytes are readable."""

    name: str
    account: Club
    member: Club = 0
    merchant: Id = 0
    acceptor: Id = 0
    amount_rial: Sum
    would_earn_points: Sum
    offer: Offer | None = None
    without: tuple[Why, ...] = ()
    decline: tuple[Why, ...] = ()
    lines: tuple[AnswerLine, ...] = ()


ROAD: dict[str, type[Any]] = {
    "post-transaction.v1": Transaction,
    "refuse-transaction.v1": Refusal,
    "issue-value.v1": Issue,
    "revoke-issue.v1": TakeBack,
    "release-pending.v1": Release,
    "cancel-pending.v1": Cancel,
    "expire-lot.v1": Expire,
    "advance-clock.v1": Tick,
    "inquire.v1": Inquiry,
}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Microseconds since 1970 of a time with its zone."""
    apart = at - _EPOCH
    return (apart.days * 86_400 + apart.seconds) * 1_000_000 + apart.microseconds
