"""A decision in words: the till's answer and the outcome that the platform hears."""

from datetime import datetime

from msgspec import Raw, json

from contracts.ledger import (
    Entry,
    LotIssued,
    LotMoved,
    Outcome,
    PostTransaction,
    RefuseTransaction,
)
from contracts.pos import Answer, Balance, Moved, Movement
from contracts.values import Channel, Kind, Reason, Status, Unit, public_id
from ledger.book.commands import Command
from ledger.posting.decide import movements
from ledger.posting.decide.batch_state import Posting
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects
from ledger.posting.domain import lines, texts

_ENCODER = json.Encoder()
NO_ANSWER = b"null"
_ANSWERED = frozenset({PostTransaction, RefuseTransaction})  # a till waits for these
_ASKED = frozenset({"post-transaction.v1", "refuse-transaction.v1"})  # others may be refused too


def answer(draft: AccountDraft, said: Effects, balance: Balance) -> bytes:
    """The bytes that a till is answered with for ever; null where no till asked.

    Behind a record that nobody could read a till may wait as well.
    """
    command, body = draft.command, draft.command.body
    if body is None:
        return _refusal_answer(command, command.name, said.status, said.reasons[0], now=draft.now)
    if not _a_till_asked(command):
        return NO_ANSWER
    moved = movements.of(draft)
    fa, en = _line(body.kind, said, moved, balance)
    told = Answer(
        id=public_id(command.shard, command.name),
        kind=body.kind,
        status=said.status,
        occurred_at=command.occurred_at,
        accepted_at=command.accepted_at or draft.now,
        code=said.code,
        reasons=said.reasons,
        points_earned=said.points_earned,
        points_pending=said.points_pending,
        pending_until=said.pending_until,
        points_redeemed=said.points_redeemed,
        credit_redeemed_rial=said.credit_redeemed_rial,
        discount_rial=said.discount_rial,
        own_discount_rial=said.own_discount_rial,
        payable_rial=said.payable_rial,
        points_clawed_back=said.points_clawed_back,
        points_restored=said.points_restored,
        credit_restored_rial=said.credit_restored_rial,
        debt_points=said.debt_points,
        gift_redeemed_rial=said.gift_redeemed_rial,
        gift_restored_rial=said.gift_restored_rial,
        merchant_points_restored=said.merchant_points_restored,
        debt_rial=said.debt_rial,
        moved=tuple([Moved(movement=w, unit=u, amount=n) for (w, u), n in moved.items()]),
        lines=said.lines,
        balance=balance if draft.owner else None,
        original=command.facts.original,
        fa=fa,
        en=en,
    )
    return _ENCODER.encode(told)


def _a_till_asked(command: Command) -> bool:
    return type(command.body) in _ANSWERED and command.type in _ASKED


def marked_answer(command: Command, name: str, *, now: datetime) -> bytes:
    """What the original of a reversal that came first will hear. Its kind nobody knows yet."""
    return _refusal_answer(
        command, name, Status.DECLINED, texts.reason("reversed-before-arrival"), now=now
    )


def _refusal_answer(
    command: Command, name: str, status: Status, reason: Reason, *, now: datetime
) -> bytes:
    told = Answer(
        id=public_id(command.shard, name),
        kind=Kind.PURCHASE,
        status=status,
        occurred_at=command.occurred_at if command.accepted_at else now,
        accepted_at=command.accepted_at or now,
        code=reason.code,
        reasons=(reason,),
        fa=reason.fa,
        en=reason.en,
    )
    return _ENCODER.encode(told)


def outcomes(decision: Posting) -> tuple[Outcome, ...]:
    """The outcomes of a posting: its own, then that of a name which it forestalled."""
    own = _outcome(decision)
    if decision.marked is None:
        return (own,)
    return own, _marked_outcome(own, *decision.marked)


def _outcome(decision: Posting) -> Outcome:
    """Refusals too: lots, moves and entries of this sequence number."""
    command, said, balance = decision.command, decision.effects, decision.balance
    body, facts = command.body, command.facts
    posting: PostTransaction | None = body if type(body) is PostTransaction else None
    channel = posting.channel if posting is not None else None
    amount = said.amount_rial
    if amount is None:
        amount = posting.amount_rial if posting is not None else 0
    return Outcome(
        sequence=decision.sequence,
        name=command.name,
        command=command.type,
        status=said.status,
        decided_at=decision.decided_at,
        kind=body.kind if _a_till_asked(command) else None,  # a body of terms has a kind as well
        channel=channel,
        code=said.code,
        reasons=said.reasons if decision.answer == NO_ANSWER else (),
        merchant=decision.merchant,
        acceptor=decision.acceptor,
        branch=posting.branch if posting is not None else 0,
        terminal=facts.terminal,
        account=decision.owner,
        member=facts.member,
        amount_rial=amount,
        original=facts.original,
        purpose=facts.purpose,
        case_id=facts.case_id,
        fully_refunded=said.progress is not None and said.progress[1].full,
        silent=channel is Channel.HISTORY or facts.replayed,
        balance_points=balance.points,
        balance_credit_rial=balance.credit_rial,
        lots=_issued(decision),
        moves=_moved(decision),
        entries=_entries(decision),
        answer=Raw(decision.answer),
    )


def _marked_outcome(own: Outcome, name: str, told: bytes) -> Outcome:
    """The second outcome of a reversal that came first: under its original's name."""
    return Outcome(
        sequence=own.sequence,
        name=name,
        command=own.command,
        status=Status.DECLINED,
        decided_at=own.decided_at,
        channel=own.channel,
        code="reversed-before-arrival",
        merchant=own.merchant,
        acceptor=own.acceptor,
        branch=own.branch,
        terminal=own.terminal,
        account=own.account,
        member=own.member,
        silent=own.silent,
        answer=Raw(told),
    )


def _issued(decision: Posting) -> tuple[LotIssued, ...]:
    return tuple(
        [
            LotIssued(
                lot=lot.lot,
                unit=lot.unit,
                amount=lot.amount,
                cost_rial=lot.cost_rial,
                issuer=lot.issuer,
                funder=lot.funder,
                rule=lot.rule,
                available_from=lot.available_from,
                expires_at=lot.expires_at,
                parent=lot.parent,
            )
            for lot in decision.opened
        ]
    )


def _moved(decision: Posting) -> tuple[LotMoved, ...]:
    return tuple(
        [
            LotMoved(
                lot=row.lot,
                movement=row.kind,
                unit=row.unit,
                amount=row.amount,
                cost_rial=row.cost_rial,
                issuer=row.issuer,
                claim_rial=row.claim_rial,
                fee_rial=row.fee_rial,
            )
            for row in decision.rows
        ]
    )


def _entries(decision: Posting) -> tuple[Entry, ...]:
    return tuple(
        [
            Entry(
                owner=leg.account.owner,
                role=leg.account.role,
                counterparty=leg.account.counterparty,
                unit=leg.account.unit,
                amount=leg.amount,
            )
            for leg in decision.legs
        ]
    )


def _line(
    kind: Kind, said: Effects, moved: dict[tuple[Movement, Unit], int], balance: Balance
) -> tuple[str, str]:
    if said.reasons:
        return said.reasons[0].fa, said.reasons[0].en
    told = lines.LineDetails(
        said.discount_rial, said.debt_rial, said.pending_until, said.status is Status.UNDER_REVIEW
    )
    return lines.of_transaction(kind, moved, balance, told)
