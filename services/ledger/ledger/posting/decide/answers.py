"""A posting as messages: the till's answer, and the outcome for the rest of the platform."""

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
_TILL_BODIES = frozenset({PostTransaction, RefuseTransaction})  # a till waits for these
_TILL_COMMANDS = frozenset(
    {"post-transaction.v1", "refuse-transaction.v1"}
)  # others can be refused as well


def answer(draft: AccountDraft, effects: Effects, balance: Balance) -> bytes:
    """The bytes that a till gets as the answer to this name, now and for ever.

    Null where no till sent the command. A record that could not be read gets a refusal, since a
    till may wait for it.
    """
    command, body = draft.command, draft.command.body
    if body is None:
        return _refusal_answer(
            command, command.name, effects.status, effects.reasons[0], now=draft.now
        )
    if not _is_from_till(command):
        return NO_ANSWER
    moved = movements.of(draft)
    fa, en = _line(body, effects, moved, balance)
    content = Answer(
        id=public_id(command.shard, command.name),
        kind=body.kind,
        status=effects.status,
        occurred_at=command.occurred_at,
        accepted_at=command.accepted_at or draft.now,
        code=effects.code,
        reasons=effects.reasons,
        points_earned=effects.points_earned,
        points_pending=effects.points_pending,
        pending_until=effects.pending_until,
        points_redeemed=effects.points_redeemed,
        credit_redeemed_rial=effects.credit_redeemed_rial,
        discount_rial=effects.discount_rial,
        own_discount_rial=effects.own_discount_rial,
        payable_rial=effects.payable_rial,
        points_clawed_back=effects.points_clawed_back,
        points_restored=effects.points_restored,
        credit_restored_rial=effects.credit_restored_rial,
        debt_points=effects.debt_points,
        gift_redeemed_rial=effects.gift_redeemed_rial,
        gift_restored_rial=effects.gift_restored_rial,
        merchant_points_restored=effects.merchant_points_restored,
        debt_rial=effects.debt_rial,
        moved=tuple([Moved(movement=m, unit=u, amount=n) for (m, u), n in moved.items()]),
        lines=effects.lines,
        balance=balance if draft.owner else None,
        original=command.facts.original,
        due_at=_due_at(body, effects),
        fa=fa,
        en=en,
    )
    return _ENCODER.encode(content)


def _due_at(body: PostTransaction | RefuseTransaction, effects: Effects) -> datetime | None:
    """Until when an authorisation reserves its value, where it does."""
    if type(body) is PostTransaction and effects.status is Status.COMPLETED:
        return body.due_at
    return None


def _is_from_till(command: Command) -> bool:
    return type(command.body) in _TILL_BODIES and command.type in _TILL_COMMANDS


def marked_answer(command: Command, name: str, *, now: datetime) -> bytes:
    """The answer for the original of a reversal that came first, should it ever arrive.

    Its kind is not known yet.
    """
    return _refusal_answer(
        command, name, Status.DECLINED, texts.reason("reversed-before-arrival"), now=now
    )


def _refusal_answer(
    command: Command, name: str, status: Status, reason: Reason, *, now: datetime
) -> bytes:
    content = Answer(
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
    return _ENCODER.encode(content)


def outcomes(decision: Posting) -> tuple[Outcome, ...]:
    """The outcomes of a posting, in order.

    The first is of its own command. A reversal whose original never came has a second one, of that
    original.
    """
    own = _outcome(decision)
    if decision.marked is None:
        return (own,)
    return own, _marked_outcome(own, *decision.marked)


def _outcome(decision: Posting) -> Outcome:
    """The outcome of a command, refused ones too: lots, moves and entries of its number."""
    command, effects, balance = decision.command, decision.effects, decision.balance
    body, facts = command.body, command.facts
    posting: PostTransaction | None = body if type(body) is PostTransaction else None
    channel = posting.channel if posting is not None else None
    amount = effects.amount_rial
    if amount is None:
        amount = posting.amount_rial if posting is not None else 0
    return Outcome(
        sequence=decision.sequence,
        name=command.name,
        command=command.type,
        status=effects.status,
        decided_at=decision.decided_at,
        kind=body.kind if _is_from_till(command) else None,  # a body of terms has a kind as well
        channel=channel,
        code=effects.code,
        reasons=effects.reasons if decision.answer == NO_ANSWER else (),
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
        fully_refunded=effects.progress is not None and effects.progress[1].full,
        silent=channel is Channel.HISTORY or facts.replayed,
        balance_points=balance.points,
        balance_credit_rial=balance.credit_rial,
        lots=_issued(decision),
        moves=_moved(decision),
        entries=_entries(decision),
        answer=Raw(decision.answer),
    )


def _marked_outcome(own: Outcome, name: str, answer: bytes) -> Outcome:
    """The second outcome of a reversal that came first, under its original's name."""
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
        answer=Raw(answer),
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
    body: PostTransaction | RefuseTransaction,
    effects: Effects,
    moved: dict[tuple[Movement, Unit], int],
    balance: Balance,
) -> tuple[str, str]:
    if effects.reasons:
        return effects.reasons[0].fa, effects.reasons[0].en
    details = lines.LineDetails(
        effects.discount_rial,
        effects.debt_rial,
        effects.pending_until,
        effects.status is Status.UNDER_REVIEW,
        _due_at(body, effects),
    )
    return lines.of_transaction(body.kind, moved, balance, details)
