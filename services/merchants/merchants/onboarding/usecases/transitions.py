"""From one state of an application to the next: each once, by whoever may."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import msgspec

from kit.base import versions
from kit.base.db import Tx
from merchants import errors
from merchants.onboarding import store
from merchants.onboarding.domain import applications as rules_of
from merchants.onboarding.domain import assessment as assessments
from merchants.onboarding.domain import errors as refusals
from merchants.onboarding.domain.applications import (
    ActivationRequest,
    Application,
    ApplicationView,
    Approval,
    Ending,
    Preview,
    State,
    Transition,
)
from merchants.onboarding.domain.assessment import Assessment, Basis
from merchants.onboarding.domain.documents import DocumentKind
from merchants.onboarding.domain.forecast import WarningCode
from merchants.onboarding.domain.scheme import Item
from merchants.onboarding.usecases import applications, documents
from merchants.parties import usecases as parties
from merchants.parties.domain import Branch, Merchant
from merchants.programmes import usecases as programmes

T = TypeVar("T")


async def assess(tx: Tx, application: str, *, by: str, now: datetime) -> tuple[Assessment, bool]:
    """The assessment, under the versions in force now, and whether it is new; made once.

    Raises Unknown, OtherState, NothingInForce, TermsNotUsable.
    """
    kept = await _lock(tx, application)
    if await _find_transition(tx, application, State.ASSESSED) is not None:
        return await _assessment(tx, application), False
    rules_of.check_transition(kept.state, State.ASSESSED)
    rules = await documents.in_force(tx, DocumentKind.RULES, now)
    prices = await documents.in_force(tx, DocumentKind.PRICES, now)
    terms = await programmes.find_terms_in_force(tx, now)
    if terms is None:
        raise refusals.NothingInForce("the network has no terms in force; publish them first")
    result = assessments.assess(
        Basis(
            questionnaire_version=kept.questionnaire_version,
            answers=kept.answers,
            rules_version=rules.version,
            rules=rules.body,
            prices_version=prices.version,
            prices=prices.body,
            terms=terms,
        )
    )
    await _move(tx, application, State.ASSESSED, result, by=by, now=now)
    return result, True


async def approve(
    tx: Tx, application: str, accepts: Sequence[WarningCode], *, by: str, now: datetime
) -> tuple[ApplicationView, bool]:
    """The application, approved by a second person; whether that is new.

    The assessment is made again and compared with the one kept. Raises Unknown, Differs,
    OtherState, SecondPersonNeeded, AssessmentDiffers, WarningsNotAccepted. Source: NH11.
    """
    kept = await _lock(tx, application)
    approval = Approval(tuple(sorted(set(accepts))))
    if await _repeats(tx, application, State.APPROVED, approval):
        return await applications.view_of(tx, kept), False
    rules_of.check_transition(kept.state, State.APPROVED)
    assessed = await _transition(tx, application, State.ASSESSED)
    rules_of.check_second_person(assessed.by, by)
    result = _read(assessed, Assessment)
    if assessments.assess(await _basis(tx, kept, result)) != result:
        raise refusals.AssessmentDiffers("withdraw this application and apply anew")
    rules_of.check_warnings(result.forecast.warnings, approval.accepts)
    moved = await _move(tx, application, State.APPROVED, approval, by=by, now=now)
    return await applications.view_of(tx, replace(kept, state=moved)), True


async def end(
    tx: Tx, application: str, state: State, reason: str, *, by: str, now: datetime
) -> tuple[ApplicationView, bool]:
    """The application, rejected or withdrawn, and whether that is new.

    Raises Unknown, Differs (another reason), OtherState.
    """
    kept = await _lock(tx, application)
    ending = Ending(reason)
    if await _repeats(tx, application, state, ending):
        return await applications.view_of(tx, kept), False
    rules_of.check_transition(kept.state, state)
    moved = await _move(tx, application, state, ending, by=by, now=now)
    return await applications.view_of(tx, replace(kept, state=moved)), True


async def get_assessment(tx: Tx, application: str) -> Assessment:
    """The assessment as it was made. Raises Unknown."""
    await applications.get_kept(tx, application)
    return await _assessment(tx, application)


async def preview(tx: Tx, application: str, changes: dict[Item, int]) -> Preview:
    """What an activation with these changes would make. Raises Unknown, OutsideLimits."""
    kept = await applications.get_kept(tx, application)
    result = await _assessment(tx, application)
    basis = await _basis(tx, kept, result)
    scheme, forecast = assessments.changed(basis, result, changes)
    return Preview(
        applicant=rules_of.applicant_view(kept.applicant),
        sector=str(kept.answers["sector"]),
        programme=rules_of.preview_programme(kept.applicant, scheme),
        scheme=scheme,
        forecast=forecast,
    )


async def activate(
    tx: Tx, application: str, activation: ActivationRequest, *, by: str, now: datetime
) -> tuple[ApplicationView, bool]:
    """Make party, merchant, first branch and version 1 of the programme; whether they are new.

    All or nothing. A party that stands with the same details gets one more merchant. Raises
    Unknown, Differs, Taken, OtherState, OutsideLimits, WarningsNotAccepted.
    """
    kept = await _lock(tx, application)
    if await _repeats(tx, application, State.ACTIVE, activation):
        return await applications.view_of(tx, kept), False
    rules_of.check_transition(kept.state, State.ACTIVE)
    if activation.effective_from is not None and activation.effective_from < now:
        raise versions.EffectiveTooSoon(f"effective_from must be at {now.isoformat()} or later")
    result = await _assessment(tx, application)
    basis = await _basis(tx, kept, result)
    scheme, forecast = assessments.changed(basis, result, activation.changes)
    approval = _read(await _transition(tx, application, State.APPROVED), Approval)
    rules_of.check_warnings(forecast.warnings, approval.accepts)
    await parties.register_party(tx, kept.applicant.party(activation.party))
    merchant = Merchant(
        merchant=activation.merchant,
        party=activation.party,
        sector=str(kept.answers["sector"]),
        title_fa=kept.applicant.title_fa,
        title_en=kept.applicant.title_en,
    )
    _, created = await parties.register_merchant(tx, merchant, now=now)
    if not created:
        raise errors.Differs(f"merchant {activation.merchant} is there already; choose another")
    branch = Branch(
        activation.merchant,
        activation.branch,
        activation.branch_title_fa,
        activation.branch_title_en,
    )
    await parties.register_branch(tx, branch)
    draft = rules_of.programme_of(kept.applicant, activation, scheme, now)
    await programmes.publish_programme(tx, draft, backdated=False, now=now)
    moved = await _move(tx, application, State.ACTIVE, activation, by=by, now=now)
    return await applications.view_of(tx, replace(kept, state=moved)), True


async def _lock(tx: Tx, application: str) -> Application:
    kept = await store.lock_application(tx, application)
    if kept is None:
        raise errors.Unknown(f"there is no application {application}; PUT it first")
    return kept


async def _move(
    tx: Tx, application: str, state: State, document: object, *, by: str, now: datetime
) -> State:
    """Write down that a state was reached; the state."""
    encoded = msgspec.json.encode(document)
    await store.insert_transition(
        tx, application, Transition(state=state, at=now, by=by, document=encoded)
    )
    await store.update_state(tx, application, state)
    return state


async def _repeats(tx: Tx, application: str, state: State, document: object) -> bool:
    """Whether a state was reached with the same document. Raises Differs where with another."""
    reached = await _find_transition(tx, application, state)
    if reached is None:
        return False
    if _read(reached, type(document)) != document:
        raise errors.Differs(f"the application is {state} already, with other details")
    return True


async def _find_transition(tx: Tx, application: str, state: State) -> Transition | None:
    reached = await store.list_transitions(tx, application)
    return next((one for one in reached if one.state is state), None)


async def _transition(tx: Tx, application: str, state: State) -> Transition:
    found = await _find_transition(tx, application, state)
    if found is None:
        raise errors.Unknown(f"application {application} is not {state} yet")
    return found


async def _assessment(tx: Tx, application: str) -> Assessment:
    return _read(await _transition(tx, application, State.ASSESSED), Assessment)


def _read(transition: Transition, kind: type[T]) -> T:
    return msgspec.json.decode(transition.document, type=kind)


async def _basis(tx: Tx, application: Application, result: Assessment) -> Basis:
    """What an assessment was made of, by the versions that it names."""
    rules = await documents.get_document(tx, DocumentKind.RULES, result.rules_version)
    prices = await documents.get_document(tx, DocumentKind.PRICES, result.prices_version)
    return Basis(
        questionnaire_version=result.questionnaire_version,
        answers=application.answers,
        rules_version=rules.version,
        rules=rules.body,
        prices_version=prices.version,
        prices=prices.body,
        terms=await programmes.get_terms(tx, result.terms_version),
    )
