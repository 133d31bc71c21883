"""Which version of the code a program of the cluster was started from."""

import hashlib
from functools import cache
from typing import Final

from cluster import paths

ROOMS: Final = ("kit", "contracts", "gateway", "services")


@cache
def of_code() -> str:
    """Changes with every program and migration of the rooms; tests say nothing."""
    content = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((paths.PROJECT / room).rglob("*")):
            if path.suffix in (".py", ".sql") and "tests" not in path.parts:
                content.update(str(path.relative_to(paths.PROJECT)).encode() + b"\0")
                content.update(path.read_bytes() + b"\0")
    return content.hexdigest()[:12]
