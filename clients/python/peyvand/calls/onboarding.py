"""Calls of merchants for those who join: applications, their assessment, approval, activation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from peyvand.administration import Document, Page
from peyvand.calls.connection import LIMIT, Calls
from peyvand.transport import path_of


class OnboardingCalls(Calls):
    """Calls for those who join. application_id: a UUID of the caller's."""

    async def put_application(self, application_id: str, fields: Mapping[str, Any]) -> Document:
        """Apply: titles, numbers, questionnaire_version and answers by the questions' ids.

        Raises Invalid `answers-invalid`, whose `problems` has each faulty answer.
        """
        return await self.put(path_of("applications", application_id), fields)

    async def application(self, application_id: str) -> Document:
        """An application: its state, answers in words, who did what, the next steps."""
        return await self.get(path_of("applications", application_id))

    async def applications(
        self, after: str | int | None = None, *, state: str | None = None
    ) -> Page:
        """Applications in the order of their ids; state: "applicant", "assessed", …"""
        return await self.page(path_of("applications", after=after, limit=LIMIT, state=state))

    async def assess(self, application_id: str) -> Document:
        """Assess an application under the versions in force; the assessment."""
        return await self.put(path_of("applications", application_id, "assessment"), {})

    async def assessment(self, application_id: str) -> Document:
        """Indicators, scheme with limits and reasons, package with costs, forecast."""
        return await self.get(path_of("applications", application_id, "assessment"))

    async def approve(self, application_id: str, accepts: Sequence[str] = ()) -> Document:
        """Approve (role money), by somebody else than who assessed. accepts: codes of warnings."""
        path = path_of("applications", application_id, "approval")
        return await self.put(path, {"accepts": list(accepts)})

    async def reject(self, application_id: str, reason: str) -> Document:
        """Reject an application that is not approved yet (role money)."""
        path = path_of("applications", application_id, "rejection")
        return await self.put(path, {"reason": reason})

    async def withdraw(self, application_id: str, reason: str) -> Document:
        """Withdraw an application that is not active yet."""
        path = path_of("applications", application_id, "withdrawal")
        return await self.put(path, {"reason": reason})

    async def preview(
        self, application_id: str, changes: Mapping[str, int] | None = None
    ) -> Document:
        """What an activation with these values would make, its forecast and its warnings."""
        return await self.get(path_of("applications", application_id, "preview", **(changes or {})))

    async def activate(self, application_id: str, fields: Mapping[str, Any]) -> Document:
        """Make party, merchant, first branch and programme. fields: their numbers, changes."""
        return await self.put(path_of("applications", application_id, "activation"), fields)

    async def put_onboarding_document(
        self, kind: str, version: int, body: Mapping[str, Any], *, effective_from: datetime
    ) -> Document:
        """Publish a version of "questionnaire", "rules" or "prices" (role money)."""
        path = path_of("onboarding", kind, "versions", version)
        return await self.put(path, {"effective_from": effective_from, "body": body})

    async def onboarding_document(self, kind: str, version: int) -> Document:
        """A version of "questionnaire", "rules" or "prices"."""
        return await self.get(path_of("onboarding", kind, "versions", version))

    async def onboarding_documents(self, kind: str, after: str | int | None = None) -> Page:
        """The versions of a document."""
        return await self.page(path_of("onboarding", kind, "versions", after=after, limit=LIMIT))
