"""Fetching a file that a customer sent, from the provider that holds it.

A closed set of errors says why a file cannot be had, as the send errors do for a message. None of
them quotes an address: Telegram's carry the bot's token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from channels.http import Answer, AnswerLost, AnswerTooLong, Connections, NotSent

FILE_BYTES_MAX = 16 * 1024 * 1024
"""What WhatsApp takes; Telegram hands files of up to 20 MB to a bot."""
# Whatever is packed would be unpacked before it could be measured.
_AS_IT_IS = {"Accept-Encoding": "identity"}


class FileError(Exception):
    """Base of the closed set; `code` is the stable name."""

    code: ClassVar[str]


class FileGone(FileError):
    """The provider has it no more, or never had it."""

    code = "gone"


class FileTooLarge(FileError):
    """Larger than FILE_BYTES_MAX, or than the provider hands out."""

    code = "too_large"


class FileRefused(FileError):
    """The provider does not accept our credentials, or sends us where its files are not kept."""

    code = "refused"


class FileOutOfReach(FileError):
    """No whole answer just now; it may be asked for again."""

    code = "out_of_reach"


async def download(
    connections: Connections, url: str, *, headers: Mapping[str, str] | None = None
) -> Answer:
    """The answer to one GET: success, or a redirect for the caller to judge. Raises FileError."""
    try:
        answer = await connections.exchange(
            "GET", url, headers={**_AS_IT_IS, **(headers or {})}, bytes_max=FILE_BYTES_MAX
        )
    except AnswerTooLong:
        raise FileTooLarge("the file is too large") from None
    except (NotSent, AnswerLost):
        raise FileOutOfReach("the provider could not be reached") from None
    if 200 <= answer.status < 400:
        return answer
    raise refusal(answer.status)


def refusal(status: int) -> FileError:
    """What an answer without the file means."""
    if status in (404, 410):
        return FileGone("the provider has no such file")
    if status in (401, 403):
        return FileRefused("the provider refused our credentials")
    return FileOutOfReach("the provider failed")
