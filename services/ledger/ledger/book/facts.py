"""The book's values: accounts, lots, consumption rows, originals, members' state."""

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
    """What an account is for; a member's are value and debt, all others are a party's."""

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
    TRANSIT = "transit"  # the network's, by issuer: what is between two accounts
    EXCHANGE = "exchange"  # the network's, by issuer: what changed its unit
    BUDGET = "budget"  # by campaign: what a party may still have issued for from this shard
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
    """One entry to be: amount in the account's unit, with its sign."""

    account: AccountKey
    amount: int


class LotMovementKind(StrEnum):
    """What a consumption row did to its lot."""

    REDEEMED = "redeemed"
    RESTORED = "restored"
    CLAWED_BACK = "clawed-back"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REPAID = "repaid"
    ADJUSTED = "adjusted"  # taken by hand
    SENT = "sent"
    ARRIVED = "arrived"  # into a child of what was sent, or back into what was sent
    EXCHANGED = "exchanged"


class Origin(StrEnum):
    """How a lot came to be."""

    AWARD = "award"
    ISSUE = "issue"
    CHILD = "child"  # restored when its parent was past its date
    ADJUSTMENT = "adjustment"  # added by hand
    RECEIVED = "received"  # its parent is a lot of the sender, on the sender's shard
    GRACED = "received-in-grace"  # the same, of a lot that has had its one grace
    EXCHANGE = "exchange"
    CARD = "card"
    TOP_UP = "top-up"


class Held(StrEnum):
    """What a row of a hold says of its lot."""

    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"  # by a void, or what a capture left
    DUE = "due"


class Lot(Struct, frozen=True, gc=False):
    """One credit of value. amount, cost_rial: as opened; remaining, cost_left, lapsed: now.

    lapsed: what passed its date unspent and no later clawback has counted yet. available_from: as
    of now, brought forward by a release; None: pending until an event. expires_at None: never.
    born_at: occurred_at of the sale. held: part of remaining that holds have booked. sliding_days:
    where not 0, activity renews expires_at.
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
    """One consumption row: what a command took from a lot or gave back to it; amounts >= 0.

    original_sequence, original_ordinal: of the row that a restore mirrors, else 0.
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
    """Value reserved and not yet resolved. parts: (lot, amount) in the order a spend takes them.

    hold: sequence of its command. Its lots' held counts it until its resolution is booked; from
    due_at on it reads as released all the same.
    """

    hold: int
    owner: int
    name: str
    due_at: datetime
    parts: tuple[tuple[int, int], ...]


class Grant(Struct, frozen=True, gc=False):
    """An award as booked: the lot that holds it; activates_at: its own date without a review.

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
    """What later commands did to an original. refunded: Rial by line, in the order of its lines."""

    refunded: tuple[int, ...]
    full: bool = False
    reversed: bool = False
    verdict: str = ""  # of what was pending: released, cancelled; of a hold: captured, voided


class PriorPosting(Struct, frozen=True):
    """What a refund, reversal, verdict or take-back must know of the command it names.

    lines: (line, Rial); a basket without lines is its line 0. grants, rows: as booked. own_rial,
    network_rial: discount beyond the claims, of the acceptor and of the network. arrived False:
    only its reversal came. held_until: of a review, or when a hold falls due. awaits: the event
    that an issue is pending for. A spend away from a till is a redemption of one line, what it was
    worth; so is a capture.
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
    """What was left unread of a value account with many open lots; none of it moves in the batch.

    total: of all that remains in it. usable, pending: what is so throughout the batch; dated: some
    of usable expires. frontier: all lots up to here were read. soon: of usable, what expires
    before soon_until, the end of the Tehran day of the frontier. least_cost: Rial that one of
    usable costs at least, rounding apart. rows: lots of usable. issuers: up to where all lots of
    one issuer were read, where that is further; None: all of them.
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
    """Value of one account on its shard: open lots (and closed ones named by a command), debts.

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
    """A member's value account: one for all issuers, but for merchants' own points."""
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
    """Lots that a basket's awards open, and which award lies in which.

    Awards alike but for line and amount share a lot. A review makes all available only when due,
    or on their own date where that is later. now: decision time. Source: architecture 2 and 5.
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


def discount_of(terms: Redemption) -> int:
    """Rial that a redemption takes off the basket: all that is spent, and the own part."""
    spent_rial = terms.points_value_rial + terms.credit_rial + terms.gift_rial
    return spent_rial + terms.own_discount_rial
