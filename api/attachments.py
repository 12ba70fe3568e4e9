"""A customer's file is opened: fetched from its provider the first time, kept, and noted."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from api.accounts import NoProvider
from api.file_content import PICTURE, Content, ContentRefused, content_of, preview_of
from api.people import audit
from api.people.sessions import SignedIn
from api.wiring import Parts
from channels.files import FileError
from conversation.attachments import Attached, attached, keep

# Unpacking a picture takes much memory for a moment: one at a time.
_PICTURES = ThreadPoolExecutor(1, thread_name_prefix="pictures")


class CannotBeOpened(Exception):
    """The file cannot be handed out now; the text is the code of why."""


async def opened(
    parts: Parts, person: SignedIn, message_id: int, position: int, *, small: bool = False
) -> Content | None:
    """The file, or a picture `small`; None where there is none. Stands in the log.

    No connection to the database is held while the provider is asked.

    Raises:
        CannotBeOpened: ``gone``, ``too_large``, ``refused``, ``out_of_reach``, ``damaged``,
            ``too_many_pixels``, ``empty``; ``no_picture`` where nothing can be shown small.
    """
    async with parts.database.merchant(person.merchant_id) as session:
        file = await attached(session, message_id, position)
    if file is None:
        return None
    content = await _content(parts, person.merchant_id, file)
    if small:
        content = await _small(content)
    async with parts.database.merchant(person.merchant_id) as session:
        audit.note(
            session, person, "attachment_seen", parts.clock.now(),
            merchant_id=person.merchant_id, conversation_id=file.conversation_id,
            customer_id=file.customer_id, message=message_id, position=position,
            file=file.kind, small=small,
        )  # fmt: skip
    return content


async def _content(parts: Parts, merchant_id: int, file: Attached) -> Content:
    """Our copy, made now where there is none."""
    if file.kept is not None:
        return Content(file.kept.media_type, file.kept.ending, file.kept.content)
    try:
        sender = await parts.providers.load(parts.database, file.channel_account_id)
        data = await sender.provider.fetch(file.reference)
        made = await asyncio.get_running_loop().run_in_executor(_PICTURES, content_of, data)
    except NoProvider:
        raise CannotBeOpened("refused") from None
    except FileError as error:
        raise CannotBeOpened(error.code) from None
    except ContentRefused as refused:
        raise CannotBeOpened(str(refused)) from refused
    async with parts.database.merchant(merchant_id) as session:
        now = parts.clock.now()
        await keep(session, merchant_id, file, made.media_type, made.ending, made.data, now)
    return made


async def _small(content: Content) -> Content:
    if content.media_type != PICTURE:
        raise CannotBeOpened("no_picture")
    loop = asyncio.get_running_loop()
    return Content(
        PICTURE, content.ending, await loop.run_in_executor(_PICTURES, preview_of, content.data)
    )
