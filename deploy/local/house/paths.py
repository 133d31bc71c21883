"""Where the local house keeps its things: the project, the cache of servers, a house's folder."""

import os
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
LOCAL = PROJECT / "deploy" / "local"
CACHE = PROJECT / ".cache"
SERVERS = CACHE / "servers"
DEFAULT_HOUSE = PROJECT / "var" / "house"


def house_folder() -> Path:
    """The house that a command is about: HOUSE=folder, else var/house of the project."""
    named = os.environ.get("HOUSE", "")
    return Path(named).expanduser().resolve() if named else DEFAULT_HOUSE


def lasting_temporary_folder() -> Path:
    """A folder that every user can reach and that outlives a reboot where the system has one."""
    lasting = Path("/var/tmp")  # noqa: S108  a fresh private folder is made inside it
    return lasting if lasting.is_dir() else Path(tempfile.gettempdir())
