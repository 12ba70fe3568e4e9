"""Who calls the merchants' REST API: the API key of a request, and how often one may call."""

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from api.keys import PREFIX_LENGTH, known_key
from api.limits import CALLS_PER_MINUTE
from api.people import api_calls
from api.people.roles import Permission
from api.wiring import Parts
from storage.tables import Merchant

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="A merchant's key, made by `kulanz api-key --merchant M --scope S`.",
)


class Failure(BaseModel):
    """The request could not be looked at."""

    detail: str


class KeyNeeds:
    """Lets in API keys with one scope; the route gets the merchant.

    Each call stands in the audit, but for what reads without seeing data of people: `codes_only`.
    A test walks the routes of the whole application: one without a rule fails it.
    """

    def __init__(self, permission: Permission, *, codes_only: bool = False) -> None:
        self.permission = permission
        self.codes_only = codes_only

    async def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    ) -> Merchant:
        """The merchant whose API key the request carries."""
        parts: Parts = request.app.state.parts
        if credentials is None:
            raise _unknown()
        if any("\0" in str(named) for named in request.path_params.values()):
            raise HTTPException(404, "nothing has such a name")  # the database knows no NUL
        now, wait = parts.clock.now(), None
        # Its commit does not wait for the disk: that of what the call changes comes after it in
        # the same log and does.
        async with parts.database.operator(waits_for_disk=False) as session:
            found = await known_key(session, credentials.credentials, now=now)
            if found is not None:
                wait = await parts.limits.call_wait(credentials.credentials[:PREFIX_LENGTH])
                if wait is None and self.permission in found[1].scopes and not self.codes_only:
                    await api_calls.note(session, found[1], request, now)
        if found is None:
            raise _unknown()
        if wait is not None:
            told = f"at most {CALLS_PER_MINUTE} calls a minute with one key; again in {wait} s"
            raise HTTPException(429, told, {"Retry-After": str(wait)})
        merchant, key = found
        if self.permission not in key.scopes:
            has = ", ".join(key.scopes) or "none"
            raise HTTPException(403, f"this key lacks the scope {self.permission}; it has: {has}")
        return merchant


def _unknown() -> HTTPException:
    return HTTPException(401, "a valid API key is needed", {"WWW-Authenticate": "Bearer"})


ForReading = Annotated[Merchant, Depends(KeyNeeds(Permission.READ))]
ForReadingCodes = Annotated[Merchant, Depends(KeyNeeds(Permission.READ, codes_only=True))]
ForClaims = Annotated[Merchant, Depends(KeyNeeds(Permission.CLAIMS))]
ForPayments = Annotated[Merchant, Depends(KeyNeeds(Permission.PAYMENTS))]
ForHandoffs = Annotated[Merchant, Depends(KeyNeeds(Permission.HANDOFFS))]
ForEvents = Annotated[Merchant, Depends(KeyNeeds(Permission.EVENTS))]
OF_KEY: dict[int | str, dict[str, Any]] = {
    401: {"model": Failure, "description": "The API key is missing, unknown or revoked."},
    403: {"model": Failure, "description": "The API key lacks the scope that this takes."},
    429: {
        "model": Failure,
        "description": f"More than {CALLS_PER_MINUTE} calls a minute with one key; `Retry-After` "
        "says in how many seconds the next one is taken.",
    },
}
"""What every route that takes an API key may answer."""
