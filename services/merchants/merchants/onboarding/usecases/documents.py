"""Publishing and reading the documents that an assessment rests on."""

from datetime import datetime, timedelta
from typing import Any, Final

from kit.base import versions
from kit.base.db import Tx
from merchants import errors, settings
from merchants.onboarding import store
from merchants.onboarding.domain.documents import Document, DocumentKind
from merchants.onboarding.domain.errors import NothingInForce
from merchants.onboarding.domain.questionnaire import Questionnaire

_PROPAGATION: Final = timedelta(seconds=settings.PROPAGATION_S)


async def publish_document(tx: Tx, draft: Document, *, now: datetime) -> tuple[Document, bool]:
    """The version as it is kept, and whether it is new.

    Raises AlreadyExistsDifferently, VersionNotNext, EffectiveTooSoon.
    """
    await store.lock_documents(tx, draft.kind)
    existing = await store.find_document(tx, draft.kind, draft.version)
    newest = await store.find_newest_document(tx, draft.kind)
    if not versions.is_new(draft, existing, newest, earliest=now + _PROPAGATION):
        return draft, False
    await store.insert_document(tx, draft, now)
    return draft, True


async def get_document(tx: Tx, kind: DocumentKind, version: int) -> Document:
    """One version. Raises Unknown."""
    document = await store.find_document(tx, kind, version)
    if document is None:
        raise errors.Unknown(f"there is no version {version} of {kind}")
    return document


async def list_documents(tx: Tx, kind: DocumentKind, *, after: int, limit: int) -> list[Document]:
    """Versions in order, above after."""
    return await store.list_documents(tx, kind, after=after, limit=limit)


async def in_force(tx: Tx, kind: DocumentKind, now: datetime) -> Document:
    """The version in force. Raises NothingInForce."""
    document = await store.find_document_in_force(tx, kind, now)
    if document is None:
        raise NothingInForce(f"no version of {kind} is in force yet; publish one")
    return document


async def get_questionnaire(tx: Tx, version: int) -> Questionnaire:
    """The questions of a version. Raises Unknown."""
    paper: Any = (await get_document(tx, DocumentKind.QUESTIONNAIRE, version)).body
    return paper
