"""The documents that an assessment rests on: questionnaire, rules, prices; each in versions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from merchants.onboarding.domain import errors, facts, prices, rules
from merchants.onboarding.domain.prices import Prices
from merchants.onboarding.domain.questionnaire import Questionnaire
from merchants.onboarding.domain.rules import Rules


class DocumentKind(StrEnum):
    """What is published in versions for the assessment of applicants."""

    QUESTIONNAIRE = "questionnaire"
    RULES = "rules"
    PRICES = "prices"


Body = Questionnaire | Rules | Prices
_TYPES: Final[dict[DocumentKind, Any]] = {
    DocumentKind.QUESTIONNAIRE: Questionnaire,
    DocumentKind.RULES: Rules,
    DocumentKind.PRICES: Prices,
}


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document, in force from effective_from on."""

    kind: DocumentKind
    version: int
    effective_from: datetime
    body: Any  # as _TYPES has it for the kind


def read_body(kind: DocumentKind, raw: object) -> Body:
    """The body of a document from its JSON value. Raises DocumentInvalid with every fault."""
    try:
        body: Body = msgspec.convert(raw, _TYPES[kind], strict=True)
    except msgspec.ValidationError as error:
        _, _, path = str(error).partition(" - at `$")
        problem = {"path": path.rstrip("`").replace(".", "/"), "en": str(error)}
        raise errors.with_problems(errors.DocumentInvalid, [problem]) from error
    faults = faults_of(body)
    if faults:
        raise errors.with_problems(errors.DocumentInvalid, faults)
    return body


def faults_of(body: Body) -> list[dict[str, Any]]:
    """Why a body cannot be used, beyond its shape: path, and what must be, in English."""
    match body:
        case Questionnaire():
            return facts.faults_of(body)
        case Rules():
            return rules.faults_of(body)
        case Prices():
            return prices.faults_of(body)


def decode_body(kind: DocumentKind, text: bytes | str) -> Body:
    """A body as it is kept. Raises msgspec.ValidationError where it was kept by other code."""
    body: Body = msgspec.json.decode(text, type=_TYPES[kind])
    return body


def encode_body(body: Body) -> bytes:
    """A body as it is kept."""
    return msgspec.json.encode(body)


def to_json(body: Body) -> dict[str, Any]:
    """A body as HTTP shows it."""
    shown: dict[str, Any] = msgspec.to_builtins(body)
    return shown
