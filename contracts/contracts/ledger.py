"""Messages of the ledger: the commands that it takes, the outcomes that it publishes."""

from typing import Annotated, Final

from msgspec import Meta, Raw, Struct

from contracts import value
from contracts.pos import AnswerLine, Line, RefundLine
from contracts.values import (
    AccountOrZero,
    Amount,
    BasisPoints,
    Channel,
    Instant,
    Kind,
    LineOrBasket,
    NumberOrZero,
    PositiveAmount,
    Reason,
    Signed,
    Status,
    Unit,
    Whole,
)

# --------------------------------------------------------------------------------------- commands


class Award(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule gives for one line (0: the whole basket).

    Awards alike but for line and amount share a lot. cost_rial: of this award, at the terms in
    force at occurred_at. expires_at None: never. available_from None: at once; a review by fraud
    overrides it with the review's due time.
    """

    line: LineOrBasket
    unit: Unit
    amount: PositiveAmount
    cost_rial: Amount
    issuer: NumberOrZero
    funder: NumberOrZero
    rule: str
    rule_version: NumberOrZero
    expires_at: Instant | None = None
    available_from: Instant | None = None
    sliding_days: NumberOrZero = 0  # > 0: activity renews expires_at by so many days
    budget: NumberOrZero | None = None  # campaign whose slice pays the cost; 0: prefunding


class Redemption(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Terms of a redemption, every number that the decision needs (architecture 2, replay).

    points_value_rial: points at the settlement price in force, floored. own_discount_rial: what the
    acceptor adds; own_discount_max_rial: the most it declared, beyond which the ledger refuses.
    network_max_rial: the most that the network adds where points were issued at a lower price than
    they are worth now. fee_bp: the network's share of the claim.
    """

    points: Amount
    credit_rial: Amount
    points_value_rial: Amount
    own_discount_rial: Amount
    own_discount_max_rial: Amount
    fee_bp: BasisPoints
    terms_version: NumberOrZero
    gift_rial: Amount = 0  # gift value of this account, spent as its face value
    network_max_rial: Amount = 0


class Offer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an acceptor's programme and the network's terms let a basket be paid with.

    price_rial Rial for every price_points points; least_rial, least_points: the lowest price that
    was ever published, 0: this one. fee_bp, terms_version: as in Redemption; the rest as in
    Programme. How they are used: contracts.redeeming.
    """

    price_rial: PositiveAmount
    price_points: PositiveAmount
    redeem_min_points: Amount = 0
    redeem_max_share_bp: BasisPoints = 10_000
    own_discount_bp: BasisPoints = 0
    own_discount_max_rial: Amount = 0
    fee_bp: BasisPoints = 0
    terms_version: NumberOrZero = 0
    least_rial: Amount = 0
    least_points: Amount = 0


class PostTransaction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`post-transaction.v1`: one transaction of the road with all that campaigns decided.

    acceptor: the party of the merchant where it happened. decline: where it is not empty, the
    ledger stores this decline. review_due_at: where it is set, every award becomes available only
    then (fraud's review). grace_expires_at: expiry of a child lot where a restored lot is past its
    date. original, shown: as in PosTransaction. due_at, offer: of an authorisation, until when it
    reserves what its redemption spends, and the terms by which its capture will be priced.
    """

    name: str
    kind: Kind
    channel: Channel
    merchant: NumberOrZero
    acceptor: NumberOrZero
    branch: NumberOrZero
    terminal: NumberOrZero
    account: AccountOrZero = 0
    member: AccountOrZero = 0
    identifier_id: str = ""
    identifier_last4: str = ""
    amount_rial: Amount = 0
    lines: tuple[Line, ...] = ()
    decline: tuple[Reason, ...] = ()
    awards: tuple[Award, ...] = ()
    unearned: tuple[AnswerLine, ...] = ()  # lines that earned nothing, each with its reason
    redemption: Redemption | None = None
    original: str = ""
    refund_lines: tuple[RefundLine, ...] = ()
    grace_expires_at: Instant | None = None
    review_due_at: Instant | None = None
    case_id: str = ""
    replayed: bool = False  # an unknown name then raises an alarm and posts nothing
    shown: AccountOrZero = 0
    due_at: Instant | None = None
    offer: Offer | None = None


class RefuseTransaction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`refuse-transaction.v1`: a stage could not decide this name; an outcome like any other."""

    name: str
    reason: Reason
    kind: Kind = Kind.PURCHASE
    merchant: NumberOrZero = 0
    terminal: NumberOrZero = 0
    account: AccountOrZero = 0
    replayed: bool = False


class IssueValue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`issue-value.v1`: a lot outside a basket, e.g. the first purchase's credit (SH5)."""

    name: str
    account: AccountOrZero
    member: AccountOrZero
    unit: Unit
    amount: PositiveAmount
    cost_rial: Amount
    issuer: NumberOrZero
    funder: NumberOrZero
    rule: str
    rule_version: NumberOrZero
    expires_at: Instant | None = None
    purpose: str = ""  # "first-purchase"
    original: str = ""
    available_from: Instant | None = None  # None: at once
    pending_event: str = ""  # pending until release-pending or cancel-pending names this issue
    sliding_days: NumberOrZero = 0  # > 0: activity renews expires_at by so many days
    budget: NumberOrZero | None = None  # campaign whose slice pays the cost; 0: prefunding


class RevokeIssue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`revoke-issue.v1`: the lot of an earlier issue-value, as far as unspent (SH5)."""

    name: str
    account: AccountOrZero
    member: AccountOrZero
    issued_by: str  # name of the issue-value
    purpose: str = ""


class ReleasePending(Struct, frozen=True, kw_only=True):
    """`release-pending.v1`: pending points become available.

    Either a reviewer released them, which is refused once the review is due, or the event came
    that an issue-value waits for.
    """

    name: str
    original: str
    case_id: str
    reviewer: str


class CancelPending(Struct, frozen=True, kw_only=True):
    """`cancel-pending.v1`: what is left of pending lots is cancelled.

    Either a reviewer cancelled them, which is refused once the review is due, or the event that an
    issue-value waits for will not come.
    """

    name: str
    original: str
    case_id: str
    reviewer: str


class ExpireLot(Struct, frozen=True, kw_only=True):
    """`expire-lot.v1`: book what is past its date; named (lot, Tehran hour)."""

    name: str
    account: AccountOrZero
    lot: Whole


class AdvanceClock(Struct, frozen=True, kw_only=True):
    """`advance-clock.v1`: time passes on a shard where nothing happens; named by its minute."""

    name: str


class Inquire(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`inquire.v1`: a query, not a command: no sequence, no outcome, dropped past its deadline.

    amount_rial 0: no basket is named. offer None: nothing can be spent here, for the reasons in
    without. decline: reasons why nothing can be done at all. merchant, acceptor: of the till that
    asks. lines: what each line of the basket would earn, or why nothing.
    """

    name: str
    account: AccountOrZero
    member: AccountOrZero = 0
    merchant: NumberOrZero = 0
    acceptor: NumberOrZero = 0
    amount_rial: Amount
    would_earn_points: Amount
    offer: Offer | None = None
    without: tuple[Reason, ...] = ()
    decline: tuple[Reason, ...] = ()
    lines: tuple[AnswerLine, ...] = ()


COMMANDS = {
    **value.COMMANDS,
    "post-transaction.v1": PostTransaction,
    "refuse-transaction.v1": RefuseTransaction,
    "issue-value.v1": IssueValue,
    "revoke-issue.v1": RevokeIssue,
    "release-pending.v1": ReleasePending,
    "cancel-pending.v1": CancelPending,
    "expire-lot.v1": ExpireLot,
    "advance-clock.v1": AdvanceClock,
    "inquire.v1": Inquire,
}

# --------------------------------------------------------------------------------------- outcomes

LEAP_MAX: Final = 100_000


class Entry(Struct, frozen=True, kw_only=True):
    """One leg: account key (owner, role, counterparty), unit, amount with its sign."""

    owner: AccountOrZero
    role: str
    counterparty: NumberOrZero
    unit: Unit
    amount: Signed


class LotIssued(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A lot as it was opened; parent: set on a child of an expired or moved lot.

    available_from None: pending until an event.
    """

    lot: Whole
    unit: Unit
    amount: Whole
    cost_rial: Whole
    issuer: NumberOrZero
    funder: NumberOrZero
    rule: str
    available_from: Instant | None
    expires_at: Instant | None = None
    parent: Whole = 0


class LotMoved(Struct, frozen=True, kw_only=True):
    """A lot's remainder changed.

    movement: redeemed, restored, clawed-back, cancelled, expired, repaid, adjusted.
    """

    lot: Whole
    movement: str
    unit: Unit
    amount: Whole
    cost_rial: Whole
    issuer: NumberOrZero
    claim_rial: Whole = 0
    fee_rial: Whole = 0


def leaps(last: int, sequence: int) -> bool:
    """Whether an outcome's sequence cannot follow the last one read of its shard (0: none).

    A shard's sequences have no gaps. A room keeps the highest sequence that it has read and skips
    all below it: one spoilt number would hide every real one, so it sets such an outcome aside.
    """
    return 0 < last < sequence - LEAP_MAX


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`outcome-recorded.v1` on ledger.entries: every outcome, refusals too.

    command: type of the command. decided_at: the shard's decision time. silent: send the member no
    message (history, replay). answer: the exact bytes of the answer to a till. reasons: of a
    command that no till waits for, for the service that sent it.
    """

    sequence: Whole
    name: str
    command: str
    status: Status
    decided_at: Instant
    kind: Kind | None = None
    channel: Channel | None = None
    code: str = ""
    reasons: tuple[Reason, ...] = ()
    merchant: NumberOrZero = 0
    acceptor: NumberOrZero = 0
    branch: NumberOrZero = 0
    terminal: NumberOrZero = 0
    account: AccountOrZero = 0
    member: AccountOrZero = 0
    amount_rial: Signed = 0
    original: str = ""
    purpose: str = ""
    case_id: str = ""
    fully_refunded: bool = False
    silent: bool = False
    balance_points: Signed = 0
    balance_credit_rial: Signed = 0
    lots: tuple[LotIssued, ...] = ()
    moves: tuple[LotMoved, ...] = ()
    entries: tuple[Entry, ...] = ()
    answer: Raw = Raw(b"null")

    @property
    def is_of_wallet(self) -> bool:
        """Whether money of a wallet was taken in or given back, and no goods changed hands."""
        return any([entry.role == "cash" for entry in self.entries])


# ---------------------------------------------------------------------------------------- replies


class Reply(Struct, frozen=True, kw_only=True):
    """`transaction-answered.v1` and its kin on gateway.replies; body: bytes for the HTTP answer.

    http_status: 200, or 422 where the name was used with another payload.
    """

    name: str
    http_status: Annotated[int, Meta(ge=100, le=599)]
    body: Raw
