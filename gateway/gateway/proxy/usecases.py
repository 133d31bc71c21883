"""The service behind an address, and the actor on whose behalf a request is forwarded."""

from gateway import problems
from gateway.access.usecases import OperatorCaller
from gateway.clients import ForwardedRequest, Service, ServiceResponse, Services
from gateway.problems import Code
from gateway.proxy import domain
from gateway.proxy.domain import is_open as is_open
from kit.base import auth, errors
from kit.base.auth import Role


def service_of(path: str) -> Service | None:
    """The service behind a public address; None where no service has it."""
    route = domain.find_route(path)
    return None if route is None else route.service_of(path)


async def forward(
    services: Services,
    caller: OperatorCaller,
    address: str,
    request: ForwardedRequest,
    headers: dict[str, str],
) -> ServiceResponse:
    """The service's answer to a caller's request from an address. Raises SERVICE_UNAVAILABLE."""
    service, _ = request.pool
    try:
        return await services.forward(request, actor_of(caller, service, address), headers)
    except errors.Unavailable as error:
        raise problems.refusal(Code.SERVICE_UNAVAILABLE, service.value) from error


def actor_of(caller: OperatorCaller, service: Service, address: str = "") -> auth.Actor:
    """The actor of a request as a service sees it. A partner's key enrols for its party alone."""
    of_party = caller.party is not None and service is Service.MEMBERS
    roles, party = (caller.roles | {Role.ENROL}, caller.party) if of_party else (caller.roles, None)
    return auth.Actor(caller.name, roles, party, session=caller.session, address=address)
