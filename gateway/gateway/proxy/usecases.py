"""The service behind an address, and the actor on whose behalf a request is forwarded."""

from gateway import problems
from gateway.access.usecases import OperatorCaller
from gateway.clients import ForwardedRequest, Service, ServiceResponse, Services
from gateway.problems import Code
from gateway.proxy import domain
from kit.base import auth, errors
from kit.base.auth import Role


def service_of(path: str) -> Service | None:
    """The service behind a public address; None where no service has it."""
    route = domain.find_route(path)
    return None if route is None else route.service_of(path)


async def forward(
    services: Services,
    caller: OperatorCaller,
    request: ForwardedRequest,
    headers: dict[str, str],
) -> ServiceResponse:
    """The service's answer to an operator's request. Raises SERVICE_UNAVAILABLE."""
    service, _ = request.pool
    try:
        return await services.forward(request, actor_of(caller, service), headers)
    except errors.Unavailable as error:
        raise problems.refusal(Code.SERVICE_UNAVAILABLE, service.value) from error


def actor_of(caller: OperatorCaller, service: Service) -> auth.Actor:
    """The actor of a request as a service sees it. A partner's key enrols for its party alone."""
    if caller.party is None or service is not Service.MEMBERS:
        return auth.Actor(caller.name, caller.roles)
    return auth.Actor(caller.name, caller.roles | {Role.ENROL}, caller.party)
