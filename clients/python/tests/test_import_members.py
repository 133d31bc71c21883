"""Members from a file: CSV and NDJSON, compressed or not, bad lines by their number."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from rich.console import Console

from peyvand import import_members
from peyvand.files import text as files_in


class ImportGateway:
    """Answers imports as the cluster does: a mobile that starts with 0 is good, "0known" known."""

    def __init__(self) -> None:
        self.url, self.key = "", "pvo_operator_x"
        self.lines: list[dict[str, object]] = []

    async def party(self, request: web.Request) -> web.Response:
        if request.match_info["party"] == "4000":
            return web.json_response({"party": 4_000, "title_fa": "ه", "title_en": "h"})
        return web.json_response({"code": "not-found", "detail": "none", "fa": "نیست"}, status=404)

    async def handle(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {self.key}"
        lines = [json.loads(line) for line in (await request.read()).splitlines()]
        self.lines += lines
        bad = [
            {"line": n, "code": "mobile-wrong", "detail": "not a mobile number", "fa": "نادرست"}
            for n, line in enumerate(lines, 1)
            if not line["mobile"].startswith("0")
        ]
        known = sum(line["mobile"] == "0known" for line in lines)
        enrolled = len(lines) - len(bad) - known
        return web.json_response({"enrolled": enrolled, "known": known, "bad": bad})


@pytest_asyncio.fixture
async def door() -> AsyncIterator[ImportGateway]:
    found = ImportGateway()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/v1/members/import", found.handle)
    app.router.add_get("/v1/parties/{party}", found.party)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


def _console() -> Console:
    return Console(file=io.StringIO(), width=200)


CSV = """mobile,name,receipts,external
0912,"علی
رضایی",yes,h-1
x,بد,,
0known,,0,

0913,سارا,perhaps,
0914,کم
0935,رضا,بله,h-2
"""
NDJSON = (
    '{"mobile":"0912","name":"علی","receipts":true,"external":"h-1"}\n'
    "\n"
    '{"mobile":"x"}\n'
    '{"mobile":5}\n'
    '{"mobile":"0935","consents":{"terms":true,"receipts":true}}\n'
    "{broken\n"
)


@pytest.mark.parametrize("zipped", [False, True])
async def test_csv_is_read_whole(door: ImportGateway, tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / ("members.csv.gz" if zipped else "members.csv")
    raw = CSV.encode()
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    report = await import_members.run(path, door.url, "pvo_operator_x", console=_console())
    assert (report.lines, report.enrolled, report.known) == (6, 2, 1)
    assert [(bad.line, bad.code) for bad in report.bad] == [
        (4, "mobile-wrong"),
        (7, "unreadable-line"),
        (8, "unreadable-line"),
    ]
    assert door.lines[0] == {
        "mobile": "0912",
        "name": "علی\nرضایی",
        "consents": {"terms": True, "receipts": True},
        "external": "h-1",
    }
    assert door.lines[2]["consents"] == {"terms": True, "receipts": False}


@pytest.mark.parametrize("zipped", [False, True])
async def test_ndjson_is_read_whole(door: ImportGateway, tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / ("members.ndjson.gz" if zipped else "members.ndjson")
    raw = NDJSON.encode()
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    report = await import_members.run(path, door.url, "pvo_operator_x", console=_console())
    assert (report.lines, report.enrolled) == (5, 2)
    assert [bad.line for bad in report.bad] == [3, 4, 6]
    assert door.lines[2]["consents"] == {"terms": True, "receipts": True}


OPEN_QUOTE = """mobile,name,receipts
09120020001,علی,yes
09120020002,"فروشگاه نور,yes
09120020003,سارا,yes
09120020004,رضا,yes
09120020005,مینا,no
09120020006,بهرام,yes
"""


async def test_a_quote_left_open_loses_nobody(door: ImportGateway, tmp_path: Path) -> None:
    """Findings F2: four people behind an open quote vanished without a word."""
    path = tmp_path / "members.csv"
    path.write_text(OPEN_QUOTE)
    report = await import_members.run(path, door.url, "pvo_operator_x", console=_console())
    assert (report.lines, report.enrolled) == (6, 5)
    assert [bad.line for bad in report.bad] == [3]
    assert "گیومه" in report.bad[0].fa
    assert [line["mobile"] for line in door.lines] == [f"0912002000{n}" for n in (1, 3, 4, 5, 6)]


async def test_columns_named_twice_or_parted_by_semicolons_refuse_the_file(
    door: ImportGateway, tmp_path: Path
) -> None:
    """Findings F15: a person was enrolled under another's number; findings N27."""
    twice, other = tmp_path / "twice.csv", tmp_path / "other.csv"
    twice.write_text("mobile,name,mobile\n0912,علی,0913\n")
    other.write_text("mobile;name\n0912;علی\n")
    for path, said in ((twice, "twice: mobile"), (other, "با ویرگول")):
        with pytest.raises(files_in.BadFile, match=said):
            await import_members.run(path, door.url, "pvo_operator_x", console=_console())
    assert door.lines == []


