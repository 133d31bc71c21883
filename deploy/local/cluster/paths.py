"""Where the local cluster keeps its things: the project, the cache of servers, its folder."""

import os
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
LOCAL = PROJECT / "deploy" / "local"
CACHE = PROJECT / ".cache"
SERVERS = CACHE / "servers"
DEFAULT_FOLDER = PROJECT / "var" / "cluster"


def chosen_folder() -> Path:
    """The cluster that a command is about: CLUSTER=folder, else var/cluster of the project."""
    named = os.environ.get("CLUSTER", "")
    return Path(named).expanduser().resolve() if named else DEFAULT_FOLDER


def lasting_temporary_folder() -> Path:
    """A folder that every user can reach and that outlives a reboot where the system has one."""
    lasting = Path("/var/tmp")  # noqa: S108  a fresh private folder is made inside it
    return lasting if lasting.is_dir() else Path(tempfile.gettempdir())
