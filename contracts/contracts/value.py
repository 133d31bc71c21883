"""The ledger's commands beyond the road: value held, sent, exchanged, adjusted; accounts, terms."""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from contracts.values import (
    AccountOrZero,
    Amount,
    BasisPoints,
    Instant,
    NumberOrZero,
    PositiveAmount,
    Shard,
    Unit,
    Whole,
)

Person = Annotated[str, Meta(min_length=1, max_length=200)]  # an operator's id, as auth gives it
Text = Annotated[str, Meta(max_length=500)]
FORWARDS_MAX: Final = 16  # cards in a chain of reissues, so that a ring of them has an end


class RedemptionTerms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The value that leaves an account, and its worth to the acceptor.

    worth_rial: the discount or goods that the acceptor gives for all of it. Its claim is at most
    the cost of what is consumed; beyond that the network adds network_max_rial at most, and the
    rest is the acceptor's own, at most own_max_rial. fee_bp: the network's share of the claim.
    """

    points: Amount = 0
    merchant_points: Amount = 0  # of the acceptor's own
    credit_rial: Amount = 0
    gift_rial: Amount = 0
    worth_rial: Amount = 0
    own_max_rial: Amount = 0
    fee_bp: BasisPoints = 0
    network_max_rial: Amount = 0


# ---------------------------------------------------------------------------------- spend and hold


class SpendValue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`spend-value.v1`: value spent away from a till: a reward, a fee, an entry to a draw (RK1)."""

    name: str
    account: AccountOrZero
    member: AccountOrZero
    acceptor: NumberOrZero
    merchant: NumberOrZero
    spend: RedemptionTerms
    purpose: str = ""


class HoldValue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`hold-value.v1`: reserves lots that a spend would take now until due_at, 30 days at most."""

    name: str
    account: AccountOrZero
    member: AccountOrZero
    acceptor: NumberOrZero
    merchant: NumberOrZero
    due_at: Instant
    points: Amount = 0
    merchant_points: Amount = 0
    credit_rial: Amount = 0
    gift_rial: Amount = 0
    purpose: str = ""


class CaptureHold(Struct, frozen=True, kw_only=True):
    """`capture-hold.v1`: spends up to all that is held of each unit, 1 at least of one; the rest is
    released.

    original: name of the hold. Once: a hold that was captured, voided or is due is refused.
    """

    name: str
    original: str
    spend: RedemptionTerms


class VoidHold(Struct, frozen=True, kw_only=True):
    """`void-hold.v1`: releases all of a hold, its original, unless it was resolved or is due."""

    name: str
    original: str


class ReleaseHold(Struct, frozen=True, kw_only=True):
    """`release-hold.v1`: books that a hold fell due; its value was available from the due date."""

    name: str
    account: AccountOrZero
    hold: Whole  # sequence number of the hold


# ----------------------------------------------------------------------------------- life of a lot


class ExtendLot(Struct, frozen=True, kw_only=True):
    """`extend-lot.v1`: a later date for a lot in date; None: it never expires."""

    name: str
    account: AccountOrZero
    lot: Whole
    expires_at: Instant | None
    by: Person
    reason: Text


class AdjustValue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`adjust-value.v1`: a correction by hand, proposed by one person and approved by another.

    amount: to add, or to take where take is set (from lots of the issuer; never a debt).
    """

    name: str
    account: AccountOrZero
    member: AccountOrZero
    unit: Unit
    amount: PositiveAmount
    issuer: NumberOrZero
    funder: NumberOrZero
    proposed_by: Person
    approved_by: Person
    reason: Text
    take: bool = False
    cost_rial: Amount = 0  # of what is added; what is taken costs what its lots cost
    expires_at: Instant | None = None


# --------------------------------------------------------------------- between accounts and shards


