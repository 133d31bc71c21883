"""Messages of the gateway: a till's transaction as it enters the road, and its answer."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from contracts.members import IdentifierKind
from contracts.values import (
    AccountOrZero,
    Amount,
    Channel,
    Instant,
    Kind,
    LineOrBasket,
    Number,
    NumberOrZero,
    PositiveAmount,
    Reason,
    Status,
    Unit,
)

LINES_MAX = 500


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a basket. amount_rial: what the customer pays for the whole line."""

    line: Annotated[int, Meta(ge=1, le=9999)]
    amount_rial: Amount
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    sku: Annotated[str, Meta(max_length=64)] = ""
    category: Annotated[str, Meta(max_length=64)] = ""


class RefundLine(Struct, frozen=True, kw_only=True):
    """Part of a line that comes back. amount_rial: of this refund, not cumulative."""

    line: Annotated[int, Meta(ge=1, le=9999)]
    amount_rial: PositiveAmount


class PosTransaction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`transaction-submitted.v1` on pos.transactions; partition = the account's shard.

    name: text of the name. programme_version, terms_version: in force at occurred_at by the
    gateway's tables (0: none). accepted_terms_version: in force at accepted_at, where it differs;
    else 0. account, member, identifier_id: 0 and "" where only the original is named.
    identifier_moved: of a redemption whose identifier means another account at accepted_at than at
    occurred_at; account is 0 then. shown: the account of the identifier that was shown, where it
    lives on another shard than the original; account is 0 then. points, credit_rial: the value that
    a redemption asks to spend. original: name of the transaction that a refund or reversal undoes,
    on the same shard. refund_lines empty: amount_rial is refunded, spread over what is left of the
    original's lines; amount_rial 0: all that is left. hold_s: for how long an authorisation
    reserves its value, counted from accepted_at. A capture without points and credit_rial spends
    all that its authorisation reserved.
    """

    name: str
    kind: Kind
    channel: Channel
    merchant: Number
    party: Number
    branch: NumberOrZero
    terminal: NumberOrZero
    programme_version: NumberOrZero = 0
    terms_version: NumberOrZero = 0
    accepted_terms_version: NumberOrZero = 0
    account: AccountOrZero = 0
    member: AccountOrZero = 0
    identifier_id: str = ""
    identifier_last4: str = ""
    identifier_blocked: bool = False
    identifier_moved: bool = False
    identifier_kind: IdentifierKind | None = None  # what was shown; a mobile alone is no presence
    amount_rial: Amount = 0
    lines: tuple[Line, ...] = ()
    points: Amount = 0
    credit_rial: Amount = 0
    original: str = ""
    refund_lines: tuple[RefundLine, ...] = ()
    shown: AccountOrZero = 0
    hold_s: NumberOrZero = 0


class AnswerLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a line earned (0: the whole basket), by which rule, who pays, or why nothing."""

    line: LineOrBasket
    points: Amount = 0
    rule: str = ""
    rule_version: NumberOrZero = 0
    funder: NumberOrZero = 0
    reason: Reason | None = None


class Movement(StrEnum):
    """How a transaction moved value of an account.

    Value that expired by date alone is no movement of a transaction, whichever one books it.
    """

    EARNED = "earned"
    PENDING = "pending"  # of what was earned: not to be spent yet
    SPENT = "spent"
    RESTORED = "restored"
    TAKEN_BACK = "taken-back"
    OWED = "owed"  # should have been taken back and was spent already
    REPAID = "repaid"  # taken for what was owed
    AUTHORISED = "authorised"  # reserved for one sale
    RELEASED = "released"  # of what was reserved: free again
    PAID_IN = "paid-in"


class Moved(Struct, frozen=True, kw_only=True):
    """An amount of one unit that moved, or that became reserved or free."""

    movement: Movement = field(name="what")
    unit: Unit
    amount: int


class Balance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An account as the deciding command left it, at its decision time.

    points: available, pending and held. credit_rial, gift_rial: what can be spent now. debt_points,
    debt_credit_rial, debt_gift_rial: owed to issuers, repaid from what comes next of theirs.
    """

    points: int
    available_points: int
    pending_points: int
    credit_rial: int
    expiring_points: int
    expiring_at: Instant | None
    held_points: int = 0
    held_credit_rial: int = 0
    gift_rial: int = 0
    held_gift_rial: int = 0
    debt_points: int = 0
    debt_credit_rial: int = 0
    debt_gift_rial: int = 0


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a till, byte for byte the same for ever. Amounts >= 0.

    discount_rial: taken off the basket in all; own_discount_rial: the acceptor's own part of it.
    payable_rial: amount less discount. debt_points: points of an undone sale that were spent
    already and are owed now; debt_rial: the worth of all that is owed, points at their cost.
    moved: all that moved, by unit, without zeros. balance: absent where no account is known.
    due_at: until when an authorisation reserves its value; its discount_rial and payable_rial are
    those of a capture of all of it.
    fa, en: one line for the cashier's screen and the receipt.
    """

    id: str
    kind: Kind
    status: Status
    occurred_at: Instant
    accepted_at: Instant
    code: str = ""
    reasons: tuple[Reason, ...] = ()
    points_earned: int = 0
    points_pending: int = 0
    pending_until: Instant | None = None
    points_redeemed: int = 0
    credit_redeemed_rial: int = 0
    discount_rial: int = 0
    own_discount_rial: int = 0
    payable_rial: int = 0
    points_clawed_back: int = 0
    points_restored: int = 0
    credit_restored_rial: int = 0
    debt_points: int = 0
    gift_redeemed_rial: int = 0
    gift_restored_rial: int = 0
    merchant_points_restored: int = 0
    debt_rial: int = 0
    moved: tuple[Moved, ...] = ()
    lines: tuple[AnswerLine, ...] = ()
    balance: Balance | None = None
    original: str = ""
    due_at: Instant | None = None
    fa: str = ""
    en: str = ""


class Preview(Struct, frozen=True, kw_only=True):
    """The answer to an inquiry; nothing is stored.

    A redemption of redeemable_points and redeemable_credit_rial would complete now; with one unit
    more of either it would not. Where no basket was named, it is taken as unlimited.
    redeemable_rial: the worth of both at the price in force. reasons: why nothing can be spent.
    lines: what a purchase of the basket would earn, line by line, as its answer would say it.
    """

    id: str
    kind: Kind
    balance: Balance
    redeemable_points: int
    redeemable_rial: int
    would_earn_points: int
    fa: str
    en: str
    redeemable_credit_rial: int = 0
    reasons: tuple[Reason, ...] = ()
    lines: tuple[AnswerLine, ...] = ()
