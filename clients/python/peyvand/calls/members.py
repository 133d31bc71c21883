"""Calls of members: enrolment, identifiers, consents."""

from collections.abc import Mapping
from typing import Any

from peyvand.administration import Document, Enrolment, Page
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class MemberCalls(Calls):
    """Calls of members: enrolment, identifiers, consents."""

    async def enrol(self, enrolment_id: str, fields: Mapping[str, Any]) -> Enrolment:
        """Enrol a person: mobile, name, consents, account (household), external with its party.

        enrolment_id: a UUID. A mobile that is enrolled already answers its membership.
        """
        return await self.typed("PUT", path_of("enrolments", enrolment_id), fields, Enrolment)

    async def member(self, member: int) -> Document:
        """A member."""
        return await self.get(path_of("members", member))

    async def put_consents(
        self, member: int, request_id: str, fields: Mapping[str, Any]
    ) -> Document:
        """Record what a member agrees to now: terms, receipts, marketing. request_id: a UUID."""
        return await self.put(path_of("members", member, "consents", request_id), fields)

    async def put_card(
        self, member: int, card_id: str, fields: Mapping[str, Any] | None = None
    ) -> Document:
        """Issue a further card to a member. card_id: a UUID."""
        return await self.put(path_of("members", member, "cards", card_id), fields or {})

    async def put_mobile(self, member: int, identifier_id: str, mobile: str) -> Document:
        """Give a member who was enrolled without a mobile one. identifier_id: a UUID."""
        path = path_of("members", member, "mobiles", identifier_id)
        return await self.put(path, {"mobile": mobile})

    async def block_identifier(self, identifier_id: str) -> Document:
        """Block a card, mobile or QR, from now on."""
        return await self.post(path_of("identifiers", identifier_id, "block"), {})

    async def rebind_identifier(
        self, identifier_id: str, binding_id: str, fields: Mapping[str, Any]
    ) -> Document:
        """Bind an identifier to another account, member, from from_at on. binding_id: a UUID."""
        return await self.put(path_of("identifiers", identifier_id, "bindings", binding_id), fields)

    async def put_adjustment(
        self, account: int, adjustment_id: str, fields: Mapping[str, Any]
    ) -> Document:
        """Correct an account by hand: direction, unit, amount, issuer, reason (role money).

        To add: funder, cost_rial, perhaps expires_at. A person's call raises ApprovalNeeded;
        a program's is refused, `second-person-needed`. adjustment_id: a UUID.
        """
        return await self.put(path_of("accounts", account, "adjustments", adjustment_id), fields)

    async def adjustment(self, account: int, adjustment_id: str) -> Document:
        """The state of an adjustment: pending, completed, or declined with its code."""
        return await self.get(path_of("accounts", account, "adjustments", adjustment_id))

    async def adjustments(self, account: int, before: int | None = None) -> Page:
        """Adjustments of an account, newest first; go on with before = next."""
        path = path_of("accounts", account, "adjustments", before=before, limit=LIMIT)
        return await self.page(path)
