"""Identity's proposals, as small as can be."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web as aioweb

from kit.base import auth


@dataclass
class Proposals:
    """Identity's proposals, each approved by "reza" as soon as somebody approves it."""

    one_is_enough: bool = False
    status: int = 202
    writes: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    results: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def view(self, proposal: str) -> dict[str, Any]:
        """As everybody sees it."""
        result = self.results.get(proposal)
        state = "approved" if result is None else "executed"
        return {"proposal": proposal, "state": state, "result": result}

    def serve(
        self, method: str, parts: list[str], actor: auth.Actor, body: bytes
    ) -> aioweb.Response:
        """What gateways ask of identity."""
        if method == "POST":
            if self.one_is_enough:
                return aioweb.Response(status=204)
            assert auth.PERSON in actor.roles
            name = f"p{len(self.writes) + 1}"
            self.writes[name] = msgspec.json.decode(body) | {"proposed_by": actor.subject}
            headers = {"location": f"/v1/proposals/{name}"}
            return aioweb.json_response({"proposal": name}, status=self.status, headers=headers)
        assert actor.roles == {"service"}
        if method == "PUT":
            self.results[parts[3]] = msgspec.json.decode(body)
            return aioweb.json_response(self.view(parts[3]))
        return aioweb.json_response(self.writes[parts[3]] | {"approved_by": "reza"})
