"""Which passwords are taken (NIST SP 800-63B-4), and how they are compared."""

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from api.people import passwords
from api.people.passwords import CHARACTERS_MIN, Weakness, weakness

ABOUT = ("anna.meyer@lindenhof.example", "Anna Meyer", "Lindenhof Versand")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("kurz", Weakness.SHORT),
        ("x" * (CHARACTERS_MIN - 1), Weakness.SHORT),
        ("passwordpassword", Weakness.COMMON),
        ("123456789012345", Weakness.COMMON),
        ("qwertzuiopasdfg", Weakness.COMMON),
        ("aaaaaaaaaaaaaaaaaaaa", Weakness.COMMON),
        ("annameyerlindenhof", Weakness.COMMON),
        ("Kulanz-Lindenhof", Weakness.COMMON),
        ("x" * 201, Weakness.LONG),
        ("vier Enten am Montagsteich", None),
        ("ohneGrossesZeichenundziffern", None),
        ("🐟🐠🐡 schwimmen im Wohnzimmer", None),
    ],
)
def test_length_and_guessing_count_and_nothing_else(password: str, why: Weakness | None) -> None:
    assert weakness(password, ABOUT) == why


async def test_a_password_is_kept_as_argon2id_and_only_the_right_one_fits() -> None:
    kept = await passwords.hashed("vier Enten am Montagsteich")
    assert kept.startswith("$argon2id$")
    assert kept != await passwords.hashed("vier Enten am Montagsteich")
    assert await passwords.fits("vier Enten am Montagsteich", kept)
    assert not await passwords.fits("vier Enten am Dienstagsteich", kept)
    assert not await passwords.fits("", kept)
    assert not passwords.outdated(kept)


async def test_a_guess_takes_the_work_that_rfc_9106_asks_for() -> None:
    kept = await passwords.hashed("vier Enten am Montagsteich")
    assert extract_parameters(kept) == RFC_9106_LOW_MEMORY


async def test_nobodys_password_is_never_right() -> None:
    for tried in ("", "nobody has this password"):
        assert not await passwords.fits(tried, None)


async def test_the_same_letters_from_another_keyboard_fit() -> None:
    kept = await passwords.hashed("schöne Grüße aus Köln")
    assert await passwords.fits("scho\u0308ne Gru\u0308ße aus Ko\u0308ln", kept)
