"""Sending and reading evidence."""

from dataclasses import dataclass

from kit.base.db import Tx
from merchants import errors
from merchants.disputes.domain import evidence
from merchants.disputes.domain.evidence import EvidenceFile
from merchants.disputes.domain.refusals import NotThere, TooManyFiles, UnknownFile
from merchants.disputes.store import evidence as store
from merchants.disputes.usecases import disputes
from merchants.disputes.usecases.disputes import By


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it comes. file: the sender's UUID."""

    dispute: str
    file: str
    title: str
    content: bytes


async def send_file(tx: Tx, sent: Sent, party: int, by: By) -> tuple[EvidenceFile, bool]:
    """Keep a file of a party's side while the dispute lives; whether it is new.

    The same again gives what there is. Raises UnknownDispute, FileTypeUnknown, Differs, NotThere,
    TooManyFiles.
    """
    dispute = await disputes.lock_dispute(tx, sent.dispute, party)
    media_type = evidence.media_type_of(sent.content)
    fresh = EvidenceFile(
        dispute=sent.dispute,
        file=sent.file,
        party=party,
        title=sent.title,
        media_type=media_type,
        sha256=evidence.digest(sent.content),
        size_bytes=len(sent.content),
        sent_at=by.now,
        sent_by=by.subject,
    )
    kept = await store.find_file(tx, sent.dispute, sent.file)
    if kept is not None:
        if (kept.party, kept.title, kept.sha256) != (party, fresh.title, fresh.sha256):
            raise errors.Differs("this file was another one; make a new UUID")
        return kept, False
    if not dispute.is_live:
        raise NotThere(f"the dispute is {dispute.state.value}", state=dispute.state.value)
    if await store.count_files(tx, sent.dispute, party) >= evidence.FILES_MAX:
        raise TooManyFiles(f"each side sends {evidence.FILES_MAX} files at most")
    await store.insert_file(tx, fresh, sent.content)
    return fresh, True


async def get_file(tx: Tx, dispute: str, file: str, party: int) -> tuple[EvidenceFile, bytes]:
    """A file of either side with its content. Raises UnknownDispute, UnknownFile."""
    await disputes.get_dispute(tx, dispute, party)
    kept = await store.find_file(tx, dispute, file)
    if kept is None:
        raise UnknownFile(f"the dispute has no file {file}")
    return kept, await store.find_content(tx, dispute, file)
