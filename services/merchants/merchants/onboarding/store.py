"""All the SQL of applications and of the documents that their assessment rests on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from kit.base.db import Record, Tx
from kit.base.versions import Newest
from merchants.onboarding.domain import documents
from merchants.onboarding.domain.applications import Applicant, Application, State, Transition
from merchants.onboarding.domain.documents import Document, DocumentKind
from merchants.onboarding.domain.questionnaire import Answers

_DOCUMENT: Final = (
    "select kind, version, effective_from, body::text as body from onboarding_documents"
)
_APPLICATION: Final = (
    "select application::text as application, applicant::text as applicant, questionnaire_version,"
    " answers::text as answers, state, applied_at, applied_by from applications"
)


async def lock_documents(tx: Tx, kind: DocumentKind) -> None:
    """One publisher of a kind at a time, until the transaction ends."""
    await tx.execute(
        "select pg_advisory_xact_lock(hashtext('merchants.onboarding'), hashtext($1))", kind.value
    )


async def insert_document(tx: Tx, document: Document, published_at: datetime) -> None:
    """Add a version."""
    await tx.execute(
        "insert into onboarding_documents (kind, version, effective_from, body, published_at)"
        " values ($1, $2, $3, $4::text::jsonb, $5)",
        document.kind.value,
        document.version,
        document.effective_from,
        documents.encode_body(document.body).decode(),
        published_at,
    )


async def find_document(tx: Tx, kind: DocumentKind, version: int) -> Document | None:
    """One version, or None."""
    row = await tx.fetchrow(_DOCUMENT + " where kind = $1 and version = $2", kind.value, version)
    return None if row is None else _document(row)


async def find_newest_document(tx: Tx, kind: DocumentKind) -> Newest | None:
    """Number and start of the newest version, or None."""
    row = await tx.fetchrow(
        "select version, effective_from from onboarding_documents where kind = $1"
        " order by version desc limit 1",
        kind.value,
    )
    return None if row is None else Newest(**dict(row))


async def find_document_in_force(tx: Tx, kind: DocumentKind, at: datetime) -> Document | None:
    """The version in force at a time, or None: no version is backdated, so the highest started."""
    row = await tx.fetchrow(
        _DOCUMENT + " where kind = $1 and effective_from <= $2 order by version desc limit 1",
        kind.value,
        at,
    )
    return None if row is None else _document(row)


async def list_documents(tx: Tx, kind: DocumentKind, *, after: int, limit: int) -> list[Document]:
    """Versions in order, above after."""
    rows = await tx.fetch(
        _DOCUMENT + " where kind = $1 and version > $2 order by version limit $3",
        kind.value,
        after,
        limit,
    )
    return [_document(row) for row in rows]


async def insert_application(tx: Tx, application: Application) -> bool:
    """False when the id is taken."""
    tag = await tx.execute(
        "insert into applications (application, applicant, questionnaire_version, answers, state,"
        " applied_at, applied_by) values ($1::uuid, $2::text::jsonb, $3, $4::text::jsonb, $5, $6,"
        " $7) on conflict do nothing",
        application.application,
        msgspec.json.encode(application.applicant).decode(),
        application.questionnaire_version,
        msgspec.json.encode(application.answers).decode(),
        application.state.value,
        application.applied_at,
        application.applied_by,
    )
    return tag == "INSERT 0 1"


async def find_application(tx: Tx, application: str) -> Application | None:
    """The application, or None."""
    row = await tx.fetchrow(_APPLICATION + " where application = $1::uuid", application)
    return None if row is None else _application(row)


async def lock_application(tx: Tx, application: str) -> Application | None:
    """The application, locked until the transaction ends, or None."""
    row = await tx.fetchrow(
        _APPLICATION + " where application = $1::uuid for no key update", application
    )
    return None if row is None else _application(row)


async def list_applications(
    tx: Tx, *, state: State | None, after: str, limit: int
) -> list[Application]:
    """Applications in the order of their ids, above after; of one state, or of all."""
    rows = await tx.fetch(
        _APPLICATION + " where application > $1::uuid and ($2::text is null or state = $2)"
        " order by application limit $3",
        after,
        None if state is None else state.value,
        limit,
    )
    return [_application(row) for row in rows]


async def insert_transition(tx: Tx, application: str, transition: Transition) -> None:
    """Add a state that was reached; one that was reached before is a DataError."""
    await tx.execute(
        "insert into application_transitions (application, state, at, by, document)"
        " values ($1::uuid, $2, $3, $4, $5::text::jsonb)",
        application,
        transition.state.value,
        transition.at,
        transition.by,
        transition.document.decode(),
    )


async def update_state(tx: Tx, application: str, state: State) -> None:
    """Write the present state of an application."""
    await tx.execute(
        "update applications set state = $2 where application = $1::uuid", application, state.value
    )


async def list_transitions(tx: Tx, application: str) -> Sequence[Transition]:
    """The states that an application reached, in their order; there are few."""
    rows = await tx.fetch(
        "select state, at, by, document::text as document from application_transitions"
        " where application = $1::uuid order by number limit 10",
        application,
    )
    return [
        Transition(
            state=State(row["state"]),
            at=row["at"],
            by=row["by"],
            document=row["document"].encode(),
        )
        for row in rows
    ]


def _document(row: Record) -> Document:
    kind = DocumentKind(row["kind"])
    body = documents.decode_body(kind, row["body"])
    return Document(kind, row["version"], row["effective_from"], body)


def _application(row: Record) -> Application:
    return Application(
        application=row["application"],
        applicant=msgspec.json.decode(row["applicant"], type=Applicant),
        questionnaire_version=row["questionnaire_version"],
        answers=msgspec.json.decode(row["answers"], type=Answers),
        state=State(row["state"]),
        applied_at=row["applied_at"],
        applied_by=row["applied_by"],
    )
