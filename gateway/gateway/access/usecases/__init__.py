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
from gateway.access.usecases.quotas import Quotas, quotas_of

__all__ = [
    "ENROL_FOR",
    "TERMINAL_MAX",
    "Access",
    "Caller",
    "OperatorCaller",
    "Quotas",
    "TerminalCaller",
    "access_of",
    "address_of",
    "may_ask_status",
    "may_post",
    "quotas_of",
]
