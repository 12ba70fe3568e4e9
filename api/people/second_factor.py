"""The second factor: time-based codes of an authenticator app (RFC 6238), and recovery codes."""

import base64
import secrets
from datetime import datetime

import pyotp
import segno
from cryptography.fernet import InvalidToken
from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.functions import count

from api.people.tokens import hashed, same
from api.sealing import seal, unseal
from storage.tables import Person, RecoveryCode

SEALED_FOR = "second factors"
STEP_SECONDS = 30
STEPS_AROUND = 1
"""Clocks differ: the code before and the one after count, too (RFC 6238, section 5.2)."""
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_RECOVERY_GROUP = 4


def new_offer(secret_key: str, person_id: int) -> str:
    """A fresh secret for this person, sealed: a form carries it until a code proves it."""
    secret = {"secret": pyotp.random_base32(), "person": str(person_id)}
    return seal(secret_key, SEALED_FOR, secret).decode()


def offered(secret_key: str, person_id: int, offer: str) -> str | None:
    """The secret in an offer, None for one that is not ours or another person's."""
    try:
        given = unseal(secret_key, SEALED_FOR, offer.encode())
    except InvalidToken:
        return None
    return given["secret"] if given.get("person") == str(person_id) else None


def picture(secret: str, email: str) -> str:
    """The QR code that an authenticator app reads, as the address of a picture."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Kulanz")
    return str(segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="#fff"))


async def set_up(
    session: AsyncSession, person: Person, secret_key: str, offer: str, code: str, now: datetime
) -> list[str] | None:
    """Take the offered secret as the second factor, if the code is one of it.

    Returns fresh recovery codes, which are shown this once; None for a wrong code.
    """
    secret = offered(secret_key, person.id, offer)
    step = None if secret is None else _step_of(secret, code, now)
    if secret is None or step is None:
        return None
    person.second_factor = seal(secret_key, SEALED_FOR, {"secret": secret})
    person.second_factor_step = step
    return await new_recovery_codes(session, person, now)


async def new_recovery_codes(session: AsyncSession, person: Person, now: datetime) -> list[str]:
    """Replace all recovery codes of this person; only their hashes are kept."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    for code in codes:
        session.add(
            RecoveryCode(
                hash=hashed(_plain(code)),
                person_id=person.id,
                merchant_id=person.merchant_id,
                created_at=now,
            )
        )
    await session.flush()
    return codes


async def proves(
    session: AsyncSession, person: Person, secret_key: str, code: str, now: datetime
) -> bool:
    """Whether this is a code of the person's app, or a recovery code; it is used up by that."""
    if person.second_factor is None:
        return False
    secret = unseal(secret_key, SEALED_FOR, person.second_factor)["secret"]
    step = _step_of(secret, code, now)
    if step is None:
        return await _use_recovery_code(session, person, code, now)
    newer = or_(Person.second_factor_step.is_(None), Person.second_factor_step < step)
    taken = await session.scalar(
        update(Person)
        .where(Person.id == person.id, newer)
        .values(second_factor_step=step)
        .returning(Person.id)
    )
    return taken is not None


async def recovery_codes_left(session: AsyncSession, person_id: int) -> int:
    """How many recovery codes are unused."""
    left = await session.scalar(
        select(count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    )
    return left or 0


async def _use_recovery_code(
    session: AsyncSession, person: Person, code: str, now: datetime
) -> bool:
    used = await session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.hash == hashed(_plain(code)),
            RecoveryCode.person_id == person.id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.hash)
    )
    return used is not None


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, None where it is none of these minutes."""
    given = "".join(code.split())
    app = pyotp.TOTP(secret, interval=STEP_SECONDS)
    here = int(now.timestamp()) // STEP_SECONDS
    for step in range(here - STEPS_AROUND, here + STEPS_AROUND + 1):
        if same(app.generate_otp(step), given):
            return step
    return None


def _recovery_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    places = range(0, len(letters), _RECOVERY_GROUP)
    return "-".join(letters[at : at + _RECOVERY_GROUP] for at in places)


def _plain(code: str) -> str:
    return "".join(letter for letter in code.lower() if letter.isalnum())
