"""The settings of the identity process, and the numbers of its rules."""

from typing import Final

from kit.base import settings

PAGE_MAX: Final = 200
GRANTS_MAX: Final = 32
LOGIN_LENGTH_MAX: Final = 254  # of an e-mail (RFC 5321, 4.5.3.1.3)
DEVICE_LENGTH_MAX: Final = 100
RECOVERY_CODES: Final = 10
API_KEY_DAYS_MAX: Final = 366  # how long a key of a program may be good
API_KEY_OVERLAP_MAX_S: Final = 7 * 86_400
FORGET_EVERY_S: Final = 60.0


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """identity_keys: 32 bytes in base64 each, the newest first: they seal second factors.

    session_idle_s, session_s: a session ends so long after its last use, and after its opening.
    proposal_s: how long a second person may decide.
    *_failures: most attempts to sign in that fail within failures_window_s seconds: of one login
    from one address, of one address, of one login from all addresses.
    """

    identity_keys: tuple[str, ...]
    session_idle_s: int = 1_800
    session_s: int = 43_200
    invitation_s: int = 259_200
    proposal_s: int = 259_200
    enrolment_s: int = 86_400  # for the first second factor, from the acceptance of an invitation
    failures_window_s: int = 900
    login_address_failures: int = 5
    address_failures: int = 20
    login_failures: int = 50
    hashing_threads: int = 0  # passwords that are hashed at a time; 0: one a core
