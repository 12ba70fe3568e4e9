"""``/console/desk/files/<hash>``: the style and script of the desk's pages, kept by browsers.

A name is the hash of what is in the file, so a file never changes under its name. After an update
a page that is still open goes on with what it has; what it asks for by an old name is not there.
"""

from typing import Annotated

from fastapi import Depends, Response

from api.pages.console.page import console_router
from api.pages.desk import queue_page
from api.pages.desk.page import FILES, pages
from api.people.access import Anybody

router = console_router()

FOR_GOOD = "public, max-age=31536000, immutable"
_files = pages.files | queue_page.pages.files


@router.get(FILES.removeprefix("/console") + "/{file}")
async def file(file: str, _: Annotated[str, Depends(Anybody())]) -> Response:
    """The file of this name: what is in it is nobody's secret."""
    found = _files.get(file)
    nosniff = {"X-Content-Type-Options": "nosniff"}
    if found is None:
        return Response(status_code=404, headers={"Cache-Control": "no-store", **nosniff})
    headers = {"Cache-Control": FOR_GOOD, **nosniff}
    return Response(found.content, media_type=found.media_type, headers=headers)
