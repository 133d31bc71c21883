"""The printed statement at its door: the JSON's figures and digest, who may have it, who waits."""

import asyncio
import hashlib
import io
import json
import re
import time
from collections import Counter
from typing import Any
from urllib.parse import unquote

import pypdfium2
import pytest

from kit.base.db import Database
from merchants.parties import usecases as parties
from merchants.parties.domain import Party
from merchants.printing import press
from merchants.printing.press import Press, PressBusy
from merchants.printing.sheet import Sheet
from merchants.statements.domain import printed

from .conftest import SHARDS
from .ledger_outcomes import BAKER, GROCER, marker, outcome, owes
from .test_domain_printing import SEAL, drawn_up, line, texts
from .test_statements import PARTIES, close
from .test_statements import closed as closed  # a fixture

pytestmark = pytest.mark.SH14
# and whatever the JSON gets later: papers of today stay comparable
NOT_SEALED = {"next", "transactions"}


async def pages_of(door: Any, path: str) -> list[dict[str, Any]]:
    """The JSON of a statement in pieces of two lines."""
    pieces: list[dict[str, Any]] = []
    query = "?limit=2"
    while True:
        pieces.append((await door("GET", path + query)).json())
        if pieces[-1]["next"] is None:
            return pieces
        query = f"?limit=2&after={pieces[-1]['next']}"


def digest_of(pieces: list[dict[str, Any]]) -> str:
    """By the definition on the paper, written down a second time."""
    lines = [
        {name: told for name, told in one.items() if name not in NOT_SEALED}
        for piece in pieces
        for one in piece["lines"]
    ]
    head = {name: told for name, told in pieces[0].items() if name not in NOT_SEALED}
    whole = head | {"lines": lines}
    text = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("window", [1, 2])
async def test_the_paper_has_the_jsons_figures_and_its_digest(door: Any, window: int) -> None:
    path = f"/v1/windows/{window}/statements/3"
    answer = await door("GET", f"{path}/pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    pieces = await pages_of(door, path)
    (page,) = texts(answer.content)
    assert digest_of(pieces) in page
    told = [text for name, text in pieces[0].items() if name.endswith("_rial")]
    for piece in pieces:
        for one in piece["lines"]:
            told += [text for name, text in one.items() if name.endswith("_rial")]
            told += [str(one["entries_count"])]
    expected = Counter(text if not text.startswith("-") else f"({text[1:]})" for text in told)
    assert not expected - Counter(page.split())
    assert answer.content == (await door("GET", f"{path}/pdf")).content


@pytest.mark.usefixtures("closed")
async def test_the_file_has_a_persian_name_and_a_plain_one(door: Any) -> None:
    answer = await door("GET", "/v1/windows/۱/statements/۳/pdf")
    kind, plain, extended = answer.headers["content-disposition"].split("; ")
    assert (kind, plain) == ("attachment", 'filename="statement-1-3.pdf"')
    assert unquote(extended.removeprefix("filename*=UTF-8''")) == "صورت‌حساب-۱-۳.pdf"
    assert re.fullmatch(r"filename\*=UTF-8''[A-Za-z0-9%.-]+", extended)


@pytest.mark.usefixtures("closed")
async def test_a_merchants_reader_prints_its_own_partys_statement_and_no_others(door: Any) -> None:
    own = await door("GET", "/v1/merchants/5/statements/1/pdf", roles=("merchant:5",))
    assert own.content == (await door("GET", "/v1/windows/1/statements/3/pdf")).content
    for path in ("/v1/merchants/5/statements/1/pdf", "/v1/windows/1/statements/3/pdf"):
        assert (await door("GET", path, roles=("merchant:6",))).status_code == 403
    assert (await door("GET", "/v1/windows/1/statements/3/pdf", roles=())).status_code == 401


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    "path",
    [
        "/v1/windows/9/statements/3", "/v1/windows/3/statements/3", "/v1/windows/1/statements/99",
        "/v1/windows/0/statements/3", "/v1/windows/x/statements/3",
        "/v1/windows/99999999999999999999/statements/3", "/v1/merchants/99/statements/1",
        "/v1/merchants/5/statements/9", "/v1/merchants/5/statements/3",
    ],
)  # fmt: skip
async def test_what_is_missing_open_or_malformed_is_said_as_for_the_json(
    door: Any, path: str
) -> None:
    paper, data = await door("GET", f"{path}/pdf"), await door("GET", path)
    assert 400 <= paper.status_code == data.status_code < 500
    assert paper.headers["content-type"] == "application/problem+json"
    for name in ("code", "fa", "title"):
        assert paper.json()[name] == data.json()[name]


