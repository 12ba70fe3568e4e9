"""``/api/docs``: every operation with its fields and answers; it asks nobody else for anything."""

from fastapi import APIRouter, Request, Response

from api.pages.page import Pages
from api.pages.reference.view import operations, text

router = APIRouter(include_in_schema=False)
_pages = Pages("reference", "reference.css")


@router.get("/api/docs")
async def reference(request: Request) -> Response:
    """The API as people read it; ``openapi.json`` is the same for programs."""
    document = request.app.openapi()
    return _pages.respond(
        "reference.html",
        {
            "info": document["info"],
            "about": text(document["info"]["description"]),
            "openapi": request.app.openapi_url,
            "groups": operations(document),
        },
        language="en",
    )
