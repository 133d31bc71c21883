"""The book's values: accounts, lots, consumption rows, prior postings, accounts' state."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec import Struct

from contracts.ledger import Award, IssueValue, PostTransaction, Redemption
from contracts.values import HOLD_DAYS_MAX, Kind, Status, Unit

LOTS_PER_COMMAND_MAX: Final = 4096  # a lot's number is its command's sequence * 4096 + ordinal
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
GRACE: Final = timedelta(days=30)  # where a command brings no grace date of its own
HOLD_MAX: Final = timedelta(days=HOLD_DAYS_MAX)


class Role(StrEnum):
    """The purpose of an account: a member has value and debt, a party has all the others."""

    __hash__ = str.__hash__  # every leg looks its account up: spare Enum's hash in Python

    VALUE = "value"
    DEBT = "debt"
    ISSUED = "issued"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    PAYABLE = "payable"
    RECEIVABLE = "receivable"
    OWN_DISCOUNT = "own-discount"
    DISCOUNT_GIVEN = "discount-given"
    COST_RELEASED = "cost-released"
    POINTS_COST = "points-cost"
    FEE = "fee"
    TRANSIT = "transit"  # the network's, by issuer: value between two accounts
    EXCHANGE = "exchange"  # the network's, by issuer: value that changed its unit
    BUDGET = "budget"  # by campaign: what may still be issued from this shard at a party's cost
    BUDGET_GRANTED = "budget-granted"
    BUDGET_SPENT = "budget-spent"
    CASH = "cash"  # money that a party has paid or been paid
    WALLET = "wallet"  # money that a custodian has for members' credit


class AccountKey(NamedTuple):
    """Natural key of an account inside its shard. counterparty 0: none."""

    owner: int
    role: Role
    unit: Unit
    counterparty: int


class Leg(NamedTuple):
    """One entry before it is booked: an amount in the account's unit, with its sign."""

    account: AccountKey
    amount: int


class LotMovementKind(StrEnum):
    """How a consumption row moved its lot."""

    REDEEMED = "redeemed"
    RESTORED = "restored"
    CLAWED_BACK = "clawed-back"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REPAID = "repaid"
    ADJUSTED = "adjusted"  # taken by hand
    SENT = "sent"
    ARRIVED = "arrived"  # into a child of the sent lot, or back into the lot
    EXCHANGED = "exchanged"


class Origin(StrEnum):
    """What opened a lot."""

    AWARD = "award"
    ISSUE = "issue"
    CHILD = "child"  # restored when its parent was past its date
    ADJUSTMENT = "adjustment"  # added by hand
    RECEIVED = "received"  # its parent is a lot of the sender, on the sender's shard
    GRACED = "received-in-grace"  # the same, of a lot that already had its one grace
    EXCHANGE = "exchange"
    CARD = "card"
    TOP_UP = "top-up"


class Held(StrEnum):
    """The event that a row of a hold records of its lot."""

    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"  # by a void, or left by a capture
    DUE = "due"


class Lot(Struct, frozen=True, gc=False):
    """One credit of value. amount, cost_rial: as opened; remaining, cost_left, lapsed: now.

    lapsed: what passed its date unspent and no later clawback has counted yet. available_from: as
    of now, brought forward by a release; None: pending until an event. expires_at None: never.
    born_at: occurred_at of the sale. held: part of remaining that holds reserve. sliding_days: if
    not 0, activity renews expires_at.
    """

    lot: int
    owner: int
    unit: Unit
    amount: int
    cost_rial: int
    issuer: int
    funder: int
    rule: str
    rule_version: int
    available_from: datetime | None
    expires_at: datetime | None
    born_at: datetime
    merchant: int
    origin: Origin
    parent: int
    remaining: int
    cost_left: int
    lapsed: int = 0
    held: int = 0
    sliding_days: int = 0


