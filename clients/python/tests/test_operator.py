"""The operator's client: paths and bodies as documented, pages, history, imports."""

import hashlib
import json
from typing import Any

import pytest

import peyvand
from peyvand import administration, member_import, operators, transport

from .operator_calls import AT, CALLS, PART, PROGRAMME, TERMS, Call

ANY = {  # what every call can read its answer in
    "events": 1,
    "items": [], "next": None, "counts": {"queued": 1}, "terminal": 9, "epoch": 1, "key_id": "k",
    "key": "k", "member": 1, "account": 1, "shard": 1, "qr": "PV1x",
    "card": {"number": "6037", "last4": "6037", "identifier_id": "i"},
    "session": "s", "token": "pvs_s_x", "user": "u-1", "roles": [], "withheld": [],
    "idle_ends_at": "2026-03-21T00:00:00Z", "ends_at": "2026-03-21T00:00:00Z", "ended": 0,
    "factor": "f-1", "uri": None, "recovery_codes": None, "name": "x", "text": None,
}  # fmt: skip


@pytest.mark.parametrize(("told", "call"), CALLS)
async def test_every_call_uses_the_documented_method_and_path(
    scripted: Any, operator: peyvand.Operator, reply: Any, told: str, call: Call
) -> None:
    scripted.script = [reply(200, json.dumps(ANY).encode())]
    await call(operator)
    (seen,) = scripted.seen
    assert f"{seen.method} {seen.path}" == told


async def test_queries_and_bodies_are_as_documented(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(200, b'{"items":[],"next":null}')]
    await operator.merchants(7, reference="x/ y")
    await operator.cases("c", status="open")
    await operator.statement(1_000_001, 77)
    await operator.put_terminal(5, 9, branch=1)
    await operator.put_review_outcome("c-1", "release", note="ok")
    await operator.put_terms(1, TERMS)
    await operator.put_programme(5, 1, PROGRAMME)
    merchants, cases, statement, terminal, verdict, terms, programme = scripted.seen
    assert merchants.query == {"after": "7", "limit": "200", "reference": "x/ y"}
    assert cases.query == {"after": "c", "limit": "200", "status": "open"}
    assert statement.query == {"before": "77", "limit": "200"}
    assert json.loads(terminal.body) == {"branch": 1}
    assert json.loads(verdict.body) == {"verdict": "release", "note": "ok"}
    assert json.loads(terms.body)["fee_bp"] == 200
    sent = json.loads(programme.body)
    assert sent["effective_from"] == "2026-03-21T00:00:00Z"
    assert "backdated" not in sent


async def test_moments_are_asked_for_as_documented(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(200, b'{"items":[],"next":null}')]
    await operator.balance(1_000_001, AT)
    await operator.balance(1_000_001, 17)
    await operator.lots(1_000_001, 9, which="all", as_of=17)
    await operator.statement(1_000_001, part=PART)
    await operator.positions("5.6", as_of={"0": 12, "1": 0})
    await operator.vintages(issuer=5, as_of=AT)
    await operator.inclusion_proof(3, 17, size=40)
    await operator.consistency_proof(3, 10, 40)
    await operator.entry_proof(1_000_001, 4, unit="MP", issuer=5)
    assert [seen.query for seen in scripted.seen] == [
        {"at": "2026-03-21T00:00:00+00:00"},
        {"sequence": "17"},
        {"which": "all", "after": "9", "limit": "200", "sequence": "17"},
        {
            "unit": "NP", "order": "oldest", "flow": "all", "after": "5",
            "since": "2026-03-21T00:00:00+00:00", "limit": "200",
        },
        {"after": "5.6", "limit": "200", "vector": "0:12,1:0"},
        {"issuer": "5", "at": "2026-03-21T00:00:00+00:00", "limit": "200"},
        {"size": "40"},
        {"old": "10", "new": "40"},
        {"unit": "MP", "issuer": "5"},
    ]  # fmt: skip


