"""Applying, and reading applications."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from contracts.values import NETWORK_PARTY, tehran_day
from kit.base.db import Tx
from merchants import errors, settings
from merchants.onboarding import store
from merchants.onboarding.domain import applications as rules_of
from merchants.onboarding.domain import errors as refusals
from merchants.onboarding.domain.applications import (
    ActivationRequest,
    Applicant,
    Application,
    ApplicationView,
    Ending,
    State,
    Transition,
    TransitionView,
)
from merchants.onboarding.domain.documents import DocumentKind
from merchants.onboarding.domain.facts import facts_of
from merchants.onboarding.domain.questionnaire import read_answers, show_answers
from merchants.onboarding.usecases import documents
from merchants.parties import domain as party_rules
from merchants.terminals import usecases as terminals


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRequest:
    """What an applicant sends: who it is, and raw answers to one version of the questionnaire."""

    application: str
    applicant: Applicant
    questionnaire_version: int
    answers: Mapping[str, object]


async def apply_to_join(
    tx: Tx, request: ApplicationRequest, *, by: str, now: datetime
) -> tuple[ApplicationView, bool]:
    """The application as it is kept, and whether it is new.

    Raises AnswersInvalid, TwoIdentities, QuestionnaireNotInForce, Differs. Source: SH1.
    """
    party_rules.check_identity(request.applicant.party(NETWORK_PARTY))
    kept = await store.find_application(tx, request.application)
    if kept is None:
        application = await _new_application(tx, request, by=by, now=now)
        if await store.insert_application(tx, application):
            first = Transition(state=State.APPLICANT, at=now, by=by)
            await store.insert_transition(tx, application.application, first)
            return await view_of(tx, application), True
        kept = await get_kept(tx, request.application)
    paper = await documents.get_questionnaire(tx, kept.questionnaire_version)
    same = request.questionnaire_version == kept.questionnaire_version
    answers = read_answers(paper, request.answers, tehran_day(kept.applied_at)) if same else {}
    if (request.applicant, answers) != (kept.applicant, kept.answers):
        raise errors.Differs("this application was another one; make a new UUID")
    return await view_of(tx, kept), False


async def _new_application(
    tx: Tx, request: ApplicationRequest, *, by: str, now: datetime
) -> Application:
    current = await documents.in_force(tx, DocumentKind.QUESTIONNAIRE, now)
    if request.questionnaire_version != current.version:
        raise refusals.QuestionnaireNotInForce(
            f"answer version {current.version} of the questionnaire", expected=current.version
        )
    answers = read_answers(current.body, request.answers, tehran_day(now))
    facts_of(answers)  # what cannot be assessed is refused while it can be corrected
    return Application(
        application=request.application,
        applicant=request.applicant,
        questionnaire_version=current.version,
        answers=answers,
        state=State.APPLICANT,
        applied_at=now,
        applied_by=by,
    )


async def get_application(tx: Tx, application: str) -> ApplicationView:
    """The application as callers see it. Raises Unknown."""
    return await view_of(tx, await get_kept(tx, application))


async def get_kept(tx: Tx, application: str) -> Application:
    """The application as it is kept. Raises Unknown."""
    kept = await store.find_application(tx, application)
    if kept is None:
        raise errors.Unknown(f"there is no application {application}; PUT it first")
    return kept


async def list_applications(
    tx: Tx, *, state: State | None, after: str, limit: int
) -> list[Application]:
    """Applications in the order of their ids, above after."""
    return await store.list_applications(tx, state=state, after=after, limit=limit)


async def view_of(tx: Tx, application: Application) -> ApplicationView:
    """An application as callers see it: answers in words, states, the steps of the set-up."""
    paper = await documents.get_questionnaire(tx, application.questionnaire_version)
    reached = await store.list_transitions(tx, application.application)
    merchant = next((_merchant(one) for one in reached if one.state is State.ACTIVE), None)
    return ApplicationView(
        application=application.application,
        state=application.state,
        applicant=rules_of.applicant_view(application.applicant),
        questionnaire_version=application.questionnaire_version,
        answers=show_answers(paper, application.answers),
        transitions=[_transition_view(one) for one in reached],
        merchant=merchant,
        steps=rules_of.steps(application.state, has_terminal=await _has_terminal(tx, merchant)),
    )


def _transition_view(one: Transition) -> TransitionView:
    ended = one.state in (State.REJECTED, State.WITHDRAWN)
    reason = msgspec.json.decode(one.document, type=Ending).reason if ended else ""
    return TransitionView(one.state, one.at, one.by, reason)


def _merchant(active: Transition) -> int:
    return msgspec.json.decode(active.document, type=ActivationRequest).merchant


async def _has_terminal(tx: Tx, merchant: int | None) -> bool:
    """Whether a merchant has an activated terminal, among its first ones."""
    if merchant is None:
        return False
    first = await terminals.list_terminals(tx, merchant, after=0, limit=settings.PAGE_MAX)
    return any(terminal.active for terminal in first)
