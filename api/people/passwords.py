"""Passwords: which ones are taken, and how they are kept and compared.

The rules are those of NIST SP 800-63B-4, section 3.1.1.2: length counts, no rules about kinds of
characters, no change without a reason, every character allowed, and no password that is common or
easy to guess. A password is one of two factors here, for which 8 characters are the least allowed;
we ask for 12.
"""

import asyncio
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from zxcvbn import zxcvbn

CHARACTERS_MIN = 12
CHARACTERS_MAX = 200
_SCORE_MIN = 4
"""The best of zxcvbn's, from 10^10 guesses on; known passwords and their variants are far below."""
_JUDGED_MAX = 72
"""zxcvbn looks at no more."""
_AT_ONCE_MAX = 2
"""Each comparison takes 64 MiB."""

_hasher = PasswordHasher()
_slots = asyncio.Semaphore(_AT_ONCE_MAX)


class Weakness(StrEnum):
    """Why a password is not taken."""

    SHORT = "short"
    LONG = "long"
    COMMON = "common"


def weakness(password: str, about: Iterable[str]) -> Weakness | None:
    """Why this password is not taken, None for a good one.

    ``about`` is what others know of the person: the address, the name, the merchant.
    """
    plain = _normal(password)
    if len(plain) < CHARACTERS_MIN:
        return Weakness.SHORT
    if len(plain) > CHARACTERS_MAX:
        return Weakness.LONG
    words = [part for one in about for part in one.replace("@", " ").split() if len(part) > 2]
    judged = zxcvbn(plain[:_JUDGED_MAX], user_inputs=["kulanz", *words])
    return Weakness.COMMON if judged["score"] < _SCORE_MIN else None


async def hashed(password: str) -> str:
    """As it is kept."""
    async with _slots:
        return await asyncio.to_thread(_hasher.hash, _normal(password))


async def fits(password: str, kept: str | None) -> bool:
    """Whether this is the password; takes as long where there is none to compare with."""
    async with _slots:
        nobodys = await asyncio.to_thread(_nobodys)  # for everybody: the first try tells nothing
        right = await asyncio.to_thread(_compare, _normal(password), kept or nobodys)
    return right and kept is not None


def outdated(kept: str) -> bool:
    """Whether it was hashed with less work than is usual by now."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    """What a password is compared with where there is none; a good part of a second's work."""
    return _hasher.hash("nobody has this password")


def _compare(password: str, kept: str) -> bool:
    if len(password) > CHARACTERS_MAX:
        password = ""  # no password is so long; the work stays the same
    try:
        return _hasher.verify(kept, password)
    except VerificationError:
        return False


def _normal(password: str) -> str:
    """The same letters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFKC", password)
