"""The log: its checkpoints, published outside the database."""

import logging

from kit.room import Part, Resources
from ledger.log import jobs
from ledger.log.clients import archive_of
from ledger.settings import Settings

log = logging.getLogger(__name__)


def part(opened: Resources) -> Part:
    """Signed checkpoints, where a folder and a key are set."""
    config: Settings = opened.settings
    archive = opened.shared(archive_of)
    if archive is None or not config.checkpoint_key_file:
        log.warning("no checkpoints are published: set PEYVAND_CHECKPOINT_FOLDER and _KEY_FILE")
        return Part(name="log")
    return Part(name="log", jobs=[jobs.publisher(opened.database, opened.clock, archive, config)])
