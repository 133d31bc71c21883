"""Shapes of the commands beyond the road: value held, sent, exchanged, adjusted; parties, terms."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from verifier.model.messages import Club, Id, Moment, Natural, Share, Some, Sum, UnitName

ShardNumber = Annotated[int, Meta(ge=0, le=2**15 - 1)]
Who = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[str, Meta(max_length=500)]
TermsId = Annotated[str, Meta(min_length=1, max_length=100)]
FORWARDS_MAX = 16
WindowNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class RedemptionTerms(Struct):
    """The value to be spent, and what its acceptor gives for it."""

    points: Sum = 0
    merchant_points: Sum = 0
    credit_rial: Sum = 0
    gift_rial: Sum = 0
    worth_rial: Sum = 0
    own_max_rial: Sum = 0
    fee_bp: Share = 0
    network_max_rial: Sum = 0


class SpendAway(Struct):
    """spend-value.v1"""

    name: str
    account: Club
    member: Club
    acceptor: Id
    merchant: Id
    spend: RedemptionTerms
    purpose: str = ""


class HoldValue(Struct):
    """hold-value.v1"""

    name: str
    account: Club
    member: Club
    acceptor: Id
    merchant: Id
    due_at: Moment
    points: Sum = 0
    merchant_points: Sum = 0
    credit_rial: Sum = 0
    gift_rial: Sum = 0
    purpose: str = ""


class Capture(Struct):
    """capture-hold.v1"""

    name: str
    original: str
    spend: RedemptionTerms


class VoidHold(Struct):
    """void-hold.v1"""

    name: str
    original: str


class ReleaseHold(Struct):
    """release-hold.v1"""

    name: str
    account: Club
    hold: Natural


class Extend(Struct):
    """extend-lot.v1"""

    name: str
    account: Club
    lot: Natural
    expires_at: Moment | None
    by: Who
    reason: Words


class Adjust(Struct):
    """adjust-value.v1"""

    name: str
    account: Club
    member: Club
    unit: UnitName
    amount: Some
    issuer: Id
    funder: Id
    proposed_by: Who
    approved_by: Who
    reason: Words
    take: bool = False
    cost_rial: Sum = 0
    expires_at: Moment | None = None


class Piece(Struct, frozen=True):
    """Part of a lot on its way to another account."""

    lot: Natural
    unit: UnitName
    amount: Some
    cost_rial: Sum
    issuer: Id
    funder: Id
    merchant: Id
    rule: str
    rule_version: Id
    born_at: Moment
    available_from: Moment | None
    expires_at: Moment | None = None
    sliding_days: Id = 0
    graced: bool = False


class Send(Struct):
    """send-value.v1"""

    name: str
    account: Club
    member: Club
    unit: UnitName
    amount: Some
    to_shard: ShardNumber
    to_account: Club
    to_member: Club
    issuer: Id = 0
    purpose: str = ""


class Receive(Struct):
    """receive-value.v1"""

    name: str
    account: Club
    member: Club
    from_shard: ShardNumber
    from_sequence: Natural
    from_account: Club
    from_member: Club
    parcels: tuple[Piece, ...]
    purpose: str = ""
    sent_by: str = ""
    forwarded: Annotated[int, Meta(ge=0, le=FORWARDS_MAX)] = 0


class Return(Struct):
    """return-value.v1"""

    name: str
    account: Club
    original: str
    code: str


class Exchange(Struct):
    """exchange-value.v1"""

    name: str
    account: Club
    member: Club
    unit: UnitName
    issuer: Id
    amount: Some
    receives: Some
    rate: str
    version: Id
    numerator: Some
    denominator: Some
    fee_bp: Share = 0
    cost_rial: Sum = 0
    expires_at: Moment | None = None


class Activate(Struct):
    """activate-card.v1"""

    name: str
    account: Club
    issuer: Id
    amount_rial: Sum
    expires_at: Moment | None = None
    member: Club = 0


class Reissue(Struct):
    """reissue-card.v1"""

    name: str
    account: Club
    to_shard: ShardNumber
    to_account: Club
    by: Who
    reason: Words


class TopUp(Struct):
    """top-up-wallet.v1"""

    name: str
    account: Club
    member: Club
    amount_rial: Some
    custodian: Id
    merchant: Id


class GrantBudget(Struct):
    """grant-budget.v1"""

    name: str
    party: Id
    campaign: Id
    amount_rial: Some


class SendBudget(Struct):
    """send-budget.v1"""

    name: str
    party: Id
    campaign: Id
    to_shard: ShardNumber
    amount_rial: Sum = 0


class ReceiveBudget(Struct):
    """receive-budget.v1"""

    name: str
    party: Id
    campaign: Id
    amount_rial: Some
    from_shard: ShardNumber
    from_sequence: Natural


class Install(Struct):
    """install-terms.v1"""

    name: str
    kind: Literal["price", "rate", "fee"]
    id: TermsId
    version: Id
    numerator: Sum
    denominator: Some
    accepted_by: tuple[Id, ...]


class SetStanding(Struct):
    """set-standing.v1"""

    name: str
    standing: Literal["open", "frozen", "closed"]
    by: Who
    reason: Words
    account: Club = 0
    party: Id = 0


class CloseWindow(Struct):
    """close-window.v1"""

    name: str
    window: WindowNumber


class Settle(Struct):
    """settle-position.v1"""

    name: str
    window: WindowNumber
    debtor: Id
    creditor: Id
    amount_rial: Some


VALUE_COMMANDS: dict[str, type[Any]] = {
    "spend-value.v1": SpendAway,
    "hold-value.v1": HoldValue,
    "capture-hold.v1": Capture,
    "void-hold.v1": VoidHold,
    "release-hold.v1": ReleaseHold,
    "extend-lot.v1": Extend,
    "adjust-value.v1": Adjust,
    "send-value.v1": Send,
    "receive-value.v1": Receive,
    "return-value.v1": Return,
    "exchange-value.v1": Exchange,
    "activate-card.v1": Activate,
    "reissue-card.v1": Reissue,
    "top-up-wallet.v1": TopUp,
    "grant-budget.v1": GrantBudget,
    "send-budget.v1": SendBudget,
    "receive-budget.v1": ReceiveBudget,
    "install-terms.v1": Install,
    "set-standing.v1": SetStanding,
    "close-window.v1": CloseWindow,
    "settle-position.v1": Settle,
}
