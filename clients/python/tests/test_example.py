"""The README's example is the file that is typed, and it runs."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1]
EXAMPLE = FOLDER / "examples" / "first_purchase.py"


def test_the_readme_shows_the_example_as_it_is() -> None:
    assert EXAMPLE.read_text() in (FOLDER / "README.md").read_text()


async def test_the_example_runs(
    house: Any, reply: Any, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = {
        "id": "3.t.7.2.1",
        "kind": "purchase",
        "status": "completed",
        "occurred_at": "2026-03-21T09:30:00Z",
        "accepted_at": "2026-03-21T09:30:00Z",
        "fa": "انجام شد",
        "en": "done",
    }
    house.script = [reply(200, json.dumps(answer).encode())]
    spec = importlib.util.spec_from_file_location("first_purchase", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    await example.sell(house.url, "pvt_7_a_b", 7, 2)
    assert capsys.readouterr().out == "انجام شد · done\n" * 3
    kinds = [json.loads(seen.body)["kind"] for seen in house.seen]
    assert kinds == ["purchase", "redemption", "refund"]
