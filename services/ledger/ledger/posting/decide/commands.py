"""Every command in partition order: known names are answered, new ones decided and booked."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final

from msgspec import Struct

from contracts.ledger import PostTransaction
from contracts.value import ReceiveValue
from contracts.values import Status, public_id
from ledger.book.commands import Command
from ledger.book.facts import PriorPosting
from ledger.posting.decide import answers, rules, transfer
from ledger.posting.decide.batch_state import BatchState, Posting
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, refuse
from ledger.posting.domain import texts

_POSTED: Final = (Status.COMPLETED, Status.UNDER_REVIEW)


class Disposition(Enum):
    """What became of one command of the batch."""

    POSTED = "posted"  # decided now
    REPEATED = "repeated"  # the first answer again
    CONFLICTING = "conflicting"  # the name was used with another payload: 422
    UNKNOWN_REPLAY = (
        "unknown-replay"  # an archived record whose name is unknown: alarm, nothing posted
    )


class Result(Struct, frozen=True):
    """verdict, the answer's bytes (empty where there is none), the decision where it was made."""

    verdict: Disposition
    answer: bytes
    decision: Posting | None = None


def decide(book: BatchState, commands: Sequence[Command]) -> list[Result]:
    """Decide commands in order, each on the effects of those before it; the book state moves on.

    The name is looked up before the body is read (architecture 2).
    """
    return [decide_one(book, command) for command in commands]


def decide_one(book: BatchState, command: Command) -> Result:
    """Decide one command, on the effects of all before it."""
    known = book.known.get((command.shard, command.name))
    if known is not None:
        stored, sent = known.fingerprint, command.fingerprint
        if stored is None or sent is None or stored == sent:
            return Result(Disposition.REPEATED, known.answer)
        return Result(Disposition.CONFLICTING, b"")
    if command.facts.replayed:
        return Result(Disposition.UNKNOWN_REPLAY, b"")
    decision = _book_one(book, command)
    book.apply(decision)
    return Result(Disposition.POSTED, decision.answer, decision)


def declined(results: Iterable[tuple[Any, Command, Result]]) -> Iterator[tuple[str, str]]:
    """(public id, code) of transactions that were to be posted and were declined here."""
    for _, command, result in results:
        decision = result.decision
        if decision is None or decision.status in _POSTED:
            continue
        if type(command.body) is PostTransaction and not command.body.decline:
            yield public_id(command.shard, command.name), decision.code


def owner_of(book: BatchState, command: Command) -> tuple[int, int]:
    """Shard and account of a command, as far as the state knows its original."""
    original = book.originals.get((command.shard, command.facts.original))
    return command.shard, account_of(command, original)


def account_of(command: Command, original: PriorPosting | None) -> int:
    """The account of a command: the one it names, else its original's.

    0 where the till presented somebody whose account is on another shard: that person learns
    nothing about the original's account.
    """
    if command.facts.shown:
        return 0
    return command.facts.account or (original.account if original is not None else 0)


def _book_one(book: BatchState, command: Command) -> Posting:
    state = book.shard(command.shard)
    now = state.decided_at
    if command.accepted_at is not None and not command.ahead:
        now = max(now, command.accepted_at)
    target = command.facts.original
    original = book.original(command.shard, target) if target else None
    owner = account_of(command, original)
    member = book.member(command.shard, owner)
    sequence = state.last_sequence + 1
    draft = AccountDraft(
        command, owner, member, sequence=sequence, now=now, registry=state.registry
    )
    if draft.holds:
        draft.settle_due()
    if command.ahead:
        effects = refuse(texts.reason("clock-ahead"))
    else:
        effects = rules.apply_rule(draft, command.body, original)
    if effects.status not in (Status.COMPLETED, Status.UNDER_REVIEW):
        draft = AccountDraft(
            command, owner, member, sequence=sequence, now=now, registry=state.registry
        )
        if type(command.body) is ReceiveValue:  # what is in transit goes back
            draft.sends.append(transfer.return_of(command.body, effects.code))
    return _decision(draft, command, effects, now=now)


def _decision(draft: AccountDraft, command: Command, effects: Effects, *, now: datetime) -> Posting:
    balance = draft.balance()
    answer = answers.answer(draft, effects, balance)
    marked = None
    if effects.marks:
        marked = (effects.marks, answers.marked_answer(command, effects.marks, now=now))
    return Posting(
        command, draft.sequence, now, effects.status, effects.code, answer,
        tuple(draft.legs), tuple(draft.rows),
        tuple([draft.lots[number] for number in draft.opened]),
        tuple([draft.lots[number] for number in draft.changed]),
        draft.debts if draft.legs or draft.changed else None,
        draft.owner, effects.progress, marked, draft.merchant, draft.acceptor, effects, balance,
        tuple(draft.hold_rows), draft.dates() if draft.dated else (),
        draft.holds if draft.hold_rows else None, tuple(draft.sends), draft.change,
    )  # fmt: skip
