"""The auditor over a cluster: while it runs, and when it has been stopped."""

import json

import pytest

from cluster import lifecycle, postgres_server
from lab.observe import audit


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with its ledger alone."""
    folder = tmp_path_factory.mktemp("cluster")
    yield lifecycle.up(folder, only=["ledger"])
    lifecycle.clean(folder)


def test_a_cluster_is_audited_running_and_stopped(cluster, tmp_path):
    report = tmp_path / "report.json"
    given = ["--folder", str(cluster.folder), "--report", str(report)]
    assert audit.main(given) == 0
    assert json.loads(report.read_text())["ok"]
    lifecycle.down(cluster.folder)
    report.unlink()
    assert audit.main(given) == 0
    assert json.loads(report.read_text())["ok"]
    assert postgres_server.find(cluster.folder) is None


def test_without_a_cluster_there_is_nothing_to_audit(tmp_path):
    assert audit.main(["--folder", str(tmp_path)]) == audit.NO_CLUSTER
