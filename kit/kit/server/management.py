"""The inner door of every process: health, metrics and the document for those who run the platform.

It listens on a port of its own, which no caller reaches, so that nobody outside can make a process
render its metrics (findings S13), and operators do not wait behind callers.
"""

import asyncio
from typing import Any, Final

import msgspec
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kit.base import telemetry

_TEXT: Final = "text/plain; version=0.0.4"


class Management:
    """What the inner door shows of the application that serves the callers."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._rendering: asyncio.Future[bytes] | None = None

    def asgi(self) -> Starlette:
        """The application of the inner port."""
        return Starlette(
            routes=[
                Route("/health/live", self.live, methods=["GET"]),
                Route("/health/ready", self.ready, methods=["GET"]),
                Route("/metrics", self.metrics, methods=["GET"]),
                Route("/openapi.json", self.document, methods=["GET"]),
            ]
        )

    async def live(self, request: Request) -> Response:
        """The process runs and its loop turns."""
        del request
        return Response(b'{"status":"live"}', media_type="application/json")

    async def ready(self, request: Request) -> Response:
        """Whether it may take traffic, and which check says no."""
        del request
        checks = {name: check() for name, check in self._app.state.readiness.items()}
        ready = all(checks.values())
        body = {"status": "ready" if ready else "not ready", "checks": checks}
        return Response(
            msgspec.json.encode(body), 200 if ready else 503, media_type="application/json"
        )

    async def metrics(self, request: Request) -> Response:
        """All series. Rendered beside the loop, once for all who ask meanwhile."""
        del request
        if self._rendering is None or self._rendering.done():
            self._rendering = asyncio.ensure_future(
                asyncio.to_thread(generate_latest, telemetry.REGISTRY)
            )
        return Response(await asyncio.shield(self._rendering), media_type=_TEXT)

    async def document(self, request: Request) -> Response:
        """The OpenAPI document of what is served, insiders' addresses too."""
        del request
        openapi = getattr(self._app, "openapi", None)
        if openapi is None:
            return Response(b"", 404)
        return Response(msgspec.json.encode(openapi()), media_type="application/json")
