"""Defects of aiokafka 0.14 that end a client for good, mended until it mends them itself."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportPrivateUsage=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# ruff: noqa: TID251 - this package alone imports aiokafka, which carries no types

from collections.abc import Generator
from typing import Any, Final

from aiokafka import errors as kafka_errors
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.consumer import fetcher
from aiokafka.record import default_records, memory_records

_send: Final = AIOKafkaConnection.send
_unpack: Final = fetcher.PartitionRecords._unpack_records
_Records: Any = memory_records.MemoryRecords  # in C
_SlowRecords: Any = memory_records._MemoryRecordsPy
_SlowBatch: Any = default_records._DefaultRecordBatchPy
_MAGIC_AT: Final = 16  # version of a batch's form; headers are from 2 on


def mend() -> None:
    """Make connections report a lost transport as a lost connection, and readers take any header.

    uvloop raises RuntimeError there, aiokafka expects OSError: the task that keeps the metadata
    ends silently, and the client, still reading, waits for its coordinator for ever. And a header
    whose name is no UTF-8, which any broker takes, fails every poll that reaches it.
    """
    AIOKafkaConnection.send = _send_or_lost
    setattr(fetcher, "MemoryRecords", _Fetched)  # noqa: B010 - it is a class to its readers
    fetcher.PartitionRecords._unpack_records = _unpack_any


class _Fetched(_Records):
    """Records of one fetch that keep their bytes, so that the slower reader can read them again."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw


def _unpack_any(self: Any) -> Generator[Any, Any, None]:
    """Records of a fetch; from the first header name that is no UTF-8 on, by the slower reader."""
    try:
        yield from _unpack(self)
    except UnicodeDecodeError:
        start = self.next_fetch_offset
        self._records = _AnyHeaders(self._records.raw)
        yield from (record for record in _unpack(self) if record.offset >= start)


class _AnyHeaders(_SlowRecords):
    """Batches whose header names are read whatever their bytes."""

    def next_batch(self) -> Any:
        following, batch = self._next_slice, super().next_batch()
        return _AnyBatch(following) if following[_MAGIC_AT] >= 2 else batch


class _AnyBatch(_SlowBatch):
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _EscapingBytes(self._buffer)


class _EscapingBytes(bytearray):
    """Bytes that always decode as text: those that are not UTF-8 become escapes."""

    def __getitem__(self, at: Any) -> Any:
        item = super().__getitem__(at)
        return _EscapingBytes(item) if isinstance(at, slice) else item

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


def _send_or_lost(self: Any, request: Any, expect_response: bool = True) -> Any:
    try:
        return _send(self, request, expect_response=expect_response)
    except RuntimeError as error:
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        raise kafka_errors.KafkaConnectionError(f"transport is closed: {error}") from error
