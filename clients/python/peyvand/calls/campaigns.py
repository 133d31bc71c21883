"""Calls of campaigns: earn rules and the credit of a first purchase."""

from collections.abc import Mapping
from typing import Any

from peyvand.administration import Document, Page
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class CampaignCalls(Calls):
    """Calls of campaigns: earn rules and the credit of a first purchase."""

    async def put_rule(self, rule: str, version: int, fields: Mapping[str, Any]) -> Document:
        """Publish a version of an earn rule."""
        return await self.put(path_of("rules", rule, "versions", version), fields)

    async def rule(self, rule: str, version: int) -> Document:
        """A version of an earn rule."""
        return await self.get(path_of("rules", rule, "versions", version))

    async def rules(self, after: str | int | None = None) -> Page:
        """The earn rules."""
        return await self.page(path_of("rules", after=after, limit=LIMIT))

    async def evaluate_rules(self, basket: Mapping[str, Any]) -> Document:
        """What a basket would earn, without any effect."""
        return await self.post(path_of("rules", "evaluate"), basket)

    async def put_first_purchase(self, version: int, fields: Mapping[str, Any]) -> Document:
        """Publish a version of the first purchase's credit."""
        return await self.put(path_of("first-purchase", "versions", version), fields)

    async def first_purchase(self, version: int) -> Document:
        """A version of the first purchase's credit."""
        return await self.get(path_of("first-purchase", "versions", version))