async def test_windows_are_cut_and_their_lines_followed_as_documented(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(200, b'{"items":[],"next":null}')]
    await operator.cut_window(2)
    await operator.cut_window(2, dry_run=True)
    await operator.windows(7)
    await operator.party_transactions(2, 5, "0.9", side="due", counterparty=6)
    cut, preview, windows, behind = scripted.seen
    assert (json.loads(cut.body), json.loads(preview.body)) == ({}, {"dry_run": True})
    assert windows.query == {"before": "7", "limit": "200"}
    assert behind.query == {"side": "due", "counterparty": "6", "after": "0.9", "limit": "200"}
    scripted.script = [reply(200, "\ufeffدوره\r\n".encode())]
    assert await operator.party_statement_csv(2, 5) == "\ufeffدوره\r\n"
    scripted.script = [reply(200, b"%PDF-1.7\n\xe2\xe3")]
    assert await operator.merchant_statement_pdf(5, 2) == b"%PDF-1.7\n\xe2\xe3"


def test_a_statements_digest_is_of_all_its_pieces_and_of_no_address() -> None:
    of_line = (
        "side counterparty title_fa title_en entries_count claims_rial reversed_rial fee_rial"
        " paid_rial own_discount_rial released_rial effect_rial"
    )
    of_head = (
        "window opened_at cut_at closed_at party title_fa title_en opening_rial claims_rial"
        " claims_reversed_rial dues_rial dues_reversed_rial fee_rial corrections_rial"
        " position_rial paid_rial closing_rial"
    )
    of_dispute = (
        "dispute window counterparty title_fa title_en correction_rial paid_rial effect_rial"
    )
    line: dict[str, object] = dict.fromkeys(of_line.split(), "1")
    head: dict[str, object] = dict.fromkeys(of_head.split(), "1")
    head["title_fa"] = "نان"
    dispute: dict[str, object] = dict.fromkeys(of_dispute.split(), "1")
    head["disputes"] = [dispute]
    pieces = [
        head | {"lines": [line | {"transactions": "/v1/a"}], "next": "2.3", "added_later": 1},
        head | {"lines": [line | {"transactions": "/v1/b"}], "disputes": [], "next": None},
    ]
    text = json.dumps(
        head | {"lines": [line, line]}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    assert '"title_fa":"نان"' in text
    assert peyvand.statement_sha256(pieces) == hashlib.sha256(text.encode()).hexdigest()
    for torn in (pieces[:1], []):
        with pytest.raises(ValueError, match="all pieces"):
            peyvand.statement_sha256(torn)


async def test_a_parameter_with_several_values_is_repeated() -> None:
    path = transport.path_of("revenue", at=[AT, AT], allocated_rial=[7], month=None)
    time = "2026-03-21T00%3A00%3A00%2B00%3A00"
    assert path == f"/v1/revenue?at={time}&at={time}&allocated_rial=7"


async def test_a_checkpoint_is_text_as_it_was_signed(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(200, "peyvand.local/ledger/3\n…\n— x y\n".encode())]
    assert await operator.checkpoint(3, size=7) == "peyvand.local/ledger/3\n…\n— x y\n"
    assert scripted.seen[0].query == {"size": "7"}
    scripted.script = [reply(404, b'{"code":"no-checkpoint","detail":"d","fa":"f"}')]
    with pytest.raises(peyvand.NotFound):
        await operator.checkpoint(3)


async def test_activation_and_enrolment_are_typed(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [
        reply(201, b'{"terminal":9,"epoch":3,"key_id":"k","key":"pvt_9_k_s"}'),
        reply(200, b'{"terminal":9,"epoch":3,"key_id":"k","key":null}'),
        reply(
            201,
            b'{"member":1,"account":1000001,"shard":5,"qr":"PV1x","card":'
            b'{"number":"6037990000000006","last4":"0006","identifier_id":"i"}}',
        ),
    ]
    first = await operator.activate_terminal(9, "u")
    assert (first.epoch, first.key) == (3, "pvt_9_k_s")
    assert (await operator.activate_terminal(9, "u")).key is None
    enrolled = await operator.enrol("u", {"mobile": "09121234567"})
    assert (enrolled.account, enrolled.card.last4) == (1_000_001, "0006")


async def test_problems_and_strange_replies_are_raised(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(409, b'{"code":"already-decided","detail":"d","fa":"f"}')]
    with pytest.raises(peyvand.Conflict):
        await operator.put_review_outcome("c", "cancel")
    scripted.script = [reply(200, b"nonsense")]
    with pytest.raises(peyvand.BadReply):
        await operator.positions()
    scripted.script = [reply(503, b'{"code":"unavailable"}')]
    with pytest.raises(peyvand.Unavailable):
        await operator.positions()
    assert len(scripted.seen) == 6  # the last was tried four times


async def test_a_list_is_read_to_its_end(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [
        reply(200, b'{"items":[{"case":"a"},{"case":"b"}],"next":"b"}'),
        reply(200, b'{"items":[{"case":"c"}],"next":null}'),
    ]
    found = [item["case"] async for item in operators.every(operator.cases)]
    assert found == ["a", "b", "c"]
    assert scripted.seen[1].query["after"] == "b"


async def test_history_is_posted_and_followed(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    answer = (
        b'{"id":"3.h.5.a%2Eb.purchase","kind":"purchase","status":"completed",'
        b'"occurred_at":"2026-03-21T00:00:00Z","accepted_at":"2026-03-21T00:00:00Z"}'
    )
    whole = b'{"id":"3.h.5.a%2Eb.purchase","first_answer":' + answer
    scripted.script = [
        reply(202, b'{"id":"3.h.5.a%2Eb.purchase"}'),
        reply(200, whole + b',"current":{"status":"completed"}}'),
        reply(200, answer),
    ]
    heard = await operator.post_history(
        peyvand.HistoricPurchase(
            merchant=5,
            transaction="a.b",
            identifier=peyvand.Identifier(external="h-1"),
            occurred_at=AT,
            amount_rial=100,
        )
    )
    assert isinstance(heard, peyvand.Answered)
    assert heard.body == answer
    assert json.loads(scripted.seen[0].body) == {
        "merchant": 5,
        "transaction": "a.b",
        "identifier": {"external": "h-1"},
        "occurred_at": "2026-03-21T00:00:00Z",
        "amount_rial": 100,
    }


async def test_an_import_goes_in_chunks_and_names_bad_lines_by_their_number(
    scripted: Any, operator: peyvand.Operator
) -> None:
    from aiohttp import web

    async def answer(request: Any, body: bytes) -> Any:
        lines = [json.loads(line) for line in body.splitlines()]
        bad = [
            {"line": n, "code": "mobile-wrong", "detail": "d", "fa": "f"}
            for n, line in enumerate(lines, 1)
            if line["mobile"] == "bad"
        ]
        counts = {"enrolled": len(lines) - len(bad), "known": 0, "bad": bad}
        return web.json_response(counts)

    scripted.script = [answer]
    mobiles = ["a", "bad", "c", "d", "bad"]
    lines = [
        (number * 10, member_import.line_of(administration.ImportedLine(mobile=mobile)))
        for number, mobile in enumerate(mobiles, 1)
    ]
    progress: list[int] = []
    report = await member_import.import_members(
        operator, lines, progress=progress.append, chunk_lines=2
    )
    assert (report.lines, report.enrolled, report.known) == (5, 3, 0)
    assert [bad.line for bad in report.bad] == [20, 50]
    assert progress == [4, 5]
    assert [s.path for s in scripted.seen] == ["/v1/members/import"] * 3
    assert scripted.seen[0].headers["Content-Type"] == "application/x-ndjson"


async def test_an_import_that_is_refused_whole_raises_the_problem(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(401, b'{"code":"key-unknown"}')]
    with pytest.raises(peyvand.Unauthorized):
        await member_import.import_members(operator, [(1, b"{}"), (2, b"{}")], chunk_lines=1)
    scripted.script = [reply(200, b"[]")]
    with pytest.raises(peyvand.BadReply):
        await member_import.import_members(operator, [(1, b"{}")])
