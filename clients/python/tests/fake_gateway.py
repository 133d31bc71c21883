"""A gateway in small, as its README tells: names for ever, refusals at the door, reversals."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

REFUSALS: dict[str, tuple[int, str, str]] = {
    "unknown-identifier": (422, "این کارت یا شماره عضو باشگاه نیست", "No member has this card"),
    "name-used-with-another-payload": (422, "نام به کار رفته است", "the name is used"),
    "lines-do-not-add-up": (422, "جمع سطرها نمی‌خواند", "The lines do not sum"),
    "bad-transaction-id": (422, "شناسه درست نیست", "Not a transaction id"),
}


@dataclass
class Gateway:
    """members: whose identifiers are known. answers: what was posted, by name, for ever.

    mute: post, and break the connection instead of answering. down: answer 503 to all.
    """

    members: set[str] = field(default_factory=set[str])
    points: int = 0
    mute: bool = False
    down: bool = False
    posted: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict[str, Any])

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """One request of a till."""
        if self.down:
            return _problem(503, "outcome-unknown", "نامعلوم", "unknown")
        sent = json.loads(body)
        code = self._refusal(sent)
        if code is not None:
            return _problem(REFUSALS[code][0], code, *REFUSALS[code][1:])
        name = _name(sent)
        print_of = json.dumps(sent, sort_keys=True)
        if name not in self.posted:
            self.posted[name] = (print_of, self._decide(sent))
        first, answer = self.posted[name]
        if first != print_of:
            code = "name-used-with-another-payload"
            return _problem(REFUSALS[code][0], code, *REFUSALS[code][1:])
        if self.mute:
            assert request.transport is not None
            request.transport.close()
        return web.json_response(answer)

    def _refusal(self, sent: dict[str, Any]) -> str | None:
        shown = set(sent.get("identifier", {}).values())
        if shown and not shown & self.members:
            return "unknown-identifier"
        lines = sent.get("lines", ())
        if lines and sum(line["amount_rial"] for line in lines) != sent["amount_rial"]:
            return "lines-do-not-add-up"
        original = sent.get("original", {})
        if "id" in original and not original["id"].startswith("4.t."):
            return "bad-transaction-id"
        return None

    def _decide(self, sent: dict[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {
            "id": f"4.t.{_name(sent)}", "kind": sent["kind"], "status": "completed",
            "occurred_at": sent["occurred_at"], "accepted_at": sent["occurred_at"],
            "fa": "انجام شد", "en": "done",
        }  # fmt: skip
        if sent["kind"] == "reversal":
            original = sent["original"]
            name = original.get("id", "")[4:] or _name(original)
            back = self.posted.get(name, ("", {}))[1].get("points_earned", 0)
            self.points -= back
            said |= {"original": f"4.t.{name}", "points_clawed_back": back}
            if name not in self.posted:  # its turn never comes any more
                self.posted[name] = ("", said | {"status": "declined"})
        elif sent["kind"] == "purchase":
            said["points_earned"] = sent["amount_rial"] // 10_000
            self.points += said["points_earned"]
        return said | {"balance": self._balance()}

    def _balance(self) -> dict[str, Any]:
        pending = {"pending_points": 0, "credit_rial": 0, "expiring_points": 0}
        points = {"points": self.points, "available_points": self.points}
        return points | pending | {"expiring_at": None}


def _name(named: dict[str, Any]) -> str:
    if "order" in named:
        return f"{named['merchant']}.{named['order']}.{named['operation']}"
    return f"{named['terminal']}.{named['epoch']}.{named['sequence']}"


def _problem(status: int, code: str, fa: str, en: str) -> web.Response:
    body = {"status": status, "code": code, "fa": fa, "detail": en}
    return web.json_response(body, status=status, content_type="application/problem+json")
