"""What the other nouns use of access: callers, what their keys may do, and their quotas."""

from gateway.access.domain import (
    ENROL_FOR,
    TERMINAL_MAX,
    Caller,
    OperatorCaller,
    TerminalCaller,
    may_ask_status,
    may_post,
)
from gateway.access.usecases.authentication import Access, access_of, address_of
from gateway.access.usecases.open_sessions import OpenSessions, open_sessions_of
from gateway.access.usecases.program_keys import ProgramKeys, program_keys_of
from gateway.access.usecases.quotas import Quotas, noting, quotas_of

__all__ = [
    "ENROL_FOR",
    "TERMINAL_MAX",
    "Access",
    "Caller",
    "OpenSessions",
    "OperatorCaller",
    "ProgramKeys",
    "Quotas",
    "TerminalCaller",
    "access_of",
    "address_of",
    "may_ask_status",
    "may_post",
    "noting",
    "open_sessions_of",
    "program_keys_of",
    "quotas_of",
]
