"""Evidence: files of either side, kept as they came, shown to the two parties and the network."""

import asyncio
import hashlib
import uuid
from typing import Any

import pytest

from kit.base.db import Database
from merchants.disputes.domain.evidence import FILE_BYTES_MAX

from .disputing import NETWORK_ROLES, Parties, arranged, id_of
from .ledger_outcomes import BAKER, FLORIST, GROCER
from .test_disputes import refusal

pytestmark = pytest.mark.SH14
PDF = b"%PDF-1.7\n\x00\xff receipt"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"


@pytest.fixture
async def parties(door: Any, pool: Database) -> Parties:
    arranged_parties = await arranged(door, pool)
    assert (await arranged_parties.open()).status_code == 201
    return arranged_parties


def path_of(party: int, file: int = 1, dispute: int = 1, title: str = "") -> str:
    query = f"?title={title}" if title else ""
    return f"/v1/evidence/{party}/{id_of(dispute)}/{uuid.UUID(int=file)}{query}"


async def send(parties: Parties, party: int, content: bytes, *path: Any, **named: Any) -> Any:
    return await parties.door(
        "PUT",
        path_of(party, *path, **named),
        content,
        roles=(f"party:{party}",),
        content_type="application/octet-stream",
    )


async def test_a_file_is_kept_as_it_came_and_seen_by_both_and_the_network(
    parties: Parties,
) -> None:
    first = await send(parties, BAKER, PDF, title="رسید")
    assert first.status_code == 201, first.text
    kept = first.json()
    assert (kept["party"], kept["media_type"], kept["title"]) == (BAKER, "application/pdf", "رسید")
    assert (kept["sha256"], kept["size_bytes"]) == (hashlib.sha256(PDF).hexdigest(), len(PDF))
    again = await send(parties, BAKER, PDF, title="رسید")
    assert (again.status_code, again.json()) == (200, kept)
    assert (await parties.get())["files"] == [kept]
    callers = (
        (BAKER, (f"party:{BAKER}",)),
        (GROCER, (f"party:{GROCER}",)),
        (GROCER, ("auditor",)),
        (BAKER, ("partners",)),
    )
    for party, roles in callers:
        file = await parties.door("GET", path_of(party), roles=roles)
        assert (file.status_code, file.content) == (200, PDF)
        assert file.headers["content-type"] == "application/pdf"
        assert file.headers["x-content-type-options"] == "nosniff"
        assert file.headers["content-disposition"].startswith("attachment; ")


async def test_another_file_under_the_same_id_is_refused(parties: Parties) -> None:
    await send(parties, BAKER, PDF)
    for party, content, title in ((BAKER, PNG, ""), (BAKER, PDF, "x"), (GROCER, PDF, "")):
        other = await send(parties, party, content, title=title)
        assert refusal(other) == (422, "already-exists-differently")
    assert (await parties.door("GET", path_of(BAKER))).content == PDF


async def test_a_third_party_neither_sends_nor_sees_files(parties: Parties) -> None:
    await send(parties, BAKER, PDF)
    own = (f"party:{FLORIST}",)
    assert refusal(await send(parties, FLORIST, PDF, 2)) == (404, "unknown-dispute")
    stranger = await parties.door("GET", path_of(FLORIST), roles=own)
    assert refusal(stranger) == (404, "unknown-dispute")
    assert refusal(await parties.door("GET", path_of(BAKER), roles=own)) == (403, "forbidden")
    for roles in (("support",), ("terminals",), ("merchant:20",)):
        refused = await parties.door("GET", path_of(BAKER), roles=roles)
        assert refusal(refused) == (403, "forbidden"), roles
    missing = await parties.door("GET", path_of(BAKER, 9), roles=NETWORK_ROLES)
    assert refusal(missing) == (404, "unknown-file")


@pytest.mark.parametrize("content", [b"", b"<html><script>", b"PK\x03\x04", b'{"a":1}'])
async def test_what_is_no_document_or_picture_is_refused(parties: Parties, content: bytes) -> None:
    assert refusal(await send(parties, BAKER, content)) == (422, "file-type-unknown")
    assert (await parties.get())["files"] == []


async def test_a_file_has_five_mebibytes_at_most(parties: Parties) -> None:
    largest = PDF + bytes(FILE_BYTES_MAX - len(PDF))
    assert refusal(await send(parties, BAKER, largest + b"x")) == (413, "too-large")
    assert (await send(parties, BAKER, largest)).status_code == 201
    assert (await parties.door("GET", path_of(BAKER))).content == largest


async def test_each_side_sends_ten_files(parties: Parties) -> None:
    sent = [await send(parties, BAKER, PDF, number) for number in range(1, 10)]
    assert {one.status_code for one in sent} == {201}
    racing = [send(parties, BAKER, PDF, number) for number in range(10, 14)]
    codes = sorted([one.status_code for one in await asyncio.gather(*racing)])
    assert codes == [201, 409, 409, 409]
    assert refusal(await send(parties, BAKER, PDF, 20)) == (409, "too-many-files")
    assert (await send(parties, GROCER, PDF, 21)).status_code == 201  # the other side's own ten
    assert (await send(parties, BAKER, PDF, 1)).status_code == 200


async def test_after_the_end_nothing_is_added_and_all_is_still_seen(parties: Parties) -> None:
    await send(parties, BAKER, PDF)
    await parties.withdraw()
    assert refusal(await send(parties, GROCER, PDF, 2)) == (409, "dispute-not-there")
    assert (await send(parties, BAKER, PDF)).status_code == 200
    assert (await parties.door("GET", path_of(GROCER))).content == PDF
