"""A message that leaves with a transaction's commit, as an outbox row keeps it."""

import msgspec

Headers = tuple[tuple[str, bytes], ...]


class Message(msgspec.Struct, frozen=True, array_like=True):
    """One message to Kafka. partition None: by murmur2 of the key. value None: a tombstone."""

    topic: str
    partition: int | None
    key: bytes
    value: bytes | None
    headers: Headers = ()
    numbered: bool = False


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Message).decode
decode_all = msgspec.msgpack.Decoder(list[Message]).decode
