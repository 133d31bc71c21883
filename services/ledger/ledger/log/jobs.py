"""The job that signs and publishes a checkpoint of every log that grew."""

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit.base import errors, telemetry
from kit.base.clock import Clock
from kit.base.db import Database, Tx
from kit.base.telemetry import Metric
from kit.room import Job
from ledger import settings
from ledger.log.clients import Archive, Unreadable, signing_key
from ledger.log.domain import checkpoints
from ledger.log.domain.checkpoints import BadCheckpoint, Checkpoint
from ledger.log.domain.merkle import EMPTY_ROOT
from ledger.log.usecases import proofs
from ledger.log.usecases.proofs import Head
from ledger.settings import Settings

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Publisher:
    """Signs the head of every log that grew, and adds it to the published checkpoints.

    A head that does not continue the last published one is not signed, and raises an alarm: the
    database was restored to an earlier state, or rows of the log were changed.
    """

    database: Database
    clock: Clock
    archive: Archive
    key: Ed25519PrivateKey
    origin: str
    named: set[int] = field(default_factory=set[int])

    async def run(self) -> None:
        """One checkpoint of each shard that grew since its last."""
        async with self.database.read() as tx:
            shards = [head.shard for head in await proofs.list_heads(tx)]
        # read before the book: the book may then be ahead of the published, never behind
        known = await asyncio.to_thread(self._published, shards)
        async with self.database.read() as tx:
            heads = [head for head in await proofs.list_heads(tx) if head.shard in known]
        for head in heads:
            try:
                await self._publish_if_due(head, known[head.shard])
            except errors.Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - it must not hold up other shards
                _alarm("ledger-checkpoint-failed", head.shard, why=repr(error))

    async def _publish_if_due(self, head: Head, last: str | None) -> None:
        async with self.database.read() as tx:
            due = await self._is_due(tx, head, last)
        if due:
            await asyncio.to_thread(self._publish, head, last)

    async def _is_due(self, tx: Tx, head: Head, last: str | None) -> bool:
        """Whether the log grew, and only grew, since its last checkpoint; an alarm otherwise."""
        size, root = 0, EMPTY_ROOT
        if last is not None:
            before = checkpoints.parse(last).checkpoint
            size, root = before.size, before.root
        if (size, root) == (head.size, head.root):
            return False
        if not await proofs.continues(tx, head, size=size, root=root):
            _alarm("ledger-log-inconsistent", head.shard, size=head.size, was=size)
            return False
        return True

    def _published(self, shards: list[int]) -> dict[int, str | None]:
        """The last checkpoint of each shard; an unreadable file is left out, with an alarm."""
        published: dict[int, str | None] = {}
        for shard in shards:
            try:
                text = self.archive.last(shard)
                if text is not None:
                    checkpoints.parse(text)
                published[shard] = text
            except (Unreadable, BadCheckpoint) as error:
                _alarm("ledger-checkpoints-unreadable", shard, why=str(error))
        return published

    def _publish(self, head: Head, after: str | None) -> None:
        if head.root is None:
            return
        if head.shard not in self.named:
            public = self.key.public_key()
            self.archive.keep_key(checkpoints.verifier_key(self.origin, head.shard, public))
            self.named.add(head.shard)
        at = self.clock.now()
        signed = Checkpoint(self.origin, head.shard, head.size, head.root, at)
        if not self.archive.append(head.shard, checkpoints.sign(signed, self.key), after=after):
            log.warning("another process published first", extra={"shard": head.shard})


def _alarm(name: str, shard: int, **details: object) -> None:
    telemetry.count(Metric.ALARMS, name)
    log.error(name, extra={"shard": shard, **details})


def publisher(database: Database, clock: Clock, archive: Archive, config: Settings) -> Job:
    """The job that publishes checkpoints. Raises SettingsError on a key that cannot sign."""
    key = signing_key(Path(config.checkpoint_key_file))
    return Job(
        name="publish-checkpoints",
        every_s=settings.PUBLISH_EVERY_S,
        run=Publisher(database, clock, archive, key, config.checkpoint_origin).run,
    )
