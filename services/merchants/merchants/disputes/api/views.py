"""What callers see of disputes, and what they all send."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Request
from pydantic import Field

from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants.disputes.domain.disputes import (
    REASONS,
    STATES,
    Deadlines,
    Dispute,
    DisputedSide,
    DisputeReason,
    DisputeState,
    Step,
)
from merchants.disputes.domain.evidence import EvidenceFile
from merchants.disputes.usecases.disputes import By, Report
from merchants.settings import Settings

READERS: Final = (Role.PARTNERS, Role.MONEY, Role.AUDITOR)
NEWEST: Final = fields.WHOLE_MAX
Note = Annotated[fields.Prose, Field(max_length=2_000)]


@dataclass(frozen=True, slots=True)
class DisputeStepView:
    """A state that was reached. by: who; schedule: a deadline passed. rial: text of digits.

    party: for whom; null: the network as the judge. approved_by: the second person of a decision.
    """

    state: DisputeState
    fa: str
    en: str
    at: datetime
    by: str
    approved_by: str
    party: int | None
    rial: str | None
    note: str


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A file of a party's side, without its content. sha256: hex, of the content."""

    file: str
    party: int
    title: str
    media_type: str
    sha256: str
    size_bytes: int
    sent_at: datetime
    sent_by: str


@dataclass(frozen=True, slots=True)
class DisputeSummary:
    """A line of the list; Rial are text of digits.

    side: due, the opener owes too much by the line; claim, too much of its claim went back.
    due_at: until when a party may act. accepted_rial: what the respondent answered.
    correction_rial: what the end came to; null while it lives.
    """

    dispute: str
    window: int
    opener: int
    respondent: int
    side: DisputedSide
    amount_rial: str
    reason: DisputeReason
    reason_fa: str
    reason_en: str
    state: DisputeState
    state_fa: str
    state_en: str
    opened_at: datetime
    due_at: datetime | None
    accepted_rial: str | None
    correction_rial: str | None


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A dispute with its steps and evidence; as in the list.

    transactions: public ids. correction_window: the window that the correction fell into, where
    the end came to something.
    """

    dispute: str
    window: int
    opener: int
    respondent: int
    side: DisputedSide
    amount_rial: str
    reason: DisputeReason
    reason_fa: str
    reason_en: str
    state: DisputeState
    state_fa: str
    state_en: str
    opened_at: datetime
    due_at: datetime | None
    accepted_rial: str | None
    correction_rial: str | None
    correction_window: int | None
    text: str
    transactions: list[str]
    steps: list[DisputeStepView]
    files: list[EvidenceView]


@dataclass(frozen=True, slots=True)
class DisputeList:
    """Disputes, newest first; next: send it as before."""

    items: list[DisputeSummary]
    next: int | None


def summary(dispute: Dispute) -> DisputeSummary:
    """A dispute without what it says."""
    opening = dispute.opening
    reason_fa, reason_en = REASONS[opening.reason]
    state_fa, state_en = STATES[dispute.state]
    return DisputeSummary(
        dispute=opening.dispute,
        window=opening.window,
        opener=opening.opener,
        respondent=opening.respondent,
        side=opening.side,
        amount_rial=str(opening.amount_rial),
        reason=opening.reason,
        reason_fa=reason_fa,
        reason_en=reason_en,
        state=dispute.state,
        state_fa=state_fa,
        state_en=state_en,
        opened_at=dispute.opened_at,
        due_at=dispute.due_at,
        accepted_rial=_rial(dispute.accepted_rial),
        correction_rial=_rial(dispute.correction_rial),
    )


def view(report: Report) -> DisputeView:
    """A dispute whole."""
    short, opening = summary(report.dispute), report.dispute.opening
    return DisputeView(
        **{name: getattr(short, name) for name in DisputeSummary.__dataclass_fields__},
        correction_window=None if report.correction is None else report.correction.window,
        text=opening.text,
        transactions=list(opening.transactions),
        steps=[_step_view(step) for step in report.steps],
        files=[file_view(file) for file in report.files],
    )


def page(disputes: list[Dispute], limit: int) -> DisputeList:
    """A page of the list."""
    following = disputes[-1].number if len(disputes) == limit else None
    return DisputeList([summary(one) for one in disputes], following)


def file_view(file: EvidenceFile) -> EvidenceView:
    """A file without its content."""
    return EvidenceView(
        file=file.file,
        party=file.party,
        title=file.title,
        media_type=file.media_type,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        sent_at=file.sent_at,
        sent_by=file.sent_by,
    )


def by_party(request: Request, party: int | None) -> By:
    """Who acts for a party, and when; None: for the network as the judge."""
    actor = auth.actor_of(request)
    return By(actor.subject, resources(request).clock.now(), party, actor.approved_by)


def deadlines_of(request: Request) -> Deadlines:
    """The deadlines that the settings have."""
    config: Settings = resources(request).settings
    return Deadlines(
        open=timedelta(days=config.dispute_open_days),
        answer=timedelta(days=config.dispute_answer_days),
        escalate=timedelta(days=config.dispute_escalate_days),
    )


def _rial(rial: int | None) -> str | None:
    return None if rial is None else str(rial)


def _step_view(step: Step) -> DisputeStepView:
    fa, en = STATES[step.state]
    return DisputeStepView(
        step.state, fa, en, step.at, step.by, step.approved_by, step.party, _rial(step.rial),
        step.note,
    )  # fmt: skip
