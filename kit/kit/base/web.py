"""The HTTP edge of every room: problem+json, limits of bodies; pure ASGI."""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit.base import auth, bodies, errors, telemetry

log = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 65_536
Readiness = Mapping[str, Callable[[], bool]]

_SUSPECT: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\x00")
FIELDS_MAX: Final = 20  # faults that an answer lists: its length is not the caller's to choose
FIELD_LENGTH_MAX: Final = 100
_JSON_KINDS: Final = (b"", b"application/json")
_BY_STATUS: Final[dict[int, type[errors.Problem]]] = {
    400: errors.Malformed,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.NotAllowed,
    409: errors.Conflict,
    413: errors.TooLarge,
    422: errors.Invalid,
    429: errors.TooMany,
    503: errors.Unavailable,
}


def app(
    title: str,
    version: str = "1",
    *,
    routes: Sequence[APIRouter | BaseRoute] = (),
    readiness: Readiness | None = None,
    signed: auth.Signing | None = None,
    body_bytes_max: Mapping[str, int] | None = None,
) -> FastAPI:
    """A FastAPI application with the furniture every room has.

    routes: FastAPI routers, and plain Starlette routes for the till's path. readiness: name to
    check; ready when all hold; app.state.readiness may grow later (kit.run adds "draining").
    signed: only callers that the gateway vouches for come in; None: the application knows its
    callers itself.
    body_bytes_max: path prefix to limit, where 64 KiB is not right; its route checks such a body.
    Where there are FastAPI routers every other JSON body is read strictly before them; plain
    routes read theirs themselves. Health, metrics and the whole document are on the inner port
    (kit.server.management); here /openapi.json is for the gateway alone.
    """
    application = FastAPI(
        title=title, version=version, openapi_url=None, docs_url=None, redoc_url=None,
        redirect_slashes=False,  # it would answer with a service's own address
    )  # fmt: skip
    application.state.room = "" if signed is None else signed.room
    application.state.readiness = dict(readiness or {})
    for route in routes:
        if isinstance(route, APIRouter):
            application.include_router(route)
        else:
            application.router.routes.append(route)
    application.add_api_route("/openapi.json", _document, include_in_schema=False)
    application.add_exception_handler(errors.Problem, _on_problem)
    application.add_exception_handler(RequestValidationError, _on_validation)
    application.add_exception_handler(HTTPException, _on_http)
    strict = any(isinstance(route, APIRouter) for route in routes)
    application.add_middleware(RequestGate, body_bytes_max=body_bytes_max or {}, strict=strict)
    if signed is not None:  # outermost: a stranger's body is not read
        application.add_middleware(auth.Signed, signing=signed, refuse=problem)
    return application


def problem(error: errors.Problem, instance: str = "") -> Response:
    """Render an error as problem+json (RFC 9457), Persian beside English."""
    body = {
        "type": f"urn:peyvand:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "fa": error.fa,
        "detail": error.public_detail,
        "instance": instance,
        **error.extra,
    }
    headers = {"retry-after": str(error.retry_after_s)} if error.status in (429, 503) else {}
    if error.closes:
        headers["connection"] = "close"
    return Response(
        msgspec.json.encode(body), error.status, headers, media_type="application/problem+json"
    )


class RequestGate:
    """Limits and checks every body before anyone reads it; times every request; answers errors.

    body_bytes_max None: the application reads the body itself (read_body), knowing the caller.
    """

    def __init__(
        self, app: ASGIApp, body_bytes_max: Mapping[str, int] | None, *, strict: bool = False
    ) -> None:
        self._app = app
        self._reads = body_bytes_max is not None
        self._limits = tuple((body_bytes_max or {}).items())
        self._strict = strict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status, answered = 500, False

        async def sending(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], True
            await send(message)

        try:
            _refuse_unstorable(scope)
            if self._reads and scope["method"] in ("POST", "PUT", "PATCH"):
                receive = _once(await self._body(scope, receive), receive)
            await self._app(scope, receive, sending)
        except errors.Problem as error:
            await problem(error, scope["path"])(scope, receive, sending)
        except ClientGone:
            return  # nobody waits for an answer
        except Exception as error:
            if answered:
                raise  # the connection is cut: what was sent is not whole
            await unforeseen(error, scope["path"])(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "") or scope.get("route_path", "unmatched")
            took = time.perf_counter() - started
            telemetry.observe(telemetry.Metric.HTTP_SECONDS, took, route, str(status))

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        path: str = scope["path"]
        limit = next((n for prefix, n in self._limits if path.startswith(prefix)), BODY_BYTES_MAX)
        body = await read_whole(scope, receive, limit)
        if limit == BODY_BYTES_MAX and self._strict and body and _is_json(scope):
            bodies.read(body)
        else:
            _check(scope, body, limit)
        return body


