"""How tests are shared out to the workers of `pytest -n 2`.

A file stays whole and in its order. Tests of the whole platform share one cluster, and those that
break it come last by name: all of them stay with one worker. They take longest and begin first.
Each worker is a process with servers and databases of its own (support.databases).
"""

import os
from collections.abc import Sequence
from typing import Any, Final, cast

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

PLATFORM: Final = "tests/e2e/"

Report = dict[str, Any] | None


class FileScheduling(LoadScopeScheduling):
    """Hands out files in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """What stays together with a test."""
    return PLATFORM if nodeid.startswith(PLATFORM) else nodeid.partition("::")[0]


def platform_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests, those of the whole platform first."""
    return sorted(items, key=lambda item: not item.nodeid.startswith(PLATFORM))


def sendable(report: Report) -> Report:
    """A report in UTF-8: half a surrogate pair, which tests send and log, is escaped."""
    return None if report is None else {key: _sendable(value) for key, value in report.items()}


def _sendable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value)
        return {_sendable(key): _sendable(item) for key, item in items.items()}
    if isinstance(value, list):
        return [_sendable(item) for item in cast("list[Any]", value)]
    if isinstance(value, tuple):
        return tuple([_sendable(item) for item in cast("tuple[Any, ...]", value)])
    return value


def name() -> str:
    """This worker's name; empty where pytest has no workers."""
    return os.environ.get("PYTEST_XDIST_WORKER", "")
