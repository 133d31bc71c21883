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

from house import import_members


class Door:
    """Answers imports as the house does: a mobile that starts with 0 is good, "0known" known."""

    def __init__(self) -> None:
        self.url = ""
        self.lines: list[dict[str, object]] = []

    async def handle(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer pvo_operator_x"
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
async def door() -> AsyncIterator[Door]:
    found = Door()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/v1/members/import", found.handle)
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
async def test_csv_is_read_whole(door: Door, tmp_path: Path, zipped: bool) -> None:
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
async def test_ndjson_is_read_whole(door: Door, tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / ("members.ndjson.gz" if zipped else "members.ndjson")
    raw = NDJSON.encode()
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    report = await import_members.run(path, door.url, "pvo_operator_x", console=_console())
    assert (report.lines, report.enrolled) == (5, 2)
    assert [bad.line for bad in report.bad] == [3, 4, 6]
    assert door.lines[2]["consents"] == {"terms": True, "receipts": True}


async def test_bytes_that_are_no_text_are_a_bad_line(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_bytes(b"mobile,name\n0912,\xff\xfe\n0913,ok\n")
    report = await import_members.run(path, door.url, "pvo_operator_x", console=_console())
    assert (report.enrolled, [bad.line for bad in report.bad]) == (1, [2])


async def test_what_is_no_such_file_is_said_so(door: Door, tmp_path: Path) -> None:
    columns = tmp_path / "columns.csv"
    columns.write_text("name,phone\n")
    damaged = tmp_path / "members.csv.gz"
    damaged.write_bytes(gzip.compress(CSV.encode())[:-20])
    for path in (columns, damaged, tmp_path / "missing.csv"):
        with pytest.raises(import_members.NotAFile):
            await import_members.run(path, door.url, "pvo_operator_x", console=_console())


async def test_the_report_is_shown_and_kept(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "members.csv"
    path.write_text(CSV)
    console = _console()
    report = await import_members.run(path, door.url, "pvo_operator_x", console=console)
    import_members.show(report, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "4: نادرست · not a mobile number (mobile-wrong)" in shown
    monkeypatch.setenv("HOUSE", str(tmp_path / "house"))
    monkeypatch.setenv("COLUMNS", "200")
    assert import_members.main([]) == import_members.USAGE
    # nothing listens there: the house is down
    down = await asyncio.to_thread(import_members.main, ["--file", str(tmp_path / "none.csv")])
    assert down == import_members.FAILED
    assert "none.csv" in capsys.readouterr().out
