"""The auditor over a house: while it runs, and when it has been stopped."""

import json

import pytest

from house import audit, lifecycle, postgres_server


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A house with its ledger alone."""
    folder = tmp_path_factory.mktemp("house")
    yield lifecycle.up(folder, only=["ledger"])
    lifecycle.clean(folder)


def test_a_house_is_audited_running_and_stopped(home, tmp_path):
    report = tmp_path / "report.json"
    given = ["--folder", str(home.folder), "--report", str(report)]
    assert audit.main(given) == 0
    assert json.loads(report.read_text())["ok"]
    lifecycle.down(home.folder)
    report.unlink()
    assert audit.main(given) == 0
    assert json.loads(report.read_text())["ok"]
    assert postgres_server.find(home.folder) is None


def test_without_a_house_there_is_nothing_to_audit(tmp_path):
    assert audit.main(["--folder", str(tmp_path)]) == audit.NO_HOUSE
