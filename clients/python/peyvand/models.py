"""The models of the public interface: requests of a till or a shop, and answers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import UNSET, Struct, UnsetType


class Kind(StrEnum):
    """Kinds of transaction."""

    PURCHASE = "purchase"
    REDEMPTION = "redemption"
    AUTHORISATION = "authorisation"  # reserves value for a sale
    CAPTURE = "capture"  # the sale of an authorisation
    VOID = "void"  # frees what an authorisation reserved
    TOP_UP = "top-up"  # money paid in becomes credit
    REFUND = "refund"
    REVERSAL = "reversal"
    INQUIRY = "inquiry"


class Status(StrEnum):
    """What became of a name, for ever."""

    COMPLETED = "completed"
    HELD = "held"  # completed, points pending until a reviewer decides or the due time
    DECLINED = "declined"  # by a rule of the business
    REFUSED = "refused"  # the network could not decide it


class TillReference(NamedTuple):
    """A till's reference of a transaction, for ever: repeat it and nothing happens twice."""

    terminal: int
    epoch: int
    sequence: int


class OrderReference(NamedTuple):
    """An online shop's reference of a transaction, for ever: the order and what is done to it.

    order: 1 to 48 of A-Z a-z 0-9 - _ . : / #. operation: the shop's word, such as "purchase" or
    "refund-2", 1 to 32 of a-z 0-9 -.
    """

    merchant: int
    order: str
    operation: str


# -------------------------------------------------------------------------------------- requests


