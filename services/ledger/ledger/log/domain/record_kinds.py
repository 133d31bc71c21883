"""The facts of each kind of record: one row a kind of command."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from contracts.ledger import (
    AdvanceClock,
    CancelPending,
    ExpireLot,
    Inquire,
    IssueValue,
    PostTransaction,
    RefuseTransaction,
    ReleasePending,
    RevokeIssue,
)
from contracts.value import (
    ActivateCard,
    AdjustValue,
    CaptureHold,
    CloseWindow,
    ExchangeValue,
    ExtendLot,
    GrantBudget,
    HoldValue,
    InstallTerms,
    ReceiveBudget,
    ReceiveValue,
    ReissueCard,
    ReleaseHold,
    ReturnValue,
    SendBudget,
    SendValue,
    SetStanding,
    SettlePosition,
    SpendValue,
    TopUpWallet,
    VoidHold,
)
from ledger.book.commands import NO_FACTS, CommandFacts

B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class RecordKind(Generic[B]):
    """facts: a function from a body of this kind to its facts."""

    body: type[B]
    facts: Callable[[B], CommandFacts]


def _of_transaction(body: PostTransaction) -> CommandFacts:
    return CommandFacts(
        account=body.account,
        member=body.member,
        merchant=body.merchant,
        acceptor=body.acceptor,
        terminal=body.terminal,
        original=body.original,
        shown=body.shown,
        case_id=body.case_id,
        kind=body.kind,
        replayed=body.replayed,
    )


def _of_refusal(body: RefuseTransaction) -> CommandFacts:
    return CommandFacts(
        account=body.account,
        merchant=body.merchant,
        terminal=body.terminal,
        kind=body.kind,
        replayed=body.replayed,
    )


def _of_issue(body: IssueValue) -> CommandFacts:
    return CommandFacts(
        account=body.account, member=body.member, original=body.original, purpose=body.purpose
    )


def _of_take_back(body: RevokeIssue) -> CommandFacts:
    return CommandFacts(
        account=body.account, member=body.member, original=body.issued_by, purpose=body.purpose
    )


def _of_review(body: ReleasePending | CancelPending) -> CommandFacts:
    return CommandFacts(original=body.original, case_id=body.case_id)


def _of_place(body: SpendValue | HoldValue) -> CommandFacts:
    return CommandFacts(
        account=body.account,
        member=body.member,
        merchant=body.merchant,
        acceptor=body.acceptor,
        purpose=body.purpose,
    )


def _of_hold(body: CaptureHold | VoidHold) -> CommandFacts:
    return CommandFacts(original=body.original)


def _of_account(body: ExpireLot | ReleaseHold | ExtendLot | SetStanding) -> CommandFacts:
    return CommandFacts(account=body.account)


def _of_member(body: AdjustValue | ExchangeValue | ActivateCard) -> CommandFacts:
    return CommandFacts(account=body.account, member=body.member)


def _of_nothing(_: object) -> CommandFacts:
    return NO_FACTS


_KINDS: Final[tuple[RecordKind[Any], ...]] = (
    RecordKind(PostTransaction, _of_transaction),
    RecordKind(RefuseTransaction, _of_refusal),
    RecordKind(IssueValue, _of_issue),
    RecordKind(RevokeIssue, _of_take_back),
    RecordKind(ReleasePending, _of_review),
    RecordKind(CancelPending, _of_review),
    RecordKind(ExpireLot, _of_account),
    RecordKind(AdvanceClock, _of_nothing),
    RecordKind(
        Inquire,
        lambda body: CommandFacts(
            account=body.account,
            member=body.member,
            merchant=body.merchant,
            acceptor=body.acceptor,
        ),
    ),
    RecordKind(SpendValue, _of_place),
    RecordKind(HoldValue, _of_place),
    RecordKind(CaptureHold, _of_hold),
    RecordKind(VoidHold, _of_hold),
    RecordKind(ReleaseHold, _of_account),
    RecordKind(ExtendLot, _of_account),
    RecordKind(AdjustValue, _of_member),
    RecordKind(
        SendValue,
        lambda body: CommandFacts(
            account=body.account,
            member=body.member,
            other_shard=body.to_shard,
            purpose=body.purpose,
        ),
    ),
    RecordKind(
        ReceiveValue,
        lambda body: CommandFacts(
            account=body.account,
            member=body.member,
            other_shard=body.from_shard,
            purpose=body.purpose,
        ),
    ),
    RecordKind(
        ReturnValue,
        lambda body: CommandFacts(account=body.account, original=body.original),
    ),
    RecordKind(ExchangeValue, _of_member),
    RecordKind(ActivateCard, _of_member),
    RecordKind(
        ReissueCard,
        lambda body: CommandFacts(account=body.account, other_shard=body.to_shard),
    ),
    RecordKind(
        TopUpWallet,
        lambda body: CommandFacts(account=body.account, member=body.member, merchant=body.merchant),
    ),
    RecordKind(GrantBudget, _of_nothing),
    RecordKind(SendBudget, lambda body: CommandFacts(other_shard=body.to_shard)),
    RecordKind(ReceiveBudget, lambda body: CommandFacts(other_shard=body.from_shard)),
    RecordKind(InstallTerms, lambda body: CommandFacts(kind=body.kind)),
    RecordKind(SetStanding, _of_account),
    RecordKind(CloseWindow, _of_nothing),
    RecordKind(SettlePosition, _of_nothing),
)
RECORD_KINDS: Final[dict[type, RecordKind[Any]]] = {kind.body: kind for kind in _KINDS}


def facts_of(body: Any) -> CommandFacts:
    """The facts of a body. Raises KeyError on a body of no kind."""
    return RECORD_KINDS[type(body)].facts(body)
