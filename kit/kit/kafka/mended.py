"""Defects of aiokafka 0.14 that end a client for good, mended until it mends them itself."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# ruff: noqa: TID251 - this package alone imports aiokafka, which carries no types

from typing import Any, Final

from aiokafka import errors as kafka_errors
from aiokafka.conn import AIOKafkaConnection, CloseReason

_send: Final = AIOKafkaConnection.send


def mend() -> None:
    """Have every connection answer a lost transport as a lost connection.

    uvloop raises RuntimeError there, aiokafka expects OSError: the task that keeps the metadata
    ends unheard, and the client, which goes on reading, waits for its coordinator for ever.
    """
    AIOKafkaConnection.send = _send_or_lost


def _send_or_lost(self: Any, request: Any, expect_response: bool = True) -> Any:
    try:
        return _send(self, request, expect_response=expect_response)
    except RuntimeError as error:
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        raise kafka_errors.KafkaConnectionError(f"transport is closed: {error}") from error
