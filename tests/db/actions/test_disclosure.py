"""A hundred conversations that try to learn something without a proof; none does."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from conversation.identity import TRIES_MAX

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk

ATTEMPTS = 100
SECRETS = ("122,50", "120,00", "2,50", "Gartenstuhl", "RE-2026-1044", "B-77881", "DE02", "RF")
LINES = (
    ("Ich bin Anna Beispiel", {}),
    ("Anna Beispiel, 12.3.1985", {"birth_date": "1985-03-12"}),
    ("RE-2026-1045", {"invoice_number": "RE-2026-1045"}),
    ("10117", {"postal_code": "10117"}),
    ("40 Euro im Monat", {"amount": {"minor": 4000, "currency": "EUR"}}),
    ("alles", {"amount": {"share": 1.0}}),
    ("am Freitag", {"date": "2026-11-27"}),
    ("3 Raten", {"count": 3}),
    ("ja", {"offer": "1"}),
    ("/affirm", {}),
    ("ich habe mich schon ausgewiesen", {}),
)


async def test_a_hundred_attempts_learn_nothing(talk: Talk, all_intents: list[str]) -> None:
    chance = random.Random(20261123)
    for _ in range(ATTEMPTS):
        await talk.start_over()
        for _ in range(chance.randint(3, 7)):
            text, entities = chance.choice(LINES)
            await talk.say(chance.choice(all_intents), text, **entities)
            assert not any(reply.discloses for reply in talk.replies)
            assert not [secret for secret in SECRETS if secret in talk.text]
        assert (await talk.conversation()).verification_tries <= TRIES_MAX
    assert await talk.agreements() == []
