"""Which command a screened transaction becomes, and the envelope it leaves in."""

import hashlib
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import structs

from campaigns.awards.domain import earning
from campaigns.awards.domain.earning import Earned
from contracts import values
from contracts.envelope import Envelope, derive_id
from contracts.fraud import RefusedTransaction, ScreenedTransaction, ScreeningDecision
from contracts.ledger import Inquire, Offer, PostTransaction, Redemption, RefuseTransaction
from contracts.merchants import Terms
from contracts.pos import PosTransaction
from contracts.values import Kind, Reason, tehran_day

_TYPES: Final[dict[type[Any], str]] = {
    PostTransaction: "post-transaction.v1",
    RefuseTransaction: "refuse-transaction.v1",
    Inquire: "inquire.v1",
}
_first: Final = msgspec.json.Decoder(Envelope[msgspec.Raw])
_posted: Final = msgspec.json.Decoder(PostTransaction)


def post(
    screened: ScreenedTransaction,
    *,
    earned: Earned | None = None,
    redemption: Redemption | None = None,
    decline: tuple[Reason, ...] = (),
    grace_expires_at: datetime | None = None,
) -> PostTransaction:
    """The command that posts a transaction of the road, a declined or replayed one too."""
    transaction = screened.transaction
    under_review = screened.decision is ScreeningDecision.REVIEW
    return PostTransaction(
        name=transaction.name,
        kind=transaction.kind,
        channel=transaction.channel,
        merchant=transaction.merchant,
        acceptor=transaction.party,
        branch=transaction.branch,
        terminal=transaction.terminal,
        account=transaction.account,
        member=transaction.member,
        identifier_id=transaction.identifier_id,
        identifier_last4=transaction.identifier_last4,
        amount_rial=transaction.amount_rial,
        lines=transaction.lines,
        decline=decline,
        awards=() if earned is None else earned.awards,
        unearned=() if earned is None else earned.unearned,
        redemption=redemption,
        original=transaction.original,
        refund_lines=transaction.refund_lines,
        grace_expires_at=grace_expires_at,
        review_due_at=screened.review_due_at if under_review else None,
        case_id=screened.case_id if under_review else "",
        replayed=screened.replayed,
        shown=transaction.shown,
    )


def posted(output: bytes | None) -> PostTransaction | None:
    """The transaction that a first output posts; None where there is none, or it posts none."""
    if output is None:
        return None
    envelope = _first.decode(output)
    if envelope.type != _TYPES[PostTransaction]:
        return None
    return _posted.decode(envelope.data)


def completed(capture: PosTransaction, authorisation: PostTransaction) -> PosTransaction:
    """A capture with what it need not repeat: whose it is, and the value, if it takes all of it.

    Whoever shows another identifier with it keeps that one's account, for the ledger to decline.
    """
    spent = authorisation.redemption
    if capture.points or capture.credit_rial or spent is None:
        points, credit_rial = capture.points, capture.credit_rial
    else:
        points, credit_rial = spent.points, spent.credit_rial
    holder = capture if capture.account or capture.shown else authorisation
    return structs.replace(
        capture,
        points=points,
        credit_rial=credit_rial,
        account=holder.account,
        member=holder.member or (authorisation.member if not capture.shown else 0),
    )


def inquire(
    transaction: PosTransaction,
    *,
    offer: Offer | tuple[Reason, ...],
    earned: Earned,
    decline: tuple[Reason, ...] = (),
) -> Inquire:
    """The query behind an inquiry. offer: the terms of redeeming, or why nothing can be spent.

    earned: of a purchase of this basket; where none is named, no line earns or fails to.
    """
    return Inquire(
        name=transaction.name,
        account=transaction.account,
        member=transaction.member,
        merchant=transaction.merchant,
        acceptor=transaction.party,
        amount_rial=transaction.amount_rial,
        would_earn_points=earned.points,
        offer=offer if isinstance(offer, Offer) else None,
        without=() if isinstance(offer, Offer) else offer,
        decline=decline,
        lines=earned.lines if transaction.amount_rial else (),
    )


def refusal(
    transaction: PosTransaction | None, name: str, reason: Reason, *, replayed: bool = False
) -> RefuseTransaction:
    """The command that stores "could not be decided" under a name."""
    return RefuseTransaction(
        name=name,
        reason=reason,
        kind=Kind.PURCHASE if transaction is None else transaction.kind,
        merchant=0 if transaction is None else transaction.merchant,
        terminal=0 if transaction is None else transaction.terminal,
        account=0 if transaction is None else transaction.account,
        replayed=replayed,
    )


def labels_of(command: PostTransaction | RefuseTransaction | Inquire) -> tuple[str, str]:
    """Kind and outcome of a command, as they are counted."""
    match command:
        case Inquire():
            return Kind.INQUIRY.value, "inquired"
        case RefuseTransaction():
            return command.kind.value, "refused"
        case PostTransaction():
            if command.replayed:
                return command.kind.value, "replayed"
            outcome = "awarded" if command.awards else "passed"
            return command.kind.value, "declined" if command.decline else outcome


def own_no(command: PostTransaction | RefuseTransaction, cause: Any) -> str:
    """Code of the reason why campaigns declined; "" where fraud did. cause: fraud's message."""
    if isinstance(command, RefuseTransaction):
        return "" if isinstance(cause, RefusedTransaction) else command.reason.code
    return "" if cause.decision is ScreeningDecision.DECLINE else command.decline[0].code


def grace(terms: Terms | None, accepted_at: datetime) -> datetime | None:
    """Expiry of what a refund restores past its date: grace_days on, at that Tehran day's end.

    Counted from accepted_at, the member's availability, so that a late upload costs no day of it.
    """
    if terms is None:
        return None
    return earning.end_of_day(tehran_day(accepted_at), terms.grace_days)


def name_of_bytes(raw: bytes) -> str:
    """Name of a record that nobody can read (architecture 2, poison)."""
    return values.name(values.NameKind.UNDECODABLE, hashlib.sha256(raw).hexdigest())


def name_of(data: ScreenedTransaction | RefusedTransaction) -> str:
    """The name that a message of fraud is about."""
    if isinstance(data, ScreenedTransaction):
        return data.transaction.name
    return data.name


def envelope_of(
    command: PostTransaction | RefuseTransaction | Inquire, cause: Envelope[Any]
) -> Envelope[Any]:
    """The command under its cause's key, times and fingerprint."""
    kind = _TYPES[type(command)]
    return Envelope(
        id=derive_id(cause.id, kind),
        type=kind,
        key=cause.key,
        occurred_at=cause.occurred_at,
        accepted_at=cause.accepted_at,
        fingerprint=cause.fingerprint,
        cause_id=cause.id,
        data=command,
    )


def again(first: bytes, cause: Envelope[Any]) -> Envelope[Any]:
    """The first output of a name, under a repeat's own id and fingerprint (architecture 2)."""
    output = _first.decode(first)
    return msgspec.structs.replace(
        output,
        id=derive_id(cause.id, output.type),
        fingerprint=cause.fingerprint,
        cause_id=cause.id,
    )


def undecodable_envelope(command: RefuseTransaction, at: datetime) -> Envelope[Any]:
    """The refusal of a record without an envelope; at: the broker's stamp of the record."""
    kind = _TYPES[RefuseTransaction]
    return Envelope(
        id=derive_id(command.name, kind),
        type=kind,
        key="0",
        occurred_at=at,
        accepted_at=at,
        data=command,
    )