async def test_an_unknown_or_doubled_field_of_a_json_line_is_named(
    door: ImportGateway, tmp_path: Path
) -> None:
    path = tmp_path / "members.ndjson"
    path.write_text('{"mobile":"0912","phone":"x"}\n{"mobile":"0913","mobile":"0914"}\n')
    report = await import_members.run(path, door.url, "pvo_operator_x", console=_console())
    assert [(bad.line, "phone" in bad.detail, "twice" in bad.detail) for bad in report.bad] == [
        (1, True, False),
        (2, False, True),
    ]
    assert door.lines == []


async def test_references_are_of_the_party_that_the_command_names(
    door: ImportGateway, tmp_path: Path
) -> None:
    """Another partner's customers have the same ones; who has none is nobody's."""
    for name, raw in (("members.csv", CSV), ("members.ndjson", NDJSON)):
        path = tmp_path / name
        path.write_text(raw)
        await import_members.run(path, door.url, door.key, console=_console(), party=4_000)
    owners = [(line.get("external"), line.get("party")) for line in door.lines]
    assert owners == [
        *(("h-1", 4_000), (None, None), (None, None), ("h-2", 4_000)),
        *(("h-1", 4_000), (None, None), (None, None)),
    ]


async def test_a_party_that_nobody_registered_refuses_the_file(
    door: ImportGateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PEYVAND_URL", door.url)
    monkeypatch.setenv("PEYVAND_KEY", door.key)
    path = tmp_path / "members.csv"
    path.write_text(CSV)
    told = ["--file", str(path), "--party", "۴۰۰۱", "--json", "--report", str(tmp_path / "r")]
    assert await asyncio.to_thread(import_members.main, told) == import_members.USAGE
    assert "4001" in json.loads(capsys.readouterr().out)["error"]
    assert door.lines == []


async def test_bytes_that_are_no_text_are_a_bad_line(door: ImportGateway, tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_bytes(b"mobile,name\n0912,\xff\xfe\n0913,ok\n")
    report = await import_members.run(path, door.url, "pvo_operator_x", console=_console())
    assert (report.enrolled, [bad.line for bad in report.bad]) == (1, [2])


async def test_what_is_no_such_file_is_said_so(door: ImportGateway, tmp_path: Path) -> None:
    columns = tmp_path / "columns.csv"
    columns.write_text("name,phone\n")
    damaged = tmp_path / "members.csv.gz"
    damaged.write_bytes(gzip.compress(CSV.encode())[:-20])
    for path in (columns, damaged, tmp_path / "missing.csv"):
        with pytest.raises(files_in.BadFile):
            await import_members.run(path, door.url, "pvo_operator_x", console=_console())


async def test_the_report_is_shown(door: ImportGateway, tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_text(CSV)
    console = _console()
    report = await import_members.run(path, door.url, "pvo_operator_x", console=console)
    import_members.show(report, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "4: نادرست · not a mobile number (mobile-wrong)" in shown


async def test_a_report_is_of_its_own_run_and_bad_rows_have_an_exit_status(
    door: ImportGateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Findings F17 and N27."""
    monkeypatch.setenv("PEYVAND_URL", door.url)
    monkeypatch.setenv("PEYVAND_KEY", door.key)
    monkeypatch.setenv("COLUMNS", "200")
    kept = tmp_path / "report" / "import-members.json"
    path = tmp_path / "members.csv"
    report = ("--report", str(kept))

    async def run(*more: str) -> int:
        return await asyncio.to_thread(import_members.main, ["--file", str(path), *report, *more])

    path.write_text(CSV)
    assert await run() == import_members.LEFT_OUT
    assert len(json.loads(kept.read_text())["bad"]) == 3
    path.write_text("mobile;name\n")
    assert await run() == import_members.BAD_FILE
    assert not kept.exists()
    path.write_text("mobile\n0912\n")
    capsys.readouterr()
    assert await run("--json") == import_members.DONE
    assert json.loads(capsys.readouterr().out)["enrolled"] == 1
    path.unlink()
    assert await run() == import_members.NO_FILE
    assert not kept.exists()
    assert import_members.main([]) == import_members.USAGE
    monkeypatch.delenv("PEYVAND_KEY")
    assert await run() == import_members.FAILED
    assert "PEYVAND_KEY" in capsys.readouterr().out
