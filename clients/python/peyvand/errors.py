"""What can go wrong between a caller and the network, as types."""

from collections.abc import Mapping
from typing import Any


class PeyvandError(Exception):
    """Root of everything this package raises on purpose."""


class OutcomeUnknown(PeyvandError):
    """No answer within the bounds of retrying: it may or may not have happened.

    Send the same request, under the same name, again: it can take effect only once. problem: what
    the network refused it with at last, where an earlier sending of it may have arrived.
    """

    def __init__(
        self, what: str, *, attempts: int, last: str, problem: "Problem | None" = None
    ) -> None:
        super().__init__(f"{what}: outcome unknown after {attempts} attempts, last: {last}")
        self.what = what
        self.attempts = attempts
        self.last = last
        self.problem = problem


class ApprovalNeeded(PeyvandError):
    """Nothing was done yet: the request is a proposal, and another person has to approve it.

    proposal: its id, whom it waits for (roles), and until when (ends_at).
    """

    def __init__(self, what: str, *, proposal: Mapping[str, Any]) -> None:
        super().__init__(f"{what}: waits for a second person as {proposal['proposal']}")
        self.proposal = dict(proposal)


class BadReply(PeyvandError):
    """What answered is no answer of this network."""

    def __init__(self, what: str, *, status: int, body: bytes) -> None:
        super().__init__(f"{what}: HTTP {status} with a body that was not understood")
        self.status = status
        self.body = body


class Problem(PeyvandError):
    """A refusal as problem+json (RFC 9457): nothing was done.

    code: stable, for programs. status: of HTTP. detail: English, what is wrong and what to do.
    fa: the same in Persian, for people. fields: everything else in the problem.
    """

    def __init__(
        self, *, status: int, code: str, detail: str, fa: str, fields: Mapping[str, Any]
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.fa = fa
        self.fields = dict(fields)


class BadRequest(Problem):
    """400: the request's shape is wrong."""


class Unauthorized(Problem):
    """401: no key, a wrong one, or one that was revoked."""


class Forbidden(Problem):
    """403: the key is good, the right is missing."""


class NotFound(Problem):
    """404: there is no such thing."""


class Conflict(Problem):
    """409: something else stands in the way, e.g. a case that was decided otherwise."""


class TooLarge(Problem):
    """413: the body is over the limit."""


class Invalid(Problem):
    """422: understood, but not possible as sent."""


class NameReused(Invalid):
    """422 `name-used-with-another-payload`: the name belongs to another request; nothing posted."""


class TooMany(Problem):
    """429: slow down."""


class Unavailable(Problem):
    """5xx: the network could not answer."""


_BY_STATUS: Mapping[int, type[Problem]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Invalid,
    429: TooMany,
}
_BY_CODE: Mapping[str, type[Problem]] = {"name-used-with-another-payload": NameReused}
NOT_TAKEN = frozenset(
    {"gateway-busy", "not-ready", "lookup-unavailable", "other-version-in-force", "rate-limited"}
)
_KNOWN = frozenset({"status", "code", "detail", "fa"})


def problem_of(status: int, body: Mapping[str, Any]) -> Problem:
    """The typed problem of a problem+json body."""
    code = str(body.get("code", ""))
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status) or (Unavailable if status >= 500 else None)
    return (kind or Problem)(
        status=status,
        code=code,
        detail=str(body.get("detail", "")),
        fa=str(body.get("fa", "")),
        fields={name: value for name, value in body.items() if name not in _KNOWN},
    )
