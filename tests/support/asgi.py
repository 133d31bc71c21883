"""Requests to an application in this process, with their target as it came on the wire."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec


@dataclass(frozen=True, slots=True)
class Answer:
    """What an application answered; the names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """The code of a problem; empty where it is none."""
        is_problem = self.headers.get("content-type") == "application/problem+json"
        return str(self.json()["code"]) if is_problem else ""


async def call(
    app: Any,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    *,
    address: str = "192.0.2.1",
) -> Answer:
    """One request; nothing of its target is normalised, which an HTTP client would do."""
    path, _, query = target.partition("?")
    framing = {"content-length": str(len(body))} if body else {}
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in {**headers, **framing}.items()
        ],
        "client": (address, 1),
        "server": ("edge", 80),
        "state": {},
    }
    begun: dict[str, Any] = {}
    pieces: list[bytes] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            begun.update(message)
        else:
            pieces.append(message.get("body", b""))

    await app(scope, receive, send)
    named = {k.decode().lower(): v.decode("latin-1") for k, v in begun["headers"]}
    return Answer(begun["status"], named, b"".join(pieces))
