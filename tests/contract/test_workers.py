"""Tests in two workers: what a worker tells of a test reaches the one report."""

import execnet
import pytest

from support import workers


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "بد\ud83d"])
def test_a_report_with_half_a_surrogate_pair_can_be_sent(text: str) -> None:
    report = {"sections": [("Captured log call", text)], "user_properties": [], "duration": 0.1}
    with pytest.raises(execnet.DumpError):
        execnet.dumps(report)
    sent = execnet.loads(execnet.dumps(workers.sendable(report)))
    assert sent["sections"][0][0] == "Captured log call"
    assert sent["sections"][0][1].isascii() or sent["sections"][0][1].startswith("بد")
    assert sent | {"sections": []} == report | {"sections": []}


def test_what_is_utf8_stays_as_it_is() -> None:
    report = {"a": [1, 2.5, None, True, ("سلام", {"b": "c"})]}
    assert workers.sendable(report) == report
    assert workers.sendable(None) is None
