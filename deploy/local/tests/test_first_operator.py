"""The first operator is invited once, over the public API; a gateway stands in for the real one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from cluster import credentials, first_operator, plan
from cluster.readiness import NotReady

TOKEN = "pvi_" + "x" * 43


class Gateway(BaseHTTPRequestHandler):
    """Answers as identity does, and remembers what was asked of it."""

    users: list[str]
    seen: list[tuple[str, str, str | None, Any]]
    status = 201

    def do_GET(self) -> None:
        """The list of users."""
        self._answer({"items": self.users, "next": None})

    def do_PUT(self) -> None:
        """A user, or an invitation."""
        self._answer({"token": TOKEN, "detail": "not now"})

    def _answer(self, body: Any) -> None:
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        key = self.headers.get("authorization")
        self.seen.append((self.command, self.path, key, json.loads(sent) if sent else None))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@contextmanager
def gateway(folder: Path, *, users: list[str], status: int = 201) -> Iterator[Any]:
    """A cluster whose gateway is this one, and what that has seen."""
    seen: list[tuple[str, str, str | None, Any]] = []
    handler = type("Answering", (Gateway,), {"users": users, "seen": seen, "status": status})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        ports = {name: server.server_port for name in plan.LISTENERS}
        (folder / "ports.json").write_text(json.dumps(ports))
        yield plan.cluster_of(folder), seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_where_nobody_is_the_first_operator_is_invited(tmp_path: Path) -> None:
    with gateway(tmp_path, users=[]) as (cluster, seen):
        assert first_operator.invite(cluster) == TOKEN
    listed, registered, invited = seen
    assert listed[:2] == ("GET", "/v1/users?limit=1")
    assert registered[3]["login"] == first_operator.LOGIN
    assert registered[3]["grants"] == list(credentials.OPERATORS["operator"].roles)
    assert registered[3]["name_fa"]
    assert invited[1].startswith(f"{registered[1]}/invitations/")
    keys = {key for _, _, key, _ in seen}
    assert keys == {f"Bearer {cluster.credentials.operator_key('operator')}"}


def test_where_somebody_is_nobody_is_invited(tmp_path: Path) -> None:
    with gateway(tmp_path, users=["one"]) as (cluster, seen):
        assert first_operator.invite(cluster) is None
    assert len(seen) == 1


def test_a_refusal_is_told(tmp_path: Path) -> None:
    with (
        gateway(tmp_path, users=[], status=503) as (cluster, _),
        pytest.raises(NotReady, match="first operator"),
    ):
        first_operator.invite(cluster)


def test_a_gateway_that_is_away_is_told(tmp_path: Path) -> None:
    with gateway(tmp_path, users=[]) as (cluster, _):
        pass
    with pytest.raises(NotReady, match="first operator"):
        first_operator.invite(cluster)
