"""The README's examples are the files that are typed, and they run as printed."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from peyvand.terminal import __main__

from .fake_gateway import Gateway

FOLDER = Path(__file__).resolve().parents[1]
PROJECT = FOLDER.parents[1]
README = (FOLDER / "README.md").read_text()
EXAMPLES = sorted((FOLDER / "examples").glob("*.py"))
KEY, CARD, MOBILE = "pvt_3003_abcd1234_secret", "6037990000000006", "09120000000"


@pytest.fixture
def gateway(scripted: Any) -> Gateway:
    made = Gateway()
    scripted.script = [made.answer]
    return made


async def _typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    assert words[0] == "python"
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=dict(os.environ) | {"PYTHONUTF8": "1"},
    )


def test_the_readme_shows_the_examples_as_they_are() -> None:
    shown = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert shown == [path.read_text() for path in EXAMPLES]


def _printed(example: str, **values: str) -> list[str]:
    """The words of the line that says how to run an example, with its capitals filled in."""
    line = re.search(rf"`(python clients/python/examples/{example}[^`]*)`", README)
    assert line is not None
    words = [values.get(word, word) for word in line[1].split()]
    return [str(PROJECT / word) if word.endswith(".py") else word for word in words]


async def test_the_till_of_the_readme_sells_once(
    scripted: Any, gateway: Gateway, tmp_path: Path
) -> None:
    """Run for a card of nobody, then once more when it is somebody's: two runs, one sale."""
    words = _printed(
        "first_purchase.py", URL=scripted.url, KEY=KEY, TERMINAL="3003", EPOCH="1", CARD=CARD
    )
    early = await _typed(tmp_path, *words)
    assert (early.returncode, early.stderr) == (0, "")
    assert "عضو باشگاه نیست" in early.stdout
    gateway.members.add(CARD)
    ran = await _typed(tmp_path, *words)
    assert (ran.returncode, ran.stdout) == (0, "انجام شد · done\n" * 3), ran.stderr
    assert gateway.points == 200
    assert [name for name in gateway.posted] == ["3003.1.3", "3003.1.4", "3003.1.5"]


async def test_the_shop_of_the_readme_sells_and_takes_back(
    scripted: Any, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.members.add(MOBILE)
    words = _printed(
        "online_shop.py", URL=scripted.url, KEY=KEY, MERCHANT="12", ORDER="1404/77", MOBILE=MOBILE
    )
    ran = await _typed(tmp_path, *words)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("COMPLETED") == 2
    assert list(gateway.posted) == ["12.1404/77.purchase", "12.1404/77.refund-1"]


async def test_the_commands_of_the_readme_run_as_printed(
    scripted: Any, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gateway.members.add(CARD)
    lines = re.findall(r"^    (python -m peyvand\.terminal .*)$", README, re.MULTILINE)
    assert len(lines) == 10
    for line in lines:
        words = shlex.split(line.replace("http://127.0.0.1:8000", scripted.url))
        assert await asyncio.to_thread(__main__.main, words[3:]) == 0, line
    assert gateway.points == 0
