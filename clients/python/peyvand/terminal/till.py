"""A till: what a cashier does, sent reliably."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from peyvand import client, errors, requests, road
from peyvand.models import (
    Answer,
    Answered,
    Identifier,
    Kind,
    Line,
    Original,
    Pending,
    Redeem,
    RefundLine,
    TillReference,
    Transaction,
    TransactionStatus,
    original_named,
)
from peyvand.terminal.journal import DROPPED, REVERSED, Journal, Written


def wall_clock() -> datetime:
    """The till's own clock, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """A request that was left over, and how it stands now.

    problem: it refuses it. settled: the journal needs to know no more of it; a request that may
    have arrived before it was refused is not, and waits for `reverse` or `drop`.
    """

    written: Written
    outcome: Answered | Pending | None
    problem: errors.Problem | None = None
    settled: bool = False


REVERSIBLE: Final = (Kind.PURCHASE, Kind.REDEMPTION, Kind.AUTHORISATION, Kind.CAPTURE, Kind.TOP_UP)


class Terminal:
    """One till: counter and requests live in its journal, written before anything is sent.

    A crash at any moment leaves the journal; `resend_unanswered` then sends the same bytes under
    the same names, so that nothing happens twice and nothing is lost. A Problem ends a request:
    nothing was posted, nothing will be, so the sale may be keyed again. OutcomeUnknown leaves it
    open: it may have been posted, and is sent again, reversed or dropped. now: the till's clock,
    which a sandbox's driver may hand in.
    """

    def __init__(
        self,
        client: client.Client,
        journal: Journal,
        *,
        terminal: int,
        epoch: int,
        now: Callable[[], datetime] = wall_clock,
    ) -> None:
        self.client = client
        self.journal = journal
        self.terminal = terminal
        self.epoch = epoch
        self._now = now
        self._unsent: set[TillReference] = set()

    async def purchase(
        self, identifier: Identifier, *, amount_rial: int, lines: Sequence[Line] = ()
    ) -> Answered | Pending:
        """Sell a basket to a member."""
        at = self._now()
        return await self._do(
            Kind.PURCHASE,
            lambda name: requests.purchase(
                name, identifier, amount_rial=amount_rial, occurred_at=at, lines=lines
            ),
        )

    async def redeem(
        self, identifier: Identifier, redeem: Redeem, *, amount_rial: int
    ) -> Answered | Pending:
        """Let a member pay part of a basket with points or credit."""
        at = self._now()
        return await self._do(
            Kind.REDEMPTION,
            lambda name: requests.redemption(
                name, identifier, redeem, amount_rial=amount_rial, occurred_at=at
            ),
        )

    async def authorise(
        self,
        identifier: Identifier,
        redeem: Redeem,
        *,
        amount_rial: int,
        hold_s: int | None = None,
    ) -> Answered | Pending:
        """Reserve a member's points or credit for a sale that comes later."""
        at = self._now()
        return await self._do(
            Kind.AUTHORISATION,
            lambda name: requests.authorisation(
                name, identifier, redeem, amount_rial=amount_rial, occurred_at=at, hold_s=hold_s
            ),
        )

    async def capture(
        self,
        original: Original,
        *,
        amount_rial: int,
        redeem: Redeem | None = None,
        lines: Sequence[Line] = (),
    ) -> Answered | Pending:
        """Sell what was authorised, once; redeem None: all that is reserved."""
        at = self._now()
        return await self._do(
            Kind.CAPTURE,
            lambda name: requests.capture(
                name, original, amount_rial=amount_rial, occurred_at=at, redeem=redeem, lines=lines
            ),
        )

    async def void(self, original: Original) -> Answered | Pending:
        """Free what an authorisation of any till of the shop reserved."""
        at = self._now()
        return await self._do(Kind.VOID, lambda name: requests.void(name, original, occurred_at=at))

    async def refund(
        self,
        original: Original,
        *,
        lines: Sequence[RefundLine] = (),
        amount_rial: int | None = None,
        identifier: Identifier | None = None,
    ) -> Answered | Pending:
        """Take goods back: these lines, an amount, or all that is left of the original."""
        at = self._now()
        return await self._do(
            Kind.REFUND,
            lambda name: requests.refund(
                name,
                original,
                occurred_at=at,
                lines=lines,
                amount_rial=amount_rial,
                identifier=identifier,
            ),
        )

    async def top_up(self, identifier: Identifier, *, amount_rial: int) -> Answered | Pending:
        """Take money for a member's wallet."""
        at = self._now()
        return await self._do(
            Kind.TOP_UP,
            lambda name: requests.top_up(name, identifier, amount_rial=amount_rial, occurred_at=at),
        )

    async def reverse(
        self, original: Original, *, identifier: Identifier | None = None
    ) -> Answered | Pending:
        """Undo a transaction, by its id, or by its name with the identifier that was presented.

        From here on a sale of this journal is sent no more; see reverse_written.
        """
        at = self._now()
        return await self._do(
            Kind.REVERSAL,
            lambda name: requests.reversal(name, original, occurred_at=at, identifier=identifier),
        )

    async def reverse_written(self, written: Written) -> Answered | Pending:
        """Undo a sale of this journal, even one that had no answer and whose id nobody knows.

        The wish stands in the journal before anything is sent: until the network has refused it,
        the sale is not sent again, and after a completed reversal never; whether it was posted or
        not, it counts for nothing. Asked twice while it is open, it is the same reversal. Raises
        ValueError for a request that is no sale and no authorisation.
        """
        if written.kind not in REVERSIBLE:
            raise ValueError(f"a {written.kind.value} cannot be reversed")
        standing = self.journal.being_reversed(written.name)
        if standing is not None:
            return await self.send(standing)
        sent = msgspec.json.decode(written.body, type=Transaction)
        original = original_named(written.name, sent.occurred_at)
        if written.answer is not None:
            original = Original(id=msgspec.json.decode(written.answer, type=Answer).id)
        return await self.reverse(original, identifier=sent.identifier)

    async def inquire(
        self, identifier: Identifier, *, amount_rial: int = 0, lines: Sequence[Line] = ()
    ) -> Answered | Pending:
        """Show a member's balance, and what this basket would earn, line by line."""
        at = self._now()
        return await self._do(
            Kind.INQUIRY,
            lambda name: requests.inquiry(
                name, identifier, amount_rial=amount_rial, occurred_at=at, lines=lines
            ),
        )

    async def status(self, transaction_id: str) -> TransactionStatus | None:
        """How a transaction of this till stands."""
        return await self.client.status(transaction_id)

    def prepare(self, kind: Kind, draft: Callable[[TillReference], Transaction]) -> Written:
        """Name a request and write it down, durably, without sending it."""
        written = self.journal.write(
            self.terminal, self.epoch, kind, lambda name: road.encode(draft(name))
        )
        self._unsent.add(written.name)
        return written

    async def send(
        self, written: Written, *, follow: road.Follow | None = None
    ) -> Answered | Pending:
        """Send what was written down, as often as you like: the first answer comes every time.

        A Problem means that nothing was posted under the name: the journal says so, and nothing
        sends it again but another call of this. A refusal of what may have been posted before
        raises OutcomeUnknown, and the request stays open. Raises ValueError, and sends nothing,
        for what is reversed or has a reversal under way: sent after it, it would hear how it once
        stood.
        """
        never_arrived = self._never_arrived(written)
        self._unsent.discard(written.name)
        try:
            outcome = await self.client.submit_bytes(
                written.body, inquiry=written.kind is Kind.INQUIRY, follow=follow
            )
        except errors.Problem as problem:
            settles = never_arrived or isinstance(problem, errors.NameReused)
            if not settles:
                raise road.doubt(problem, attempts=1) from problem
            self.journal.refused(written.name, problem.code)
            raise
        if isinstance(outcome, Answered):
            self.journal.answered(written.name, outcome.body, reverses=written.reverses)
        return outcome

    def _never_arrived(self, written: Written) -> bool:
        """Whether it is certain that the network has taken no earlier sending of it.

        Raises ValueError for what may not be sent any more.
        """
        known = self.journal.find(written.name) if written.name not in self._unsent else None
        if known is not None and known.refusal == REVERSED:
            raise ValueError(f"{_text(written)} is reversed: it is not sent again")
        if self.journal.being_reversed(written.name) is not None:
            raise ValueError(
                f"{_text(written)} is being reversed: resend_unanswered settles the reversal first"
            )
        if written.name in self._unsent:
            return True
        return known is not None and known.refusal not in (None, DROPPED, REVERSED)

    def unanswered(self) -> list[Written]:
        """What was written down and is neither answered nor refused, oldest first."""
        return self.journal.unanswered(self.terminal, self.epoch)

    async def resend_unanswered(self) -> list[Resent]:
        """Send everything that is open again, oldest first; for a till that starts.

        A sale that is to be reversed is not sent, its reversal is; only where the network refuses
        the reversal is the sale sent after it. Raises OutcomeUnknown at the first without an
        answer: the network is out of reach.
        """
        done: dict[TillReference, Resent] = {}
        while left := [one for one in self.unanswered() if self._may_go(one, done)]:
            for written in left:
                done[written.name] = await self._resend(written)
        return [*done.values()]

    def _may_go(self, written: Written, done: Mapping[TillReference, Resent]) -> bool:
        return written.name not in done and self.journal.being_reversed(written.name) is None

    async def _resend(self, written: Written) -> Resent:
        try:
            outcome = await self.send(written)
        except errors.Problem as problem:
            return Resent(written=written, outcome=None, problem=problem, settled=True)
        except errors.OutcomeUnknown as unknown:
            if unknown.problem is None:
                raise
            return Resent(written=written, outcome=None, problem=unknown.problem)
        return Resent(written=written, outcome=outcome, settled=isinstance(outcome, Answered))

    def drop(self, written: Written) -> None:
        """Give up an open request: it is never sent again, whatever became of it.

        For one that the network refuses though it may have been posted before, and that cannot be
        reversed either. A reversal is given up together with its sale, where that is open: sent
        again, the sale would hear its first answer, though its reversal may stand.
        """
        self.journal.drop(written)

    async def _do(
        self, kind: Kind, draft: Callable[[TillReference], Transaction]
    ) -> Answered | Pending:
        return await self.send(self.prepare(kind, draft))


def _text(written: Written) -> str:
    return ".".join(map(str, written.name))
