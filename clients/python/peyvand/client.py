"""The client of terminals: transactions under a terminal's key."""

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from peyvand import requests, road, transport
from peyvand.models import (
    Answered,
    Identifier,
    Kind,
    Line,
    OrderReference,
    Original,
    Pending,
    Redeem,
    RefundLine,
    TillReference,
    Transaction,
    TransactionStatus,
)


class Client:
    """Sends transactions as one terminal. Use as `async with Client(url, key) as client`.

    Every method may be called again with the same name and arguments: what was answered once is
    answered again, byte for byte. Raises the problems and OutcomeUnknown of `peyvand.errors`.
    follow says what happens after a 202; `road.NOT` returns Waiting at once.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        options: transport.Options | None = None,
        follow: road.Follow | None = None,
    ) -> None:
        self.transport = transport.Transport(base_url, key, options)
        self._follow = follow or road.Follow()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()

    async def purchase(
        self,
        name: TillReference | OrderReference,
        identifier: Identifier,
        *,
        amount_rial: int,
        occurred_at: datetime,
        lines: Sequence[Line] = (),
    ) -> Answered | Pending:
        """Sell: the member earns. lines, where given, sum to amount_rial."""
        return await self.submit(
            requests.purchase(
                name,
                identifier,
                amount_rial=amount_rial,
                occurred_at=occurred_at,
                lines=lines,
            )
        )

    async def redeem(
        self,
        name: TillReference | OrderReference,
        identifier: Identifier,
        redeem: Redeem,
        *,
        amount_rial: int,
        occurred_at: datetime,
    ) -> Answered | Pending:
        """Spend points or credit on a basket of amount_rial, in one step."""
        return await self.submit(
            requests.redemption(
                name, identifier, redeem, amount_rial=amount_rial, occurred_at=occurred_at
            )
        )

    async def authorise(
        self,
        name: TillReference | OrderReference,
        identifier: Identifier,
        redeem: Redeem,
        *,
        amount_rial: int,
        occurred_at: datetime,
        hold_s: int | None = None,
    ) -> Answered | Pending:
        """Reserve points or credit for a sale; `due_at` of the answer says until when."""
        return await self.submit(
            requests.authorisation(
                name,
                identifier,
                redeem,
                amount_rial=amount_rial,
                occurred_at=occurred_at,
                hold_s=hold_s,
            )
        )

    async def capture(
        self,
        name: TillReference | OrderReference,
        original: Original,
        *,
        amount_rial: int,
        occurred_at: datetime,
        redeem: Redeem | None = None,
        lines: Sequence[Line] = (),
    ) -> Answered | Pending:
        """Sell what was authorised, once: all that is reserved, or the part that redeem says."""
        return await self.submit(
            requests.capture(
                name,
                original,
                amount_rial=amount_rial,
                occurred_at=occurred_at,
                redeem=redeem,
                lines=lines,
            )
        )

    async def void(
        self, name: TillReference | OrderReference, original: Original, *, occurred_at: datetime
    ) -> Answered | Pending:
        """Free what an authorisation reserved; free already, it is no error."""
        return await self.submit(requests.void(name, original, occurred_at=occurred_at))

    async def refund(
        self,
        name: TillReference | OrderReference,
        original: Original,
        *,
        occurred_at: datetime,
        lines: Sequence[RefundLine] = (),
        amount_rial: int | None = None,
        identifier: Identifier | None = None,
    ) -> Answered | Pending:
        """Take back an original: by line, by amount, or, with neither, all that is left of it."""
        return await self.submit(
            requests.refund(
                name,
                original,
                occurred_at=occurred_at,
                lines=lines,
                amount_rial=amount_rial,
                identifier=identifier,
            )
        )

    async def top_up(
        self,
        name: TillReference | OrderReference,
        identifier: Identifier,
        *,
        amount_rial: int,
        occurred_at: datetime,
    ) -> Answered | Pending:
        """Take money for a member's wallet, where the merchant's programme offers it."""
        return await self.submit(
            requests.top_up(name, identifier, amount_rial=amount_rial, occurred_at=occurred_at)
        )

    async def reverse(
        self,
        name: TillReference | OrderReference,
        original: Original,
        *,
        occurred_at: datetime,
        identifier: Identifier | None = None,
    ) -> Answered | Pending:
        """Undo an original whose answer the till never used, even one that never arrived."""
        return await self.submit(
            requests.reversal(name, original, occurred_at=occurred_at, identifier=identifier)
        )

    async def inquire(
        self,
        name: TillReference | OrderReference,
        identifier: Identifier,
        *,
        amount_rial: int,
        occurred_at: datetime,
        lines: Sequence[Line] = (),
    ) -> Answered | Pending:
        """Balance and preview for a basket; nothing is stored. The answer is a Preview."""
        return await self.submit(
            requests.inquiry(
                name, identifier, amount_rial=amount_rial, occurred_at=occurred_at, lines=lines
            )
        )

    async def status(self, transaction_id: str) -> TransactionStatus | None:
        """A transaction's first answer and present state; None while it is not yet known."""
        return await road.status(self.transport, transaction_id)

    async def submit(
        self, request: Transaction, *, follow: road.Follow | None = None
    ) -> Answered | Pending:
        """Send a transaction of any kind and follow a 202."""
        inquiry = request.kind is Kind.INQUIRY
        return await self.submit_bytes(road.encode(request), inquiry=inquiry, follow=follow)

    async def submit_bytes(
        self, body: bytes, *, inquiry: bool = False, follow: road.Follow | None = None
    ) -> Answered | Pending:
        """Send a body that was encoded before, e.g. one that a till wrote down, and follow."""
        return await road.complete(
            self.transport,
            road.TRANSACTIONS,
            body,
            inquiry=inquiry,
            follow=follow or self._follow,
        )
