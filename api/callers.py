"""Who calls the merchants' REST API: the API key of a request, and how often one may call."""

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from api.keys import PREFIX_LENGTH, merchant_of_key
from api.limits import CALLS_PER_MINUTE
from api.wiring import Parts
from storage.tables import Merchant

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="A merchant's key, made by `kulanz api-key --merchant M`.",
)


class Failure(BaseModel):
    """The request could not be looked at."""

    detail: str


async def _merchant(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Merchant:
    """The merchant whose API key the request carries."""
    parts: Parts = request.app.state.parts
    if credentials is not None:
        async with parts.database.operator() as session:
            merchant = await merchant_of_key(
                session, credentials.credentials, now=parts.clock.now()
            )
        if merchant is not None:
            await _count(parts, credentials.credentials)
            return merchant
    raise HTTPException(401, "a valid API key is needed", {"WWW-Authenticate": "Bearer"})


async def _count(parts: Parts, key: str) -> None:
    wait = await parts.limits.call_wait(key[:PREFIX_LENGTH])
    if wait is not None:
        told = f"at most {CALLS_PER_MINUTE} calls a minute with one key; again in {wait} s"
        raise HTTPException(429, told, {"Retry-After": str(wait)})


OfMerchant = Annotated[Merchant, Depends(_merchant)]
OF_KEY: dict[int | str, dict[str, Any]] = {
    401: {"model": Failure, "description": "The API key is missing, unknown or revoked."},
    429: {
        "model": Failure,
        "description": f"More than {CALLS_PER_MINUTE} calls a minute with one key; `Retry-After` "
        "says in how many seconds the next one is taken.",
    },
}
"""What every route that takes an API key may answer."""
