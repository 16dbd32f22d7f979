"""Who may ask: who bears the token, where there is one; and no page of another site in somebody's browser."""

import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from slic.serve.upload import Refused

_bearer = HTTPBearer(auto_error=False, description="Only where slic serve was given a token.")


def admit(
    request: Request, borne: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None
) -> None:
    """Raises Refused."""
    # A browser sends what any page asks of localhost, and says where that page is from.
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise Refused(403, "asked by a page of another site")
    token = request.app.state.service.settings.token
    if token is None:
        return
    said = borne.credentials if borne else ""
    if not hmac.compare_digest(said.encode(), token.encode()):
        raise Refused(401, "the token is missing or wrong", hint="Authorization: Bearer TOKEN")
