"""The assessment: from answers, rules, prices and terms, always the same result. Source: SH1."""

from dataclasses import dataclass, replace

from msgspec import Struct

from contracts.merchants import Terms
from merchants.onboarding.domain import forecast as forecasts
from merchants.onboarding.domain import indicators as watched
from merchants.onboarding.domain import prices as costs
from merchants.onboarding.domain import scheme as schemes
from merchants.onboarding.domain.facts import facts_of
from merchants.onboarding.domain.forecast import Forecast
from merchants.onboarding.domain.indicators import Indicator
from merchants.onboarding.domain.prices import Estimate, Prices
from merchants.onboarding.domain.questionnaire import Answers
from merchants.onboarding.domain.rules import Rules
from merchants.onboarding.domain.scheme import Item, Scheme


class Basis(Struct, frozen=True, kw_only=True):
    """What an assessment is made of: answers, and one version of each document and the terms."""

    questionnaire_version: int
    answers: Answers
    rules_version: int
    rules: Rules
    prices_version: int
    prices: Prices
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What is recommended, why, what it brings and what it costs; which versions say so."""

    questionnaire_version: int
    rules_version: int
    prices_version: int
    terms_version: int
    indicators: tuple[Indicator, ...]
    scheme: Scheme
    package: Estimate
    forecast: Forecast


def assess(basis: Basis) -> Assessment:
    """The assessment of answers. Raises TermsNotUsable, AnswersInvalid (sales too large)."""
    facts = facts_of(basis.answers)
    package = costs.estimate(facts, basis.rules, basis.prices)
    scheme = schemes.recommend(facts, basis.rules, basis.terms)
    forecast = forecasts.foretell(facts, basis.rules, basis.terms, scheme, package)
    advice = schemes.budget(basis.rules, forecast.high.issued_rial)
    scheme = replace(scheme, values=(*scheme.values, advice))
    return Assessment(
        questionnaire_version=basis.questionnaire_version,
        rules_version=basis.rules_version,
        prices_version=basis.prices_version,
        terms_version=basis.terms.version,
        indicators=watched.indicators(facts, basis.rules, scheme, forecast),
        scheme=scheme,
        package=package,
        forecast=forecast,
    )


def changed(
    basis: Basis, assessment: Assessment, changes: dict[Item, int]
) -> tuple[Scheme, Forecast]:
    """The scheme with the applicant's own values, and its forecast.

    Raises OutsideLimits, TermsNotUsable.
    """
    scheme = schemes.change(assessment.scheme, changes, basis.terms)
    facts = facts_of(basis.answers)
    forecast = forecasts.foretell(facts, basis.rules, basis.terms, scheme, assessment.package)
    return scheme, forecast
