"""What the calls of every room use: one transport, typed answers, pieces of lists."""

from typing import Final, Self, TypeVar

import msgspec

from peyvand import errors, transport
from peyvand.administration import Document, Page

LIMIT: Final = 200
T = TypeVar("T")


class Calls:
    """A connection to the platform under one key; the calls of a room are a subclass."""

    def __init__(
        self, base_url: str, key: str, *, options: transport.Options | None = None
    ) -> None:
        self.transport = transport.Transport(base_url, key, options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()

    async def get(self, path: str) -> Document:
        """GET any path; raises the problem."""
        return await self.typed("GET", path, None, Document)

    async def put(self, path: str, body: object) -> Document:
        """PUT any path; raises the problem."""
        return await self.typed("PUT", path, body, Document)

    async def post(
        self, path: str, body: object, *, idempotency_key: str | None = None
    ) -> Document:
        """POST any path; only where a repeat is harmless or has a key, since it is retried."""
        return await self.typed("POST", path, body, Document, idempotency_key=idempotency_key)

    async def page(self, path: str) -> Page:
        """One piece of any list."""
        body = await self.get(path)
        return Page(items=body["items"], next=body.get("next"))

    async def raw(self, path: str, *, request_s: float | None = None) -> bytes:
        """The bytes of a file; raises the problem. request_s: where making it takes longer."""
        reply = await self.transport.request("GET", path, request_s=request_s)
        transport.raise_problem(f"GET {path}", reply)
        return reply.body

    async def text(self, path: str) -> str:
        """A file as text; raises the problem."""
        return (await self.raw(path)).decode()

    async def typed(
        self,
        method: str,
        path: str,
        body: object,
        kind: type[T],
        *,
        idempotency_key: str | None = None,
    ) -> T:
        """The answer of one request, read as kind.

        Raises the problem, or BadReply; ApprovalNeeded where a second person has to approve it.
        """
        raw = None if body is None else msgspec.json.encode(body)
        reply = await self.transport.request(method, path, raw, idempotency_key=idempotency_key)
        transport.raise_problem(f"{method} {path}", reply)
        transport.raise_proposal(f"{method} {path}", reply)
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except msgspec.MsgspecError as error:
            raise errors.BadReply(
                f"{method} {path}", status=reply.status, body=reply.body
            ) from error
