"""How pages of the desk answer: those of the console, with the desk's style and script."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Response

from api.pages.console.page import respond as respond_as_console
from api.pages.page import Pages
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn

DESK = "/console/desk"
BIGGEST = 2**63 - 1
FILES = f"{DESK}/files"


def desk_pages(*styles: str) -> Pages:
    """Pages with these styles of the desk: style and script are files, which a browser keeps."""
    base = ("console", "console.css")
    return Pages("desk", ("live.css", *styles), "desk.js", base=base, served_at=FILES)


pages = desk_pages("desk.css")
Agent = Annotated[SignedIn, Depends(Needs(Permission.HANDOFFS))]
Id = Annotated[int, Path(ge=1, le=BIGGEST)]


def respond(
    request: Request, template: str, facts: Mapping[str, Any], status: int = 200
) -> Response:
    """Render a page of the desk."""
    return respond_as_console(request, template, facts, status, pages=pages)
