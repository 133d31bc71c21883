"""A till: what a cashier does, sent reliably."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from peyvand import client, drafts, errors, road
from peyvand.terminal.journal import Journal, Written
from peyvand.words import (
    Answered,
    Identifier,
    Kind,
    Line,
    Name,
    Original,
    Redeem,
    RefundLine,
    Transaction,
    TransactionStatus,
    Waiting,
)


def wall_clock() -> datetime:
    """The till's own clock, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """A request that was left over, and what the house says now. problem: it refuses it."""

    written: Written
    heard: Answered | Waiting | None
    problem: errors.Problem | None = None


class Terminal:
    """One till: counter and requests live in its journal, written before anything is sent.

    A crash at any moment leaves the journal; `resend_unanswered` then sends the same bytes under
    the same names, so that nothing happens twice and nothing is lost. now: the till's clock, which
    a sandbox's driver may hand in.
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

    async def purchase(
        self, identifier: Identifier, *, amount_rial: int, lines: Sequence[Line] = ()
    ) -> Answered | Waiting:
        """Sell a basket to a member."""
        at = self._now()
        return await self._do(
            Kind.PURCHASE,
            lambda name: drafts.purchase(
                name, identifier, amount_rial=amount_rial, occurred_at=at, lines=lines
            ),
        )

    async def redeem(
        self, identifier: Identifier, redeem: Redeem, *, amount_rial: int
    ) -> Answered | Waiting:
        """Let a member pay part of a basket with points or credit."""
        at = self._now()
        return await self._do(
            Kind.REDEMPTION,
            lambda name: drafts.redemption(
                name, identifier, redeem, amount_rial=amount_rial, occurred_at=at
            ),
        )

    async def refund(
        self,
        original: Original,
        *,
        lines: Sequence[RefundLine] = (),
        amount_rial: int | None = None,
        identifier: Identifier | None = None,
    ) -> Answered | Waiting:
        """Take goods back: these lines, an amount, or all that is left of the original."""
        at = self._now()
        return await self._do(
            Kind.REFUND,
            lambda name: drafts.refund(
                name,
                original,
                occurred_at=at,
                lines=lines,
                amount_rial=amount_rial,
                identifier=identifier,
            ),
        )

    async def reverse(
        self, original: Original, *, identifier: Identifier | None = None
    ) -> Answered | Waiting:
        """Undo a transaction that this till gave up on."""
        at = self._now()
        return await self._do(
            Kind.REVERSAL,
            lambda name: drafts.reversal(name, original, occurred_at=at, identifier=identifier),
        )

    async def inquire(self, identifier: Identifier, *, amount_rial: int = 0) -> Answered | Waiting:
        """Show a member's balance, and what this basket would earn."""
        at = self._now()
        return await self._do(
            Kind.INQUIRY,
            lambda name: drafts.inquiry(name, identifier, amount_rial=amount_rial, occurred_at=at),
        )

    async def status(self, transaction_id: str) -> TransactionStatus | None:
        """How a transaction of this till stands."""
        return await self.client.status(transaction_id)

    def prepare(self, kind: Kind, draft: Callable[[Name], Transaction]) -> Written:
        """Name a request and write it down, durably, without sending it."""
        return self.journal.write(
            self.terminal, self.epoch, kind, lambda name: road.encode(draft(name))
        )

    async def send(
        self, written: Written, *, follow: road.Follow | None = None
    ) -> Answered | Waiting:
        """Send what was written down, as often as you like: the first answer comes every time.

        A problem (a refusal before the road) leaves it in the journal as unanswered: it is no
        answer, and the same name may be sent again once its cause is mended.
        """
        heard = await self.client.submit_bytes(
            written.body, inquiry=written.kind is Kind.INQUIRY, follow=follow
        )
        if isinstance(heard, Answered):
            self.journal.answered(written.name, heard.body)
        return heard

    def unanswered(self) -> list[Written]:
        """What was written down and has no answer yet, oldest first."""
        return self.journal.unanswered(self.terminal, self.epoch)

    async def resend_unanswered(self) -> list[Resent]:
        """Send everything without an answer again, oldest first; for a till that starts.

        Raises OutcomeUnknown at the first that gets no answer: the house is out of reach.
        """
        done: list[Resent] = []
        for written in self.unanswered():
            try:
                heard = await self.send(written)
                done.append(Resent(written=written, heard=heard))
            except errors.Problem as problem:
                done.append(Resent(written=written, heard=None, problem=problem))
        return done

    def drop(self, written: Written) -> None:
        """Give up a request that the house refuses before the road (nothing was posted)."""
        self.journal.answered(written.name, b"")

    async def _do(self, kind: Kind, draft: Callable[[Name], Transaction]) -> Answered | Waiting:
        return await self.send(self.prepare(kind, draft))
