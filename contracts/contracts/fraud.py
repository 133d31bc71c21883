"""Messages of fraud: a screened transaction, and the names that each terminal sent to a shard."""

from enum import StrEnum

from msgspec import Struct

from contracts.pos import PosTransaction
from contracts.values import AccountOrZero, Amount, Instant, NumberOrZero, Reason, Shard


class ScreeningDecision(StrEnum):
    """What fraud decides; within one evaluation it only rises (fraud reference 5.1)."""

    ALLOW = "allow"
    REVIEW = "review"  # purchases only: points pending until review_due_at
    DECLINE = "decline"


class ScreenedTransaction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`transaction-screened.v1` on fraud.screened. case_id: set with REVIEW."""

    transaction: PosTransaction
    decision: ScreeningDecision
    reasons: tuple[Reason, ...] = ()
    review_due_at: Instant | None = None
    case_id: str = ""
    replayed: bool = False  # an archived record played again: uncounted everywhere


class RefusedTransaction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`transaction-refused.v1` on fraud.screened: fraud could not decide it; it still goes on to
    the ledger.
    """

    name: str
    reason: Reason
    transaction: PosTransaction | None = None  # None where the record could not be read
    replayed: bool = False


class NameSeen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The first transaction of a name on one shard. seen_at: the transaction's accepted_at.

    sold_rial: the basket of a purchase that fraud did not decline; redeemed_rial: the value that
    such a redemption asks to spend. Both 0 for history, which counts on no day of today.
    """

    name: str
    terminal: NumberOrZero
    merchant: NumberOrZero
    shard: Shard
    account: AccountOrZero
    fingerprint: str
    seen_at: Instant
    sold_rial: Amount = 0
    redeemed_rial: Amount = 0


class TerminalsSeen(Struct, frozen=True, kw_only=True):
    """`terminals-seen.v1` on fraud.terminals: the names of one poll for one partition.

    Keyed by the first one's terminal, an online shop's by the name, which any of its terminals may
    send; all its keys belong to the same partition.
    """

    names: tuple[NameSeen, ...]
