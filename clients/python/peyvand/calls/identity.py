"""Calls of identity: users, signing in, sessions, second factors, keys, proposals."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from peyvand.administration import (
    Confirmation,
    Document,
    EnrolledFactor,
    IssuedApiKey,
    OpenedSession,
    Page,
)
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class IdentityCalls(Calls):
    """Calls of identity: users, signing in, sessions, second factors, keys, proposals."""

    async def sign_in(
        self, login: str, password: str, *, code: str | None = None, device: str = ""
    ) -> OpenedSession:
        """Open a session; needs no key. login: mobile or e-mail; code: of a second factor.

        Raises Unauthorized `sign-in-refused`, `code-needed`. Retried after a broken line, it may
        leave a session that nobody knows of, which ends for want of use.
        """
        body = {"login": login, "password": password, "device": device}
        body |= {} if code is None else {"code": code}
        return await self.typed("POST", path_of("sessions"), body, OpenedSession)

    async def accept_invitation(self, token: str, password: str) -> Document:
        """Set a password with an invitation's token; needs no key. Its user and login."""
        body = {"token": token, "password": password}
        return await self.post(path_of("invitations", "accept"), body)

    async def own_sessions(self, after: str | int | None = None) -> Page:
        """One's own open sessions; `current` is this one."""
        return await self.page(path_of("sessions", after=after, limit=LIMIT))

    async def end_session(self, session: str) -> Document:
        """End one of one's own sessions, or with the role users anybody's."""
        return await self.typed("DELETE", path_of("sessions", session), None, Document)

    async def end_other_sessions(self) -> int:
        """End all of one's own sessions but this one; how many."""
        return (await self.typed("DELETE", path_of("sessions"), None, Document))["ended"]

    async def change_password(self, current: str, password: str) -> Document:
        """Change one's own password; one's other sessions end."""
        return await self.put(path_of("password"), {"current": current, "password": password})

    async def enrol_factor(self, factor_id: str) -> EnrolledFactor:
        """Enrol an authenticator; the URI is in the first answer only. factor_id: a UUID."""
        return await self.typed("PUT", path_of("second-factors", factor_id), {}, EnrolledFactor)

    async def confirm_factor(self, factor_id: str, code: str) -> Confirmation:
        """Confirm it by its first code; this session then has all rights of its user."""
        path = path_of("second-factors", factor_id, "confirmation")
        return await self.typed("PUT", path, {"code": code}, Confirmation)

    async def factors(self) -> Document:
        """One's own second factors, and how many recovery codes are left."""
        return await self.get(path_of("second-factors"))

    async def put_user(self, user: str, fields: Mapping[str, Any]) -> Document:
        """Register a person: login, name_fa, name_en, grants. user: a UUID."""
        return await self.put(path_of("users", user), fields)

    async def user(self, user: str) -> Document:
        """A user."""
        return await self.get(path_of("users", user))

    async def users(self, after: str | int | None = None, *, login: str | None = None) -> Page:
        """Users in the order of their ids; login: only the one who has it."""
        return await self.page(path_of("users", after=after, limit=LIMIT, login=login))

    async def put_invitation(self, user: str, invitation_id: str) -> Document:
        """Invite a user; the token is in the first answer only. invitation_id: a UUID."""
        return await self.put(path_of("users", user, "invitations", invitation_id), {})

    async def put_user_standing(
        self, user: str, change_id: str, *, standing: str, reason: str
    ) -> Document:
        """Stop a user: "stopped", or open him: "open"; his sessions end."""
        path = path_of("users", user, "standings", change_id)
        return await self.put(path, {"standing": standing, "reason": reason})

    async def put_grants(
        self, user: str, change_id: str, *, grants: Sequence[str], reason: str
    ) -> Document:
        """Change what a user may do, all of it; his sessions end."""
        path = path_of("users", user, "grants", change_id)
        return await self.put(path, {"grants": list(grants), "reason": reason})

    async def user_changes(self, user: str, before: int | None = None) -> Page:
        """Changes of a user, newest first; go on with before = next."""
        return await self.page(path_of("users", user, "changes", before=before, limit=LIMIT))

    async def put_api_key(
        self, key_id: str, *, name: str, roles: Sequence[str], ends_at: datetime
    ) -> IssuedApiKey:
        """Issue a key of a program; its text is in the first answer only. key_id: a UUID."""
        body = {"name": name, "roles": list(roles), "ends_at": ends_at}
        return await self.typed("PUT", path_of("api-keys", key_id), body, IssuedApiKey)

    async def put_successor(
        self, key_id: str, successor_id: str, *, ends_at: datetime, overlap_s: int = 0
    ) -> IssuedApiKey:
        """Put another key in the place of one, which ends overlap_s seconds later."""
        path = path_of("api-keys", key_id, "successors", successor_id)
        body = {"ends_at": ends_at, "overlap_s": overlap_s}
        return await self.typed("PUT", path, body, IssuedApiKey)

    async def end_api_key(self, key_id: str) -> Document:
        """End a key of a program now."""
        return await self.typed("DELETE", path_of("api-keys", key_id), None, Document)

    async def api_key(self, key_id: str) -> Document:
        """A key of a program, its secret never."""
        return await self.get(path_of("api-keys", key_id))

    async def api_keys(self, after: str | int | None = None) -> Page:
        """Keys of programs in the order of their ids, ended ones too."""
        return await self.page(path_of("api-keys", after=after, limit=LIMIT))

    async def sessions_of(self, user: str, after: str | int | None = None) -> Page:
        """Open sessions of a user."""
        return await self.page(path_of("users", user, "sessions", after=after, limit=LIMIT))

    async def proposals(
        self, before: str | int | None = None, *, selection: str | None = None
    ) -> Page:
        """Proposals, newest first; go on with before = next.

        selection: "all" that one may see, "own", or "decidable": what waits for one's decision.
        """
        path = path_of("proposals", before=before, limit=LIMIT, selection=selection)
        return await self.page(path)

    async def proposal(self, proposal: str) -> Document:
        """A proposal, and the content of its body."""
        return await self.get(path_of("proposals", proposal))

    async def approve_proposal(self, proposal: str) -> Document:
        """Approve what another person proposed; `result` is what the service answered."""
        return await self.put(path_of("proposals", proposal, "approval"), {})

    async def reject_proposal(self, proposal: str, *, reason: str) -> Document:
        """Reject what another person proposed; nothing is carried out."""
        return await self.put(path_of("proposals", proposal, "rejection"), {"reason": reason})

    async def withdraw_proposal(self, proposal: str) -> Document:
        """Withdraw what one proposed oneself."""
        return await self.put(path_of("proposals", proposal, "withdrawal"), {})