class Identifier(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The identifier that a member presents: exactly one of these.

    external: imported history only, a reference of the party of the history's merchant.
    """

    card: str = ""
    mobile: str = ""
    qr: str = ""
    external: str = ""


def card(number: str) -> Identifier:
    """A member by card number, 16 digits."""
    return Identifier(card=number)


def mobile(number: str) -> Identifier:
    """A member by mobile number, in any spelling."""
    return Identifier(mobile=number)


def qr(text: str) -> Identifier:
    """A member by the text of the QR code."""
    return Identifier(qr=text)


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a basket. amount_rial: what the customer pays for the whole line."""

    line: int
    amount_rial: int
    quantity: int = 1
    sku: str = ""
    category: str = ""


class RefundLine(Struct, frozen=True, kw_only=True):
    """Part of a line that comes back. amount_rial: of this refund, not cumulative."""

    line: int
    amount_rial: int


class Redeem(Struct, frozen=True, kw_only=True):
    """What a redemption asks to spend: network points, and money credit in Rial."""

    points: int = 0
    credit_rial: int = 0


class Original(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a refund or reversal undoes: its public id, or its name with occurred_at.

    The second form also needs the identifier of the original in the request. A name is a till's
    or an online shop's: see Transaction.
    """

    id: str = ""
    terminal: int | UnsetType = UNSET
    epoch: int | UnsetType = UNSET
    sequence: int | UnsetType = UNSET
    merchant: int | UnsetType = UNSET
    order: str | UnsetType = UNSET
    operation: str | UnsetType = UNSET
    occurred_at: datetime | None = None


def original_named(name: TillReference | OrderReference, occurred_at: datetime) -> Original:
    """The original by its name, for a till or shop that never saw its id."""
    return Original(**name._asdict(), occurred_at=occurred_at)


class Transaction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of POST /v1/transactions. Amounts in Rial; occurred_at: aware, the till's clock.

    Named by (terminal, epoch, sequence) or (merchant, order, operation): make it with `**name`,
    as the functions of `requests` do.
    """

    terminal: int | UnsetType = UNSET
    epoch: int | UnsetType = UNSET
    sequence: int | UnsetType = UNSET
    merchant: int | UnsetType = UNSET
    order: str | UnsetType = UNSET
    operation: str | UnsetType = UNSET
    kind: Kind
    occurred_at: datetime
    identifier: Identifier | None = None
    amount_rial: int = 0
    lines: tuple[Line, ...] = ()
    redeem: Redeem | None = None
    original: Original | None = None
    refund_lines: tuple[RefundLine, ...] = ()
    hold_s: int | UnsetType = UNSET

    @property
    def name(self) -> TillReference:
        """What names it at a till. Raises ValueError where it has no such name."""
        match self.terminal, self.epoch, self.sequence:
            case int(terminal), int(epoch), int(sequence):
                return TillReference(terminal, epoch, sequence)
            case _:
                raise ValueError("the transaction has no till's name")

    @property
    def order_name(self) -> OrderReference:
        """What names it in an online shop. Raises ValueError where it has no such name."""
        match self.merchant, self.order, self.operation:
            case int(merchant), str(order), str(operation):
                return OrderReference(merchant, order, operation)
            case _:
                raise ValueError("the transaction has no online shop's name")


class HistoricPurchase(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of POST /v1/history: a purchase of the past, by an operator with that right.

    programme_version, terms_version: by which it must be booked, 0 by whichever is in force.
    """

    merchant: int
    transaction: str
    identifier: Identifier
    occurred_at: datetime
    amount_rial: int
    lines: tuple[Line, ...] = ()
    terminal: int = 0
    branch: int = 0
    programme_version: int = 0
    terms_version: int = 0


# --------------------------------------------------------------------------------------- answers


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why something was declined, held, or earned nothing; Persian first."""

    code: str
    fa: str
    en: str
    rule: str = ""
    version: int = 0


class AnswerLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one line earned (line 0: the whole basket), by which rule, who pays, or why nothing."""

    line: int
    points: int = 0
    rule: str = ""
    rule_version: int = 0
    funder: int = 0
    reason: Reason | None = None


class Balance(Struct, frozen=True, kw_only=True):
    """An account as the transaction left it. debt_…: owed, and taken from what comes next."""

    points: int
    available_points: int
    pending_points: int
    credit_rial: int
    expiring_points: int
    expiring_at: datetime | None
    held_points: int = 0
    held_credit_rial: int = 0
    gift_rial: int = 0
    held_gift_rial: int = 0
    debt_points: int = 0
    debt_credit_rial: int = 0
    debt_gift_rial: int = 0


class Moved(Struct, frozen=True, kw_only=True):
    """So much of a unit moved. what: earned, pending (of that), spent, restored, taken-back,
    owed, repaid. unit: NP points, MP the shop's own, CR credit and GV gift value in Rial.
    """

    what: str
    unit: str
    amount: int


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a till, byte for byte the same for ever. Amounts >= 0.

    discount_rial: taken off the basket in all; own_discount_rial: the acceptor's own part of it.
    payable_rial: amount less discount. due_at: until when an authorisation reserves its value. fa,
    en: one line for the cashier's screen and the receipt.
    """

    id: str
    kind: Kind
    status: Status
    occurred_at: datetime
    accepted_at: datetime
    code: str = ""
    reasons: tuple[Reason, ...] = ()
    points_earned: int = 0
    points_pending: int = 0
    pending_until: datetime | None = None
    points_redeemed: int = 0
    credit_redeemed_rial: int = 0
    discount_rial: int = 0
    own_discount_rial: int = 0
    payable_rial: int = 0
    points_clawed_back: int = 0
    points_restored: int = 0
    credit_restored_rial: int = 0
    debt_points: int = 0
    debt_rial: int = 0
    gift_redeemed_rial: int = 0
    gift_restored_rial: int = 0
    merchant_points_restored: int = 0
    moved: tuple[Moved, ...] = ()
    lines: tuple[AnswerLine, ...] = ()
    balance: Balance | None = None
    original: str = ""
    due_at: datetime | None = None
    fa: str = ""
    en: str = ""


class Preview(Struct, frozen=True, kw_only=True):
    """The answer to an inquiry; nothing is stored.

    A redemption of redeemable_points and redeemable_credit_rial would complete now, one unit more
    of either would not; redeemable_rial: what both are worth. reasons: why nothing can be spent.
    lines: what each line of the basket would earn, or why nothing.
    """

    id: str
    kind: Kind
    balance: Balance
    redeemable_points: int
    redeemable_rial: int
    would_earn_points: int
    fa: str = ""
    en: str = ""
    redeemable_credit_rial: int = 0
    reasons: tuple[Reason, ...] = ()
    lines: tuple[AnswerLine, ...] = ()


class Accepted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """202: it stands and will be answered; ask status_url, or send the same name again."""

    id: str
    status: str = "accepted"
    status_url: str = ""
    retry_after_ms: int = 0


class Current(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a transaction stands now: completed, held, released, cancelled, refunded, reversed, …"""

    status: str
    points_pending: int = 0
    refunded_rial: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answer, its exact bytes, and what it took to get them."""

    answer: Answer | Preview
    body: bytes
    attempts: int
    followed: bool = False  # it came by asking again after a 202


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Durable, not answered yet: ask again later, nothing will be lost."""

    accepted: Accepted
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStatus:
    """A transaction as first answered (exact bytes) and as it stands now."""

    id: str
    first_answer: Answer
    first_answer_body: bytes
    current: Current
