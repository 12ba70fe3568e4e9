"""Letters with links to people: an invitation, or a way to a new password."""

from fastapi import Request

from api.pages.console.page import language_of, parts_of, query
from api.pages.console.view import texts
from api.people import accounts, links
from api.people.mail import can_mail, send
from storage.tables import Person


def password_url(request: Request, token: str) -> str:
    """The address that a link to a password has."""
    lang = query(lang=request.query_params.get("lang", ""))
    return f"{parts_of(request).public_url}/console/password/{token}{lang}"


async def mail_link(request: Request, person: Person, token: str) -> bool:
    """Send a person the link with this token; False where no mail can be sent."""
    settings = parts_of(request).settings
    if not can_mail(settings):
        return False
    kind = "invitation" if person.password is None else "reset"
    words = texts(language_of(request))["letters"][kind]
    text = words["text"].format(name=person.name, link=password_url(request, token))
    return await send(settings, person.email, words["subject"], text)


async def mail_password_link(request: Request, email: str) -> None:
    """A way to a new password for everybody with this address."""
    parts = parts_of(request)
    now = parts.clock.now()
    async with parts.database.operator() as session:
        people = await accounts.with_email(session, email)
        made = [(one, await links.make_password_link(session, one, now)) for one in people]
    for person, token in made:
        await mail_link(request, person, token)