class LotMovement(Struct, frozen=True, gc=False):
    """One consumption row: an amount that a command took from a lot or gave back; amounts >= 0.

    original_sequence, original_ordinal: of the row that a restore undoes, else 0.
    """

    ordinal: int
    lot: int
    unit: Unit
    kind: LotMovementKind
    amount: int
    cost_rial: int
    issuer: int
    acceptor: int
    merchant: int
    claim_rial: int = 0
    fee_rial: int = 0
    original_sequence: int = 0
    original_ordinal: int = 0


class Hold(Struct, frozen=True):
    """Value reserved and not yet resolved. parts: (lot, amount) in the order of a spend.

    hold: sequence of its command. Its lots' held counts it until its resolution is booked. From
    due_at on, balances treat it as released all the same.
    """

    hold: int
    owner: int
    name: str
    due_at: datetime
    parts: tuple[tuple[int, int], ...]


class Grant(Struct, frozen=True, gc=False):
    """An award as booked, with its lot. activates_at: its own date, before any review.

    budget: campaign of the funder's slice that paid its cost, 0 its prefunding, None neither.
    """

    line: int
    unit: Unit
    amount: int
    cost_rial: int
    issuer: int
    funder: int
    lot: int
    activates_at: datetime
    budget: int | None = None


class Progress(Struct, frozen=True):
    """What later commands undid of an original. refunded: Rial by line, in its lines' order."""

    refunded: tuple[int, ...]
    full: bool = False
    reversed: bool = False
    verdict: str = ""  # of pending value: released, cancelled; of a hold: captured, voided


class PriorPosting(Struct, frozen=True):
    """The posting that a refund, reversal, review outcome or revocation names.

    lines: (line, Rial); a basket without lines is its line 0. grants, rows: as booked. own_rial,
    network_rial: discount beyond the claims, of the acceptor and of the network. arrived False:
    only its reversal came. held_until: of a review, or when a hold falls due. pending_event: the
    event that an issue is pending for. A spend away from a till, and a capture, are redemptions of
    one line: what they were worth.
    """

    name: str
    sequence: int
    type: str
    status: Status
    kind: Kind | None = None
    arrived: bool = True
    account: int = 0
    member: int = 0
    merchant: int = 0
    acceptor: int = 0
    lines: tuple[tuple[int, int], ...] = ()
    grants: tuple[Grant, ...] = ()
    rows: tuple[LotMovement, ...] = ()
    own_rial: int = 0
    network_rial: int = 0
    held_until: datetime | None = None
    progress: Progress = Progress(())
    pending_event: str = ""

    @property
    def total_rial(self) -> int:
        """Amount of the whole basket."""
        return sum(amount for _, amount in self.lines)


Turn = tuple[datetime, datetime, int]  # place in the order of consumption: expiry, birth, lot


class Rest(Struct, frozen=True):
    """The unread part of a value account with many open lots; none of it moves in the batch.

    total: of all that remains in it. usable, pending: the amounts that stay so throughout the
    batch. dated: some of usable expires. frontier: all lots up to here were read. soon: the part of
    usable that expires before soon_until, the end of the frontier's Tehran day. least_cost: least
    Rial that one of usable costs, rounding apart. rows: lots of usable. issuers: up to where all
    lots of one issuer were read, where that is further; None: all of them.
    """

    total: int
    usable: int
    pending: int
    dated: bool
    frontier: Turn
    soon: int
    soon_until: datetime | None
    least_cost: float
    rows: int
    issuers: dict[int, Turn | None]


class AccountState:
    """Value of one account on its shard: open lots, closed lots that a command names, debts.

    holds: those not resolved, by number. rest: of accounts with more lots than a batch reads, by
    unit and counterparty.
    """

    __slots__ = ("debts", "holds", "lots", "rest")

    def __init__(self) -> None:
        self.lots: dict[int, Lot] = {}
        self.debts: dict[tuple[Unit, int], int] = {}  # (unit, issuer) -> balance, below zero
        self.holds: dict[int, Hold] = {}
        self.rest: dict[tuple[Unit, int], Rest] = {}


