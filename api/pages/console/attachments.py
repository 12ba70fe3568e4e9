"""``/console/attachments/…``: a file that a customer sent, for who may see what is uncovered.

A picture of our own making is shown; all else is a download and never a page. Whatever it is, the
browser takes it for nothing else, runs nothing in it and gives it to nobody.
"""

from typing import Annotated

from fastapi import Path, Request, Response

from api.attachments import CannotBeOpened, opened
from api.file_content import PICTURE
from api.pages.console.conversations import Id, Revealer
from api.pages.console.page import console_router, notice, parts_of, texts_of

router = console_router()

Position = Annotated[int, Path(ge=0, le=99)]
_STATUS = {"gone": 404, "no_picture": 404, "out_of_reach": 503}


@router.get("/attachments/{message}/{position}")
async def attachment(
    request: Request, person: Revealer, message: Id, position: Position, small: bool = False
) -> Response:
    """The file, or its picture small; each stands in the log."""
    try:
        content = await opened(parts_of(request), person, message, position, small=small)
    except CannotBeOpened as why:
        code = str(why)
        told = texts_of(request)["attachment_refused"][code]
        facts = {"person": person, "why": told}
        return notice(request, "no_attachment", _STATUS.get(code, 422), facts)
    if content is None:
        return notice(request, "nothing", 404, {"person": person})
    shown = content.media_type == PICTURE
    name = f"{message}-{position + 1}.{content.ending}"
    return Response(
        content.data,
        media_type=content.media_type,
        headers={
            "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
