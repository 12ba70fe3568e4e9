"""What all pages of the console share: how they answer, in which language, and how they refuse."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, QueryParams, UploadFile
from starlette.types import Message, Receive, Scope

from api.client_address import client_key
from api.pages.console.view import texts
from api.pages.page import Pages, wanted_language
from api.people.access import (
    COOKIE,
    FORM_COOKIE,
    AccessRefused,
    NotAllowed,
    SecondFactorNeeded,
    SignInNeeded,
)
from api.people.roles import Permission
from api.people.sessions import SESSION_HOURS
from api.people.sign_in import Entrance
from api.wiring import Parts
from channels.payload import storable

START = "/console"
_pages = Pages("console", "console.css")
_MENU = (
    ("overview_title", START, Permission.READ),
    ("desk_title", "/console/desk", Permission.HANDOFFS),
    ("conversations", "/console/conversations", Permission.READ),
    ("corrections_title", "/console/corrections", Permission.READ),
    ("claims_title", "/console/claims", Permission.READ),
    ("bank_title", "/console/bank", Permission.PAYMENTS),
    ("imports_title", "/console/imports", Permission.CLAIMS),
    ("people_title", "/console/people", Permission.PEOPLE),
    ("audit_title", "/console/audit", Permission.AUDIT),
    ("settings_title", "/console/settings", Permission.SETTINGS),
    ("merchants_title", "/console/merchants", Permission.MERCHANTS),
)
FORM_BYTES_MAX = 512 * 1024


class FormTooLarge(AccessRefused):
    """More was sent than any form of this page holds."""


class _StorableRequest(Request):
    """A request whose fields PostgreSQL can store, whatever a client put into them."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        named = {name: _clean(value) for name, value in scope.get("path_params", {}).items()}
        super().__init__({**scope, "path_params": named}, receive)

    @property
    def query_params(self) -> QueryParams:
        """The fields of the address."""
        return QueryParams(
            [(name, storable(value)) for name, value in super().query_params.multi_items()]
        )

    async def _get_form(self, **limits: Any) -> FormData:
        fresh = self._form is None
        form = await super()._get_form(**limits)
        if fresh:
            form = FormData([(name, _clean(value)) for name, value in form.multi_items()])
            self._form = form
        return form


def _clean(value: Any) -> Any:
    if isinstance(value, UploadFile):
        value.filename = value.filename and storable(value.filename)
        return value
    return storable(value) if isinstance(value, str) else value


class ConsoleRoute(APIRoute):
    """A route that answers with a page where somebody may not come in."""

    bytes_max = FORM_BYTES_MAX

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals turned into pages."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            read = _StorableRequest(request.scope, self._bounded(request.receive))
            try:
                return await handle(read)
            except AccessRefused as refused:
                return _refusal(request, refused)
            finally:
                await read.close()  # the files of a form

        return handled

    def _bounded(self, receive: Receive) -> Receive:
        """What comes in, until it is more than it may be."""
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.bytes_max:
                raise FormTooLarge
            return message

        return bounded


def console_router(route: type[ConsoleRoute] = ConsoleRoute) -> APIRouter:
    """A router for pages of the console."""
    return APIRouter(route_class=route)


def _refusal(request: Request, refused: AccessRefused) -> Response:
    lang = request.query_params.get("lang", "")
    if isinstance(refused, SignInNeeded):
        here = request.url.path + ("?" + request.url.query if request.url.query else "")
        back = here if request.method == "GET" and request.url.path != START else ""
        return RedirectResponse("/console/sign-in" + query(next=back, lang=lang), 303)
    if isinstance(refused, SecondFactorNeeded):
        return RedirectResponse("/console/me/second-factor" + query(lang=lang), 303)
    if isinstance(refused, NotAllowed):
        return notice(request, "not_allowed", 403, {"person": refused.person})
    if isinstance(refused, FormTooLarge):
        return notice(request, "too_large", 413)
    return notice(request, "not_ours", 403)


def parts_of(request: Request) -> Parts:
    """The parts of this process."""
    parts: Parts = request.app.state.parts
    return parts


def entrance(request: Request) -> Entrance:
    """Who asks, from where."""
    client = client_key(request, parts_of(request).settings.trusted_proxies)
    return Entrance(client, request.headers.get("user-agent", ""))


def language_of(request: Request) -> str:
    """The language this page is read in."""
    lang = request.query_params.get("lang", "")
    return wanted_language(lang, request.headers.get("accept-language", ""), "de")


def texts_of(request: Request) -> dict[str, Any]:
    """The console's words in the language this page is read in."""
    return texts(language_of(request))


def respond(
    request: Request,
    template: str,
    facts: Mapping[str, Any],
    status: int = 200,
    *,
    pages: Pages = _pages,
    brand: str = "",
) -> Response:
    """Render a page of the console; ``person`` among the facts shows who is signed in.

    `pages` are those of a folder of its own or with a script, `brand` is CSS of the merchant's own.
    """
    language = language_of(request)
    kept = [pair for pair in request.query_params.multi_items() if pair[0] != "lang"]
    switch = {one: "?" + urlencode([*kept, ("lang", one)]) for one in ("de", "en")}
    lang = request.query_params.get("lang", "")
    person = facts.get("person")
    shown = {
        # What answers a POST has no address to switch on.
        "switch": switch if request.method == "GET" else {},
        "t": texts(language),
        "lang": query(lang=lang if lang in switch else ""),
        "here": request.url.path,
        "menu": [
            (name, path)
            for name, path, needed in _MENU
            if person is not None and person.may(needed)
        ],
        **facts,
    }
    response = pages.respond(template, shown, language=language, status=status, brand=brand)
    fresh = getattr(request.state, "form_cookie", None)
    if fresh is not None:
        set_cookie(request, response, FORM_COOKIE, fresh, seconds=SESSION_HOURS * 3600)
    return response


def notice(
    request: Request, state: str, status: int = 200, facts: Mapping[str, Any] | None = None
) -> Response:
    """A page that says one thing."""
    return respond(request, "notice.html", {"state": state, **(facts or {})}, status)


def go(request: Request, path: str, **more: Any) -> Response:
    """Go on to another page, in the same language."""
    return RedirectResponse(path + query(lang=request.query_params.get("lang", ""), **more), 303)


def signed_in(request: Request, token: str, path: str = START) -> Response:
    """Go on as who holds this session."""
    response = go(request, path)
    set_cookie(request, response, COOKIE, token, seconds=SESSION_HOURS * 3600)
    return response


def set_cookie(
    request: Request, response: Response, name: str, value: str, *, seconds: int
) -> None:
    """A cookie of the console: not for scripts, not for other sites."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/console",
        httponly=True,
        samesite="lax",
        secure=parts_of(request).public_url.startswith("https://"),
    )


def query(**given: Any) -> str:
    """These as a query, without the empty ones."""
    kept = {name: value for name, value in given.items() if value}
    return "?" + urlencode(kept) if kept else ""
