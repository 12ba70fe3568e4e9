"""``/console/sso``: signing in with an account of one's company, at the merchant's own provider.

What has to come back is kept in a sealed cookie, so only the browser that began can end it.
"""

from dataclasses import asdict
from typing import Annotated

from cryptography.fernet import InvalidToken
from fastapi import Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.pages.console.page import (
    console_router,
    entrance,
    go,
    parts_of,
    respond,
    set_cookie,
    signed_in,
)
from api.pages.console.sign_in import local
from api.people import openid, sso
from api.people.access import CODE_COOKIE, Anybody
from api.people.openid import SsoRefused, Started, Why
from api.people.sign_in import MERCHANT_KEY_CHARACTERS_MAX
from api.people.sso import Provider
from api.sealing import seal, unseal

router = console_router()

COOKIE = "kulanz_console_sso"
SECONDS = 600
_PURPOSE = "a sign-in at a provider"
Mark = Annotated[str, Depends(Anybody())]
Line = Annotated[str, Query(max_length=320)]


@router.get("/sso")
async def ask_for_company(
    request: Request, mark: Mark, shop: Line = "", next: Line = ""
) -> Response:
    """Which company; then a link to its provider, as a form may not lead to another site."""
    shop = shop.strip()
    provider = await _provider(request, shop) if shop else None
    facts = {"shop": shop, "next": next, "unknown": bool(shop) and provider is None,
             "company": provider.merchant_name if provider else "", "why": None}  # fmt: skip
    return respond(request, "sso.html", facts, 404 if facts["unknown"] else 200)


@router.get("/sso/{shop}/return")
async def come_back(request: Request, mark: Mark, shop: str) -> Response:
    """Where this merchant's provider sends the browser back to."""
    parts, at = parts_of(request), entrance(request)
    kept = _kept(request)
    if kept.get("shop") != shop:  # begun at another provider
        kept = {}
    try:
        provider = await _provider(request, kept.get("shop", ""))
        if provider is None:
            raise SsoRefused(Why.EXPIRED)
        started = Started(kept["state"], kept["nonce"], kept["verifier"])
        identity = await openid.finish(provider.client, started, dict(request.query_params))
        async with parts.database.operator() as session:
            provider = await sso.provider_of(
                session, kept["shop"], parts.keys.secret_key, parts.public_url
            )
            if provider is None:
                raise SsoRefused(Why.EXPIRED)
            admitted = await sso.admit(session, provider, identity, parts.clock.now(), at.device)
    except SsoRefused as refused:
        response = _refusal(request, refused.why, kept.get("shop", ""))
    else:
        await parts.limits.signed_in(_account(request, kept["shop"]))
        if admitted.finished:
            response = signed_in(request, admitted.token, local(kept["next"]))
        else:
            response = go(request, "/console/sign-in/code", next=kept["next"])
            set_cookie(request, response, CODE_COOKIE, admitted.token, seconds=SECONDS)
    response.delete_cookie(COOKIE, path="/console")
    return response


@router.get("/sso/{shop}")
async def go_to_provider(request: Request, mark: Mark, shop: str, next: Line = "") -> Response:
    """To the provider, with what has to come back in a cookie."""
    parts = parts_of(request)
    provider = await _provider(request, shop)
    if provider is None:
        return go(request, "/console/sso", shop=shop[:MERCHANT_KEY_CHARACTERS_MAX])
    account = _account(request, shop)
    if not await parts.limits.may_sign_in(account, entrance(request).client):
        return _refusal(request, Why.EXPIRED, shop, status=429)
    try:
        address, started = await openid.begin(provider.client)
    except SsoRefused as refused:
        return _refusal(request, refused.why, shop)
    response = RedirectResponse(address, 303)
    begun = str(int(parts.clock.now().timestamp()))
    values = {**asdict(started), "shop": shop, "next": next, "at": begun}
    sealed = seal(parts.keys.secret_key, _PURPOSE, values).decode()
    set_cookie(request, response, COOKIE, sealed, seconds=SECONDS)
    return response


async def _provider(request: Request, shop: str) -> Provider | None:
    parts = parts_of(request)
    async with parts.database.operator() as session:
        return await sso.provider_of(
            session, shop[:MERCHANT_KEY_CHARACTERS_MAX], parts.keys.secret_key, parts.public_url
        )


def _kept(request: Request) -> dict[str, str]:
    """What the cookie holds; nothing where it is not ours or too old."""
    parts = parts_of(request)
    try:
        held = unseal(parts.keys.secret_key, _PURPOSE, request.cookies.get(COOKIE, "").encode())
    except InvalidToken:
        return {}
    age = parts.clock.now().timestamp() - int(held["at"])
    return held if 0 <= age <= SECONDS else {}


def _account(request: Request, shop: str) -> str:
    """What tries are counted by: the company's door as seen from one address."""
    return f"sso:{shop}:{entrance(request).client}"


def _refusal(request: Request, why: Why, shop: str, *, status: int = 403) -> Response:
    facts = {"shop": shop, "next": "", "unknown": False, "company": "", "why": why}
    return respond(request, "sso.html", facts, status)
