"""GET /openapi.json and /docs: the one document, and a page of our own that shows it."""

from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.openapi.usecases import DocumentCache

_PAGE: Final = (resources.files("gateway.openapi") / "docs.html").read_text("utf-8")
_POLICY: Final = "default-src 'self' 'unsafe-inline'; img-src 'self' data:"


def document(documents: DocumentCache, request: Request) -> Response:
    """The document as it was last put together, or 304 where the caller has it."""
    encoded, etag = documents.current()
    headers = {"etag": etag, "cache-control": "no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(encoded, headers=headers, media_type="application/json")


def page() -> Response:
    """The page; it asks no other host for anything."""
    return HTMLResponse(_PAGE, headers={"content-security-policy": _POLICY})