class TransferredLot(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Part of one lot in transit, with all that the child lot at the receiver needs.

    lot: the sender's, on the sender's shard. graced: the lot has had its one grace.
    """

    lot: Whole
    unit: Unit
    amount: PositiveAmount
    cost_rial: Amount
    issuer: NumberOrZero
    funder: NumberOrZero
    merchant: NumberOrZero
    rule: str
    rule_version: NumberOrZero
    born_at: Instant
    available_from: Instant | None
    expires_at: Instant | None = None
    sliding_days: NumberOrZero = 0
    graced: bool = False


class SendValue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`send-value.v1`: value for another account, on this shard or another, through transit."""

    name: str
    account: AccountOrZero
    member: AccountOrZero
    unit: Unit
    amount: PositiveAmount
    to_shard: Shard
    to_account: AccountOrZero
    to_member: AccountOrZero
    issuer: NumberOrZero = 0  # of merchant points, whose they are
    purpose: str = ""


class ReceiveValue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`receive-value.v1`: opens what a send-value took; sent by the ledger as r.(shard).(sequence).

    sent_by: name of the command that took it, which a return-value repeats: a send-value, a
    reissue-card, or value returned to a reissued card. forwarded: how many cards passed it on.
    """

    name: str
    account: AccountOrZero
    member: AccountOrZero
    from_shard: Shard
    from_sequence: Whole
    from_account: AccountOrZero
    from_member: AccountOrZero
    parcels: tuple[TransferredLot, ...]
    purpose: str = ""
    sent_by: str = ""
    forwarded: Annotated[int, Meta(ge=0, le=FORWARDS_MAX)] = 0


class ReturnValue(Struct, frozen=True, kw_only=True):
    """`return-value.v1`: a receive was refused, its lots come back; named b.(shard).(sequence)."""

    name: str
    account: AccountOrZero
    original: str  # name of the send-value
    code: str  # why the receiver refused


class ExchangeValue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`exchange-value.v1`: a merchant's own points for network points, or back (architecture 5).

    One side is merchant points of issuer, the other network points. amount is taken, receives is
    given: amount * numerator // denominator at the rate that both sides accepted. cost_rial: of
    network points that open, at the settlement price.
    """

    name: str
    account: AccountOrZero
    member: AccountOrZero
    unit: Unit  # taken
    issuer: NumberOrZero  # whose merchant points
    amount: PositiveAmount
    receives: PositiveAmount
    rate: str
    version: NumberOrZero
    numerator: PositiveAmount
    denominator: PositiveAmount
    fee_bp: BasisPoints = 0
    cost_rial: Amount = 0
    expires_at: Instant | None = None


# --------------------------------------------------------------------------- gift cards and wallet


class ActivateCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`activate-card.v1`: a gift card of an issuer becomes usable, loaded with what was paid (SH2).

    account: the card's own, on its shard; it is loaded again by issue-value in gift value.
    """

    name: str
    account: AccountOrZero
    issuer: NumberOrZero
    amount_rial: Amount
    expires_at: Instant | None = None
    member: AccountOrZero = 0


class ReissueCard(Struct, frozen=True, kw_only=True):
    """`reissue-card.v1`: all that a card holds goes to a new one through transit; it closes."""

    name: str
    account: AccountOrZero
    to_shard: Shard
    to_account: AccountOrZero
    by: Person
    reason: Text


class TopUpWallet(Struct, frozen=True, kw_only=True):
    """`top-up-wallet.v1`: money paid in becomes credit (SH6). custodian: the party that has it."""

    name: str
    account: AccountOrZero
    member: AccountOrZero
    amount_rial: PositiveAmount
    custodian: NumberOrZero
    merchant: NumberOrZero


# -------------------------------------------------------------------------------- budgets by slice


class GrantBudget(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`grant-budget.v1`: a party may have points issued for so many Rial more from this shard.

    campaign 0: prefunding of whatever the party funds.
    """

    name: str
    party: NumberOrZero
    campaign: NumberOrZero
    amount_rial: PositiveAmount


class SendBudget(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`send-budget.v1`: part of a slice goes to another shard; amount_rial 0: all that is idle."""

    name: str
    party: NumberOrZero
    campaign: NumberOrZero
    to_shard: Shard
    amount_rial: Amount = 0


class ReceiveBudget(Struct, frozen=True, kw_only=True):
    """`receive-budget.v1`: the part that a send-budget took; sent by the ledger, named likewise."""

    name: str
    party: NumberOrZero
    campaign: NumberOrZero
    amount_rial: PositiveAmount
    from_shard: Shard
    from_sequence: Whole


# -------------------------------------------------------------------- terms, accounts, settlement


class TermsKind(StrEnum):
    """Kinds of terms that are installed by version."""

    PRICE = "price"  # Rial for network points
    RATE = "rate"  # network points for merchant points
    FEE = "fee"  # of a claim


class InstallTerms(Struct, frozen=True, kw_only=True):
    """`install-terms.v1`: a version of a price, rate or fee, on each shard; never changed again.

    accepted_by: the parties that accepted it; a rate needs its merchant's party and the network.
    """

    name: str
    kind: TermsKind
    id: Annotated[str, Meta(min_length=1, max_length=100)]
    version: NumberOrZero
    numerator: Amount
    denominator: PositiveAmount
    accepted_by: tuple[NumberOrZero, ...]


class AccountStatus(StrEnum):
    """Whether value may move to and from an account or party."""

    OPEN = "open"
    FROZEN = "frozen"  # nothing leaves it; what is earned, restored or expires is booked
    CLOSED = "closed"  # nothing moves any more


class SetStanding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`set-standing.v1`: freezes, unfreezes or closes an account, or a party (account 0).

    An account closes when it holds nothing, pending or held, and owes nothing; a party's when none
    of its points are outstanding and it has no payables or receivables, on this shard. Closed is
    for ever.
    """

    name: str
    standing: AccountStatus
    by: Person
    reason: Text
    account: AccountOrZero = 0
    party: NumberOrZero = 0


class CloseWindow(Struct, frozen=True, kw_only=True):
    """`close-window.v1`: the marker of a settlement window on a shard, named w.(window).

    Windows are 1, 2, 3, …; one that is not the next is refused.
    """

    name: str
    window: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class SettlePosition(Struct, frozen=True, kw_only=True):
    """`settle-position.v1`: a debtor has paid a creditor for a window, as far as this shard goes.

    Refused for a window that is not closed here, before an earlier one of the pair, and beyond what
    is owed as of the window's cut.
    """

    name: str
    window: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    debtor: NumberOrZero
    creditor: NumberOrZero
    amount_rial: PositiveAmount


COMMANDS = {
    "spend-value.v1": SpendValue,
    "hold-value.v1": HoldValue,
    "capture-hold.v1": CaptureHold,
    "void-hold.v1": VoidHold,
    "release-hold.v1": ReleaseHold,
    "extend-lot.v1": ExtendLot,
    "adjust-value.v1": AdjustValue,
    "send-value.v1": SendValue,
    "receive-value.v1": ReceiveValue,
    "return-value.v1": ReturnValue,
    "exchange-value.v1": ExchangeValue,
    "activate-card.v1": ActivateCard,
    "reissue-card.v1": ReissueCard,
    "top-up-wallet.v1": TopUpWallet,
    "grant-budget.v1": GrantBudget,
    "send-budget.v1": SendBudget,
    "receive-budget.v1": ReceiveBudget,
    "install-terms.v1": InstallTerms,
    "set-standing.v1": SetStanding,
    "close-window.v1": CloseWindow,
    "settle-position.v1": SettlePosition,
}