def lot_number(sequence: int, ordinal: int) -> int:
    """Number of the ordinal-th lot that a command opens, unique in its shard."""
    return sequence * LOTS_PER_COMMAND_MAX + ordinal


def value_key(owner: int, unit: Unit, issuer: int) -> AccountKey:
    """A member's value account: one for all issuers, except for merchants' own points."""
    party = issuer if unit is Unit.MERCHANT_POINTS else 0
    return AccountKey(owner, Role.VALUE, unit, party)


class _Kin(NamedTuple):
    unit: Unit
    issuer: int
    funder: int
    rule: str
    version: int
    available_from: datetime
    expires_at: datetime | None
    sliding_days: int


def lots_of_awards(
    body: PostTransaction, account: int, *, sequence: int, occurred_at: datetime, now: datetime
) -> tuple[list[Lot], tuple[Grant, ...]]:
    """Lots that a basket's awards open, and each award with its lot.

    Awards that differ only by line and amount share a lot. A review makes all lots available when
    it is due, or on their own date where that is later. now: decision time. Source: architecture 2
    and 5.
    """
    ordinals: dict[_Kin, int] = {}
    sums: list[list[int]] = []
    grants: list[Grant] = []
    for award in body.awards:
        own = award.available_from or now
        due = own if body.review_due_at is None else max(own, body.review_due_at)
        kin = _Kin(
            award.unit, award.issuer, award.funder, award.rule, award.rule_version, due,
            award.expires_at, award.sliding_days,
        )  # fmt: skip
        ordinal = ordinals.setdefault(kin, len(sums))
        if ordinal == len(sums):
            sums.append([0, 0])
        sums[ordinal][0] += award.amount
        sums[ordinal][1] += award.cost_rial
        grants.append(_grant(award, lot_number(sequence, ordinal), own))
    lots = [
        Lot(
            lot_number(sequence, ordinal), account, kin.unit, amount, cost, kin.issuer, kin.funder,
            kin.rule, kin.version, kin.available_from, kin.expires_at, occurred_at, body.merchant,
            Origin.AWARD, 0, amount, cost, 0, 0, kin.sliding_days,
        )
        for (kin, ordinal), (amount, cost) in zip(ordinals.items(), sums, strict=True)
    ]  # fmt: skip
    return lots, tuple(grants)


def lot_of_issue(
    body: IssueValue, *, sequence: int, occurred_at: datetime, now: datetime
) -> tuple[Lot, Grant]:
    """The one lot that an issue-value opens: available at once, at its time, or on its event."""
    number = lot_number(sequence, 0)
    own = body.available_from or now
    lot = Lot(
        number, body.account, body.unit, body.amount, body.cost_rial, body.issuer, body.funder,
        body.rule, body.rule_version, None if body.pending_event else own, body.expires_at,
        occurred_at, 0, Origin.ISSUE, 0, body.amount, body.cost_rial, 0, 0, body.sliding_days,
    )  # fmt: skip
    grant = Grant(
        0, body.unit, body.amount, body.cost_rial, body.issuer, body.funder, number, own,
        body.budget,
    )  # fmt: skip
    return lot, grant


def _grant(award: Award, lot: int, activates_at: datetime) -> Grant:
    return Grant(
        award.line, award.unit, award.amount, award.cost_rial, award.issuer, award.funder, lot,
        activates_at, award.budget,
    )  # fmt: skip


def grant_of_top_up(body: PostTransaction, sequence: int, now: datetime) -> Grant:
    """The credit of a till's top-up as an undo sees it: of the whole basket, by its custodian."""
    rial, custodian = body.amount_rial, body.acceptor
    return Grant(0, Unit.CREDIT, rial, rial, custodian, custodian, lot_number(sequence, 0), now)


def discount_of(terms: Redemption) -> int:
    """Rial that a redemption takes off the basket: all that is spent, and the own discount."""
    spent_rial = terms.points_value_rial + terms.credit_rial + terms.gift_rial
    return spent_rial + terms.own_discount_rial
