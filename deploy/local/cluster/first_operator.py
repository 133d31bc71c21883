"""The first person who may sign in to a new cluster: invited once, the token shown once."""

import http.client
import json
import uuid
from typing import Any, Final

from cluster import credentials, plan
from cluster.readiness import NotReady

LOGIN: Final = "operator@peyvand.local"
NAMES: Final = {"name_fa": "گردانندهٔ نخست", "name_en": "First operator"}
ANSWER_S: Final = 10.0


def invite(cluster: plan.Cluster) -> str | None:
    """The token of an invitation for the first operator; None where there is any user already.

    Made over the public API under the key of the cluster's own operator. Raises NotReady.
    """
    if _call(cluster, "GET", "/v1/users?limit=1", None)["items"]:
        return None
    user = f"/v1/users/{uuid.uuid4()}"
    grants = list(credentials.OPERATORS["operator"].roles)
    _call(cluster, "PUT", user, {"login": LOGIN, "grants": grants, **NAMES})
    token: str = _call(cluster, "PUT", f"{user}/invitations/{uuid.uuid4()}", {})["token"]
    return token


def _call(cluster: plan.Cluster, method: str, path: str, body: Any) -> Any:
    connection = http.client.HTTPConnection(
        "127.0.0.1", cluster.ports[plan.GATEWAY], timeout=ANSWER_S
    )
    key = cluster.credentials.operator_key("operator")
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    try:
        sent = None if body is None else json.dumps(body).encode()
        connection.request(method, path, sent, headers)
        answer = connection.getresponse()
        read = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotReady(f"the first operator is not invited: {error!r}") from error
    finally:
        connection.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise NotReady(f"the first operator is not invited: {read.get('detail', answer.status)}")
    return read
