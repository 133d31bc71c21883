"""Messages of identity: sessions of people who signed in, and keys of programs."""

from typing import Annotated

from msgspec import Meta, Struct

from contracts.values import Instant, Number, PositiveAmount


class Session(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`session-changed.v1` on identity.sessions, keyed by the session; the newest version counts.

    session: 32 hex digits. sha256: hex, of the secret part of the token `pvs_<session>_<secret>`;
    the token itself is shown once and kept nowhere. user: who signed in. roles: what the session
    may. withheld: what it may not, though its user may, for want of a second factor. It ends at
    ends_at, or before that at idle_ends_at, which every use moves to idle_s later; or when ended.
    """

    session: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    version: Number
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    user: str
    roles: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    idle_s: PositiveAmount
    idle_ends_at: Instant
    ends_at: Instant
    ended: bool = False


class ApiKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`api-key-changed.v1` on identity.sessions, keyed key/<key>; the newest version counts.

    key: 32 hex digits. sha256: hex, of the secret part of `pvk_<key>_<secret>`. program: its
    name. roles: what it may do; `enrol:<party>` enrols for that party. It ends at
    ends_at, which an earlier one replaces where it is ended.
    """

    key: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    version: Number
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    program: str
    roles: tuple[str, ...] = ()
    ends_at: Instant
