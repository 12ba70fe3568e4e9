"""Who may open a page of the console: what each route depends on, and where its form comes from.

A route of the console names `Needs` with its permission, or `Anybody`. A test walks the routes of
the whole application: one that names neither fails it.
"""

from fastapi import Request

from api.people import sessions
from api.people.roles import Permission
from api.people.sessions import SignedIn
from api.people.tokens import form_mark, new_token, same
from api.wiring import Parts

COOKIE = "kulanz_console"
FORM_COOKIE = "kulanz_console_form"
CODE_COOKIE = "kulanz_console_code"


class AccessRefused(Exception):
    """This page is not for who asks for it."""


class SignInNeeded(AccessRefused):
    """Nobody is signed in."""


class SecondFactorNeeded(AccessRefused):
    """The second factor has to be set up first."""


class FormNotOurs(AccessRefused):
    """A form came back that was not made for this person, or is too old."""


class NotAllowed(AccessRefused):
    """The person's role does not allow it."""

    def __init__(self, person: SignedIn) -> None:
        super().__init__(person.role.value)
        self.person = person


class Needs:
    """Lets in who is signed in and has this permission; without one, everybody signed in.

    What changes something has to be a form of ours. `unfinished` also lets in who has no second
    factor yet.
    """

    def __init__(self, permission: Permission | None = None, *, unfinished: bool = False) -> None:
        self.permission = permission
        self.unfinished = unfinished

    async def __call__(self, request: Request) -> SignedIn:
        """Who it is.

        Raises:
            AccessRefused: one of its kinds.
        """
        parts: Parts = request.app.state.parts
        token = request.cookies.get(COOKIE)
        person = await sessions.who(parts.database, token, parts.clock.now())
        if person is None:
            raise SignInNeeded
        if request.method == "POST" and not sessions.is_ours(person, await _mark(request)):
            raise FormNotOurs
        if person.unfinished and not self.unfinished:
            raise SecondFactorNeeded
        if self.permission is not None and not person.may(self.permission):
            raise NotAllowed(person)
        return person


class Anybody:
    """Lets in everybody; a form has to come from a page that the same browser got from us."""

    async def __call__(self, request: Request) -> str:
        """The mark for the page's forms. Raises FormNotOurs."""
        token = request.cookies.get(FORM_COOKIE)
        if request.method == "POST":
            if not token or not same(form_mark(token), await _mark(request)):
                raise FormNotOurs
        elif not token:
            # The page that answers sets it.
            token = request.state.form_cookie = new_token()
        return form_mark(token)


async def _mark(request: Request) -> str:
    given = (await request.form()).get("csrf")
    return given if isinstance(given, str) else ""
