"""Calls of fraud: its rules, cases for review, alerts."""

from collections.abc import Mapping
from typing import Any

from peyvand.administration import Document, Page
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class FraudCalls(Calls):
    """Calls of fraud: its rules, cases for review, alerts."""

    async def put_fraud_rule(self, rule: str, version: int, fields: Mapping[str, Any]) -> Document:
        """Publish a version of a fraud rule."""
        return await self.put(path_of("fraud-rules", rule, "versions", version), fields)

    async def fraud_rule(self, rule: str, version: int) -> Document:
        """A version of a fraud rule."""
        return await self.get(path_of("fraud-rules", rule, "versions", version))

    async def fraud_rules(self, after: str | int | None = None) -> Page:
        """The fraud rules."""
        return await self.page(path_of("fraud-rules", after=after, limit=LIMIT))

    async def cases(self, after: str | int | None = None, *, status: str | None = None) -> Page:
        """Cases for review; status: "open" or "decided"."""
        return await self.page(path_of("cases", after=after, limit=LIMIT, status=status))

    async def case(self, case: str) -> Document:
        """One case with its reasons."""
        return await self.get(path_of("cases", case))

    async def put_review_outcome(self, case: str, verdict: str, *, note: str = "") -> Document:
        """Decide a case: "release" or "cancel" (role reviewer)."""
        return await self.put(path_of("cases", case, "verdict"), {"verdict": verdict, "note": note})

    async def fraud_alerts(self, after: str | int | None = None) -> Page:
        """What fraud raised, e.g. one name on two shards."""
        return await self.page(path_of("fraud-alerts", after=after, limit=LIMIT))
