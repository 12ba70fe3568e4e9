"""The hash chain that seals a claim's postings, and the fingerprint of a command's input."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from ledger.money import Money
from ledger.posting import Movement, Posting


def input_hash(command: str, **facts: Any) -> str:
    """Fingerprint of a command's input, to tell a repetition from a conflict."""
    text = json.dumps({"command": command, **facts}, sort_keys=True, default=_jsonable)
    return hashlib.sha256(text.encode()).hexdigest()


def _jsonable(value: object) -> Any:
    if isinstance(value, Money):
        return value.to_json()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"not part of a command: {type(value).__name__}")


def genesis_hash(claim_id: int) -> str:
    """What the first posting of a claim is chained to."""
    return hashlib.sha256(f"kulanz claim {claim_id}".encode()).hexdigest()


def posting_hash(posting: Posting) -> str:
    """Hash of a posting and the one before it.

    Holds numbers, accounts, amounts and days only: erasing a person must not break the chain.
    """
    facts = {
        "claim": posting.claim_id,
        "number": posting.number,
        "kind": posting.kind.value,
        "source": posting.source.value,
        "destination": posting.destination.value,
        "amount": posting.amount.to_json(),
        "value_date": posting.value_date.isoformat(),
        "booked_at": posting.booked_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "reverses": posting.reverses,
        "input": posting.input_hash,
        "previous": posting.previous_hash,
    }
    if posting.marking is not None:
        facts["marking"] = posting.marking.value
    if posting.rebooks is not None:
        facts["rebooks"] = posting.rebooks
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def chained(
    claim_id: int,
    last: Posting | None,
    movements: Sequence[Movement],
    *,
    value_date: date,
    booked_at: datetime,
    key: str,
    input_hash: str,
    position: int = 1,
) -> tuple[Posting, ...]:
    """Number, key and seal movements of one command behind the claim's ``last`` posting.

    ``position`` is the place of the first of them among the command's postings. ``value_date``
    is that of movements without one of their own.
    """
    number = last.number if last else 0
    previous = last.hash if last else genesis_hash(claim_id)
    result = []
    for place, movement in enumerate(movements):
        draft = Posting(
            claim_id=claim_id,
            number=number + place + 1,
            kind=movement.kind,
            source=movement.source,
            destination=movement.destination,
            amount=movement.amount,
            value_date=movement.value_date or value_date,
            booked_at=booked_at,
            reverses=movement.reverses,
            idempotency_key=f"{key}#{position + place}",
            input_hash=input_hash,
            previous_hash=previous,
            hash="",
            marking=movement.marking,
            rebooks=movement.rebooks,
        )
        sealed = replace(draft, hash=posting_hash(draft))
        previous = sealed.hash
        result.append(sealed)
    return tuple(result)


def first_broken(claim_id: int, postings: Sequence[Posting]) -> int | None:
    """Number of the first posting that does not fit the chain; ``None`` when all fit."""
    previous = genesis_hash(claim_id)
    for expected, posting in enumerate(postings, 1):
        fits = (
            posting.number == expected
            and posting.claim_id == claim_id
            and posting.previous_hash == previous
            and posting.hash == posting_hash(posting)
        )
        if not fits:
            return expected
        previous = posting.hash
    return None