class ClientGone(Exception):
    """The caller left, or was too slow, before the body was whole: nothing is done with a part."""


async def read_body(scope: Scope, receive: Receive, limit: int = BODY_BYTES_MAX) -> bytes:
    """The whole body of a request, checked. Raises TooLarge, Malformed, ClientGone."""
    body = await read_whole(scope, receive, limit)
    _check(scope, body, limit)
    return body


def _check(scope: Scope, body: bytes, limit: int) -> None:
    """Read strictly what may hold unstorable text; a route with its own limit checks itself."""
    if limit == BODY_BYTES_MAX and _SUSPECT.search(body) is not None and _is_json(scope):
        bodies.read(body)


async def read_whole(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body of a request, for somebody else to check. Raises TooLarge, ClientGone."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise _too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        return await _gathered(body, receive, limit)
    if message["type"] == "http.disconnect":
        raise ClientGone
    if len(body) > limit:
        raise _too_large(limit)
    return body


async def _gathered(first: bytes, receive: Receive, limit: int) -> bytes:
    gathered, more = bytearray(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        gathered += message.get("body", b"")
        more = message.get("more_body", False)
        if len(gathered) > limit:
            raise _too_large(limit)
    return bytes(gathered)


def unforeseen(error: BaseException, instance: str = "") -> Response:
    """The answer to an error of our own code: it shows no detail, and the connection is closed.

    Closing keeps any further request off that connection (findings S18). The error is logged once
    a minute for each place, then counted (kit.base.logs).
    """
    log.error("unforeseen error", exc_info=error)
    answer = problem(errors.Problem("unforeseen error; send the same again"), instance)
    answer.headers["connection"] = "close"
    return answer


def _too_large(limit: int) -> errors.TooLarge:
    return errors.TooLarge(f"send at most {limit} bytes; split what is longer")


def _once(body: bytes, receive: Receive) -> Receive:
    delivered = False

    async def receiving() -> Message:
        nonlocal delivered
        if delivered:
            return await receive()
        delivered = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


def _refuse_unstorable(scope: Scope) -> None:
    """Refuse U+0000, and bytes that are no UTF-8, in an address or its query (findings S17)."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    sent: bytes = path + b"?" + scope["query_string"]
    if b"%" not in sent and b"\x00" not in sent and sent.isascii():
        return
    try:
        text = unquote_to_bytes(sent).decode()
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        raise errors.Malformed(
            "the address holds U+0000 or bytes that are no UTF-8; send whole Unicode characters",
            code="unstorable-text",
            fa="نشانی نویسه‌ای دارد که نگه‌داشتنی نیست؛ نویسه‌های کامل یونیکد بفرستید.",
        )


def _is_json(scope: Scope) -> bool:
    """Whether a body is, or may be taken for, one value of JSON."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    plain = kind.split(b";")[0].strip().lower()
    return plain in _JSON_KINDS or plain.endswith(b"+json")


async def _document(request: Request) -> Response:
    auth.require(request, auth.SERVICE)
    return Response(msgspec.json.encode(request.app.openapi()), media_type="application/json")


async def _on_problem(request: Request, error: Exception) -> Response:
    if isinstance(error, errors.Problem):
        return problem(error, request.url.path)
    return unforeseen(error, request.url.path)


async def _on_validation(request: Request, error: Exception) -> Response:
    faults: list[Any] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    if any(e["type"] == "json_invalid" for e in faults):
        return problem(bodies.malformed("send one object"), request.url.path)
    fields = [
        {"field": ".".join(map(str, e["loc"][1:]))[:FIELD_LENGTH_MAX], "error": e["msg"]}
        for e in faults[:FIELDS_MAX]
    ]
    text = "; ".join(f"{f['field']}: {f['error']}" for f in fields)
    if len(faults) > FIELDS_MAX:
        text += f"; and {len(faults) - FIELDS_MAX} more"
    return problem(errors.Invalid(f"correct these fields: {text}", fields=fields), request.url.path)


async def _on_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    kind = _BY_STATUS.get(status)
    if kind is not None:
        advice = f"{detail}; compare address and method with the documentation"
        return problem(kind(advice), request.url.path)
    other = errors.Problem(detail, code="http", fa=errors.Malformed.fa)
    other.status, other.title = status, detail
    return problem(other, request.url.path)
