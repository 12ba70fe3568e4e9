"""A small OpenID provider on a port: discovery, authorization code with PKCE, keys, user info.

It checks what a client sends as a real one would, and can be told to answer wrongly in one way at
a time.
"""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, Form, Header, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

CLIENT, SECRET = "kulanz", "geheim & lang"


@dataclass
class OpenIdProvider:
    """Who is signed in there, and how it answers."""

    url: str = ""
    subject: str = "u-1"
    email: str | None = "olga@lindenhof.example"
    verified: Any = True
    name: str = "Olga Winter"
    amr: list[str] | None = None
    says_no: bool = False
    down: bool = False
    claims: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token that are others than they should be."""
    without: tuple[str, ...] = ()
    email_in_token: bool = True
    sign: str = "RS256"
    """``none``: unsigned; ``HS256``: by the client's secret; ``foreign``: by an unknown key."""
    metadata: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    keys: list[RSAKey] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def rotate(self) -> None:
        """Sign with a new key from now on; the one before is gone."""
        self.keys = [_new_key()]

    def token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], **(self._about() if self.email_in_token else {}),
        }  # fmt: skip
        if self.amr is not None:
            claims["amr"] = self.amr
        claims |= self.claims
        claims = {name: value for name, value in claims.items() if name not in self.without}
        if self.sign == "none":
            parts = ({"alg": "none"}, claims)
            return ".".join(_encoded(json.dumps(part).encode()) for part in parts) + "."
        if self.sign == "HS256":
            key = OctKey.import_key(SECRET.encode() * 4)
            return jwt.encode({"alg": "HS256"}, claims, key)
        signing = self.keys[0]
        if self.sign == "foreign":
            signing = RSAKey.generate_key(2048, {"kid": signing.kid})
        return jwt.encode({"alg": "RS256", "kid": signing.kid}, claims, signing)

    def _about(self) -> dict[str, Any]:
        about = {"email": self.email, "email_verified": self.verified, "name": self.name}
        return {name: value for name, value in about.items() if value is not None}

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def discovery() -> Response:
            if self.down:
                return Response("gone for a moment", 503)
            return JSONResponse(
                {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "userinfo_endpoint": f"{self.url}/userinfo",
                    "jwks_uri": f"{self.url}/keys",
                    "end_session_endpoint": f"{self.url}/out",
                    **self.metadata,
                }
            )

        @app.get("/keys")
        async def keys() -> Any:
            return KeySet(list(self.keys)).as_dict(private=False)

        @app.get("/authorize")
        async def authorize(request: Request) -> Response:
            asked = dict(request.query_params)
            self.asked.append(asked)
            assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
            assert asked["code_challenge_method"] == "S256"
            assert "openid" in asked["scope"].split()
            back: dict[str, str] = {"state": asked["state"], "iss": self.url}
            if self.says_no:
                back["error"] = "access_denied"
            else:
                back["code"] = secrets.token_urlsafe(16)
                self.codes[back["code"]] = asked
            return RedirectResponse(asked["redirect_uri"] + "?" + urlencode(back), 303)

        @app.post("/token")
        async def token(
            code: Annotated[str, Form()],
            redirect_uri: Annotated[str, Form()],
            code_verifier: Annotated[str, Form()],
            authorization: Annotated[str, Header()],
        ) -> Response:
            asked = self.codes.pop(code, None)  # once
            basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            if (
                asked is None
                or authorization != f"Basic {basic}"
                or redirect_uri != asked["redirect_uri"]
                or create_s256_code_challenge(code_verifier) != asked["code_challenge"]
            ):
                return JSONResponse({"error": "invalid_grant"}, 400)
            given = {"access_token": "of-olga", "token_type": "Bearer"}
            return JSONResponse({**given, "id_token": self.token(asked)})

        @app.get("/userinfo")
        async def userinfo(authorization: Annotated[str, Header()]) -> Any:
            assert authorization == "Bearer of-olga"
            return {"sub": self.subject, **self._about(), **self.info}

        return app


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})


@cache
def first_key() -> RSAKey:
    """The key of one provider in one test after the other: making one takes long."""
    return _new_key()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@asynccontextmanager
async def running(key: RSAKey | None = None) -> AsyncIterator[OpenIdProvider]:
    """A provider that answers, with a key of its own if none is given."""
    provider = OpenIdProvider(keys=[key or _new_key()])
    server = uvicorn.Server(
        uvicorn.Config(provider.app(), port=0, log_level="warning", lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    provider.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield provider
    server.should_exit = True
    await serving