@pytest.mark.usefixtures("closed")
async def test_a_party_without_lines_has_a_paper(door: Any) -> None:
    (page,) = texts((await door("GET", "/v1/windows/1/statements/4/pdf")).content)
    assert digest_of(await pages_of(door, "/v1/windows/1/statements/4")) in page


async def test_of_a_person_the_last_four_digits_are_printed(pool: Database, door: Any) -> None:
    async with pool.transaction() as tx:
        person = Party(GROCER, "علی", "Ali", national_id="0012345679", mobile="+989121234567")
        for party in (PARTIES[0], person):
            await parties.register_party(tx, party)
        bought = (0, outcome(1, owes(BAKER, GROCER, 7_000)))
        markers = [(0, marker(2, 1)), *((shard, marker(1, 1)) for shard in range(1, SHARDS))]
        await close(tx, 1, [bought, *markers])
    answer = await door("GET", f"/v1/windows/1/statements/{GROCER}/pdf")
    (page,) = texts(answer.content)
    assert "5679" in page
    for private in ("0012345679", "001234", "9121234567"):
        assert private not in page


async def test_what_is_too_long_is_refused_and_stays_readable(pool: Database, door: Any) -> None:
    debtors = range(100, 100 + printed.LINES_MAX)
    lines = tuple(entry for debtor in debtors for entry in owes(debtor, GROCER, debtor))
    async with pool.transaction() as tx:
        await parties.register_party(tx, PARTIES[1])
        for window, more in ((1, ()), (2, owes(99, GROCER, 99))):
            whole = (0, outcome(2 * window - 1, lines + more))
            marks = [
                (shard, marker(window if shard else 2 * window, window)) for shard in range(SHARDS)
            ]
            await close(tx, window, [whole, *marks])
    printable = await door("GET", "/v1/windows/1/statements/3/pdf")
    assert printable.status_code == 200
    assert len(pypdfium2.PdfDocument(printable.content)) > 40
    refused = await door("GET", "/v1/windows/2/statements/3/pdf")
    assert (refused.status_code, refused.json()["code"]) == (422, "statement-too-long")
    assert "CSV" in refused.json()["fa"]
    assert (await door("GET", "/v1/windows/2/statements/3/csv")).status_code == 200


# ---------------------------------------------------------------------------------------- the press


def sheet(lines_count: int) -> Sheet:
    lines = [line(index, 1_000_003 * index) for index in range(1, lines_count + 1)]
    return printed.sheet_of(drawn_up(*lines), SEAL)


async def test_the_loop_goes_on_while_a_sheet_is_set() -> None:
    began = time.perf_counter()
    printing = asyncio.ensure_future(Press().pdf_of(sheet(500)))
    longest_s, rounds = 0.0, 0
    while not printing.done():
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        longest_s, rounds = max(longest_s, time.perf_counter() - before), rounds + 1
    assert len(pypdfium2.PdfDocument(io.BytesIO(printing.result()))) > 20
    assert rounds > 10
    assert longest_s < (time.perf_counter() - began) / 2


async def test_sheets_are_set_one_at_a_time_and_few_wait() -> None:
    one = Press()
    waiting = [asyncio.ensure_future(one.pdf_of(sheet(40))) for _ in range(press.WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(PressBusy):
        await one.pdf_of(sheet(1))
    pdfs = await asyncio.gather(*waiting)
    assert len(set(pdfs)) == 1
    assert (await one.pdf_of(sheet(1)))[:5] == b"%PDF-"


async def test_a_caller_who_goes_away_gives_its_place_back() -> None:
    one = Press()
    for _ in range(press.WAITING_MAX + 1):
        gone = asyncio.ensure_future(one.pdf_of(sheet(30)))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        await asyncio.wait_for(one.pdf_of(sheet(1)), 10)
