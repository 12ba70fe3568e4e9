"""OpenID Connect with a merchant's provider: discovery, authorization code, and what it proves.

The rules are those of OpenID Connect Core 1.0 (section 3.1) and RFC 9700: PKCE, a nonce, a state
that only the browser that began can bring back, an allow-list of signatures. What the provider
says of itself and its keys are read anew each time, so that it may change keys at any moment.
"""

import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

SECONDS_MAX: Final = 10
LEEWAY_SECONDS: Final = 60
"""Clocks of two machines differ by less."""
SCOPE: Final = "openid email profile"
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
                     "ES512", "Ed25519", "EdDSA")  # fmt: skip
"""Signatures by a key that only the provider has: nothing unsigned, no shared secret."""
_SECOND: Final = frozenset({"otp", "hwk", "swk", "fpt", "face", "iris", "sc", "sms"})
"""Of the methods of RFC 8176 those that are another factor than a password."""


class Why(StrEnum):
    """Why somebody is not let in."""

    CANCELLED = "cancelled"
    """They said no at the provider, or it did."""
    EXPIRED = "expired"
    """The way back took too long, came from another browser, or was gone before."""
    UNREACHABLE = "unreachable"
    """The provider does not answer as one."""
    NOT_PROVED = "not_proved"
    """What it answered proves nothing."""
    EMAIL = "email"
    DOMAIN = "domain"
    UNKNOWN = "unknown"
    OTHER = "other"
    """The address belongs to somebody who comes by another account there."""
    KEPT_OUT = "kept_out"


class SsoRefused(Exception):
    """Somebody is not let in."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are at a provider."""

    issuer: str
    client_id: str
    secret: str | None
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Started:
    """What has to come back, kept in the browser meanwhile."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as the provider proves it."""

    subject: str
    """Unchanging at this issuer; names the issuer as well."""
    email: str
    """Empty where it is not verified."""
    name: str
    second_factor: bool
    """Whether the provider says that it has asked for more than a password."""
    sign_out_url: str | None


async def begin(client: Client) -> tuple[str, Started]:
    """The provider's address to go to, and what to keep. Raises SsoRefused."""
    async with _http() as http:
        about = await _metadata(http, client.issuer)
    started = Started(*(secrets.token_urlsafe(32) for _ in range(3)))
    address = prepare_grant_uri(
        about["authorization_endpoint"],
        client_id=client.client_id,
        response_type="code",
        redirect_uri=client.redirect_uri,
        scope=SCOPE,
        state=started.state,
        nonce=started.nonce,
        code_challenge=create_s256_code_challenge(started.verifier),
        code_challenge_method="S256",
    )
    return address, started


async def finish(client: Client, started: Started, answer: Mapping[str, str]) -> Identity:
    """Who it is, by the parameters with which the provider sent the browser back.

    Raises:
        SsoRefused: they prove nobody.
    """
    if not secrets.compare_digest(answer.get("state", "").encode(), started.state.encode()):
        raise SsoRefused(Why.EXPIRED)
    if answer.get("iss", client.issuer) != client.issuer:  # RFC 9207: another provider answered
        raise SsoRefused(Why.NOT_PROVED)
    if "code" not in answer:
        raise SsoRefused(Why.CANCELLED)
    async with _http() as http:
        about = await _metadata(http, client.issuer)
        tokens = await _tokens(http, about, client, started, answer["code"])
        keys = await _json(http.get(about["jwks_uri"]))
        claims = _proved(client, started, tokens, keys)
        if "email" not in claims and "userinfo_endpoint" in about:
            claims |= await _user_info(http, about, tokens, claims["sub"])
    verified = claims.get("email_verified") in (True, "true")
    methods = claims.get("amr") or []
    out = about.get("end_session_endpoint")
    return Identity(
        subject=f"{client.issuer} {claims['sub']}",
        email=str(claims.get("email") or "") if verified else "",
        name=str(claims.get("name") or ""),
        second_factor="mfa" in methods or not _SECOND.isdisjoint(methods),
        sign_out_url=out if _is_safe(out) else None,
    )


def _http() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=SECONDS_MAX, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities we believe; reading them takes longer than the rest of a sign-in."""
    return httpx.create_ssl_context()


async def _metadata(http: httpx.AsyncClient, issuer: str) -> dict[str, Any]:
    """What the provider says of itself; it has to be the one that was asked for."""
    about = await _json(http.get(issuer.rstrip("/") + "/.well-known/openid-configuration"))
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if about.get("issuer") != issuer or not all(_is_safe(about.get(name)) for name in needed):
        raise SsoRefused(Why.UNREACHABLE)
    return about


def _is_safe(address: Any) -> bool:
    """Over TLS, or on this machine."""
    try:
        url = httpx.URL(address)
    except (TypeError, httpx.InvalidURL):
        return False
    return url.scheme == "https" or (
        url.scheme == "http" and url.host in ("localhost", "127.0.0.1", "::1")
    )


async def _tokens(
    http: httpx.AsyncClient, about: Mapping[str, Any], client: Client, started: Started, code: str
) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": started.verifier,
    }
    how: dict[str, Any] = {}
    methods = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if client.secret is None or "client_secret_basic" not in methods:
        form["client_id"] = client.client_id
        if client.secret is not None:
            form["client_secret"] = client.secret
    else:
        how["auth"] = httpx.BasicAuth(client.client_id, client.secret)
    try:
        return await _json(http.post(about["token_endpoint"], data=form, **how))
    except httpx.HTTPStatusError as error:
        # A code that was used before, or not for us.
        raise SsoRefused(Why.NOT_PROVED) from error


def _proved(
    client: Client, started: Started, tokens: Mapping[str, Any], keys: Mapping[str, Any]
) -> dict[str, Any]:
    """The claims of the ID token, once signature, issuer, audience, times and nonce are right."""
    try:
        token = jwt.decode(
            tokens["id_token"],
            KeySet.import_key_set({"keys": keys["keys"]}),
            algorithms=ALGORITHMS,
        )
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": client.issuer},
                "aud": {"essential": True, "value": client.client_id},
            },
            params={
                "nonce": started.nonce,
                "client_id": client.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        # The provider lives in the world's time, whatever the service's clock says.
        claims.validate(now=int(time.time()), leeway=LEEWAY_SECONDS)
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise SsoRefused(Why.NOT_PROVED)
        return dict(claims)
    except (JoseError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SsoRefused(Why.NOT_PROVED) from error


async def _user_info(
    http: httpx.AsyncClient, about: Mapping[str, Any], tokens: Mapping[str, Any], subject: str
) -> dict[str, Any]:
    """What some providers say only there; it has to be about the same person."""
    address = about["userinfo_endpoint"]
    if not _is_safe(address):
        return {}
    header = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
    said = await _json(http.get(address, headers=header))
    if said.get("sub") != subject:
        raise SsoRefused(Why.NOT_PROVED)
    return {name: said[name] for name in ("email", "email_verified", "name") if name in said}


async def _json(asked: Any) -> dict[str, Any]:
    """The answer's object; a refusal of what we sent is the caller's to read."""
    try:
        answer: httpx.Response = await asked
        if answer.is_client_error and answer.request.method == "POST":
            answer.raise_for_status()
        found = answer.json() if answer.is_success else None
    except httpx.HTTPStatusError:
        raise
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise SsoRefused(Why.UNREACHABLE) from error
    if not isinstance(found, dict):
        raise SsoRefused(Why.UNREACHABLE)
    return found
