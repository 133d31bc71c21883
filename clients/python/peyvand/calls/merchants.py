"""Calls of merchants: parties, shops, terminals, programmes, the network's terms."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from peyvand import transport
from peyvand.administration import Activation, Document, Page, Programme, Terms
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class MerchantCalls(Calls):
    """Calls of merchants: parties, shops, terminals, programmes, the network's terms."""

    async def put_party(self, party: int, fields: Mapping[str, Any]) -> Document:
        """Register a legal entity: name_fa, name_en, …"""
        return await self.put(path_of("parties", party), fields)

    async def party(self, party: int) -> Document:
        """A legal entity."""
        return await self.get(path_of("parties", party))

    async def put_merchant(self, merchant: int, fields: Mapping[str, Any]) -> Document:
        """Register a merchant: party, sector, title_fa, title_en, reference."""
        return await self.put(path_of("merchants", merchant), fields)

    async def merchant(self, merchant: int) -> Document:
        """A merchant."""
        return await self.get(path_of("merchants", merchant))

    async def merchants(
        self, after: str | int | None = None, *, reference: str | None = None
    ) -> Page:
        """Merchants in order of number; reference: only the one with that own reference."""
        return await self.page(path_of("merchants", after=after, limit=LIMIT, reference=reference))

    async def put_branch(self, merchant: int, branch: int, fields: Mapping[str, Any]) -> Document:
        """Register a branch."""
        return await self.put(path_of("merchants", merchant, "branches", branch), fields)

    async def branch(self, merchant: int, branch: int) -> Document:
        """A branch."""
        return await self.get(path_of("merchants", merchant, "branches", branch))

    async def branches(self, merchant: int, after: str | int | None = None) -> Page:
        """A merchant's branches in order of number."""
        return await self.page(path_of("merchants", merchant, "branches", after=after, limit=LIMIT))

    async def put_terminal(
        self, merchant: int, terminal: int, *, branch: int, online: bool = False
    ) -> Document:
        """Register a terminal at a branch. online: the one that names the merchant's orders."""
        body = {"branch": branch} | ({"online": True} if online else {})
        return await self.put(path_of("merchants", merchant, "terminals", terminal), body)

    async def terminal(self, merchant: int, terminal: int) -> Document:
        """A terminal."""
        return await self.get(path_of("merchants", merchant, "terminals", terminal))

    async def terminals(self, merchant: int, after: str | int | None = None) -> Page:
        """A merchant's terminals in order of number."""
        path = path_of("merchants", merchant, "terminals", after=after, limit=LIMIT)
        return await self.page(path)

    async def activate_terminal(self, terminal: int, activation_id: str) -> Activation:
        """Start a new epoch; the key is in the first answer only. activation_id: a UUID."""
        path = path_of("terminals", terminal, "activations", activation_id)
        return await self.typed("PUT", path, {}, Activation)

    async def put_activation_code(
        self, terminal: int, code_id: str, *, overlap_s: int = 0
    ) -> Document:
        """Issue a code to read out at the till; `code` is in the first answer only."""
        path = path_of("terminals", terminal, "activation-codes", code_id)
        return await self.put(path, {"overlap_s": overlap_s})

    async def activation_code(self, terminal: int, code_id: str) -> Document:
        """A code without its digits: whether it was redeemed, and by which device."""
        return await self.get(path_of("terminals", terminal, "activation-codes", code_id))

    async def withdraw_activation_code(self, terminal: int, code_id: str) -> Document:
        """End a code that was not redeemed; a key that it gave stays."""
        path = path_of("terminals", terminal, "activation-codes", code_id)
        return await self.typed("DELETE", path, None, Document)

    async def redeem_activation_code(self, code: str, device: str) -> Activation:
        """Epoch and key of the terminal that a code is of; needs no key. device: a UUID it keeps.

        Sent again after a lost answer, it gives another key, and the one before ends.
        """
        return await self.typed(
            "POST", path_of("activations"), {"code": code, "device": device}, Activation
        )

    async def put_terminal_key(self, terminal: int, key_id: str) -> Document:
        """A further key for a terminal (rotation). key_id: eight of a-z and 0-9."""
        return await self.put(path_of("terminals", terminal, "keys", key_id), {})

    async def revoke_terminal_key(self, terminal: int, key_id: str) -> None:
        """Revoke a key; for a day it may still ask for the status of its own names."""
        path = path_of("terminals", terminal, "keys", key_id)
        transport.raise_problem(f"DELETE {path}", await self.transport.request("DELETE", path))

    async def put_standing(
        self, kind: str, number: int, change_id: str, *, standing: str, reason: str
    ) -> Document:
        """Stop one of "terminals", "merchants", "accounts", "parties": "stopped", or "open"."""
        path = path_of(kind, number, "standings", change_id)
        return await self.put(path, {"standing": standing, "reason": reason})

    async def standings(self, kind: str, number: int, before: int | None = None) -> Document:
        """The present standing of one of these four kinds, and its changes."""
        return await self.get(path_of(kind, number, "standings", before=before, limit=LIMIT))

    async def standing(self, kind: str, number: int, change_id: str) -> Document:
        """The ledger's decision on a change of "accounts" or "parties": see its status and code."""
        return await self.get(path_of(kind, number, "standings", change_id))

    async def put_programme(self, merchant: int, version: int, programme: Programme) -> Document:
        """Publish a version of a merchant's programme; versions are contiguous from 1."""
        return await self.put(path_of("merchants", merchant, "programmes", version), programme)

    async def programme(self, merchant: int, version: int) -> Document:
        """A version of a merchant's programme."""
        return await self.get(path_of("merchants", merchant, "programmes", version))

    async def programmes(self, merchant: int, after: str | int | None = None) -> Page:
        """The versions of a merchant's programme."""
        path = path_of("merchants", merchant, "programmes", after=after, limit=LIMIT)
        return await self.page(path)

    async def tally(self, merchant: int, first: date, last: date) -> Page:
        """What a merchant's Tehran days held, from first to last (Gregorian, both included)."""
        days = {"from": first.isoformat(), "to": last.isoformat()}
        return await self.page(path_of("merchants", merchant, "tally", **days))

    async def put_terms(self, version: int, terms: Terms) -> Document:
        """Publish a version of the network's settlement price and fee."""
        return await self.put(path_of("terms", version), terms)

    async def terms(self, version: int) -> Document:
        """A version of the network's terms."""
        return await self.get(path_of("terms", version))

    async def all_terms(self, after: str | int | None = None) -> Page:
        """The versions of the network's terms."""
        return await self.page(path_of("terms", after=after, limit=LIMIT))
