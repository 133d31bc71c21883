"""The floors of branch coverage where rules are; `make test` asks for them after the tests.

    python -m support.floors

A floor is one percent below what a whole run measured when it was set, and of kit two: some lines
run only where a clone has its history, or where threads meet. It only rises.
Not measured: tests whose calls run in other processes, and those that call thousands of times what
other tests call, every door and stories: the tracer doubles what a call costs.
"""

import io
import sys
from dataclasses import dataclass
from typing import Final

from coverage import Coverage
from coverage.exceptions import NoDataError

STORIES: Final = ("seeds", "shard_stories", "simulation", "between_shards", "moments", "many_lots")
UNMEASURED: Final = (
    "tests/e2e/",
    "tests/integration/test_doors.py",
    *(f"services/ledger/tests/test_{name}.py" for name in STORIES),
)


@dataclass(frozen=True)
class Floor:
    """At least so much of the lines and branches of these files is run by tests."""

    name: str
    percent: int
    files: tuple[str, ...]


FLOORS: Final = (
    Floor("contracts", 97, ("contracts/contracts/*",)),
    Floor("kit", 90, ("kit/kit/*",)),
    Floor("domain", 97, ("*/domain.py", "*/domain/*", "services/ledger/ledger/book/*")),
    Floor("decide", 96, ("services/ledger/ledger/posting/decide/*",)),
)


def is_measured(nodeid: str) -> bool:
    """Whether a test counts for the floors."""
    return not nodeid.startswith(UNMEASURED)


def covered_percent(measured: Coverage, floor: Floor) -> float:
    """How much of a floor's files was run; 0 of none."""
    try:
        return measured.report(include=list(floor.files), file=io.StringIO())
    except NoDataError:
        return 0.0


def main() -> int:
    """Print each floor beside what was measured; the exit status."""
    measured = Coverage()
    measured.load()
    found = {floor: covered_percent(measured, floor) for floor in FLOORS}
    for floor, percent in found.items():
        sys.stdout.write(f"covered of {floor.name}: {percent:.1f} %, floor {floor.percent} %\n")
    low = [floor.name for floor, percent in found.items() if percent < floor.percent]
    if low:
        sys.stdout.write(f"below their floor: {', '.join(low)}\n")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
