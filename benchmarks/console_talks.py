"""A million messages for the console's benchmark, and the pages that find and show them."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.types.json import Jsonb

MESSAGES = 1_000_000
IN_A_TALK = 8
FIRST_TALK = 2
"""Before it is the one long conversation."""
SYLLABLES = ("ra", "mo", "lin", "ker", "tus", "bel", "gar", "wen", "sol", "dip", "nor", "fas")
SAID = (
    *("Kann ich in Raten zahlen? {}", "ich überweise am Freitag {}"),
    *("Das habe ich nie bestellt {}", "I'll pay on Friday {}"),
    *("Wer sind Sie überhaupt {}", "Die Ware {} war kaputt"),
    *("mir geht es gerade nicht gut {}", "30 im Monat wären möglich {}", "ja {}", "nein danke {}"),
)  # fmt: skip
ANSWERED = (
    "Gern. In wie vielen Raten möchten Sie zahlen?",
    "Danke. Bitte nennen Sie uns zuerst Ihre Postleitzahl, dann sehen wir gemeinsam nach.",
    "So machen wir es: Die erste Rate ist am 15. Dezember fällig.",
    "Das tut uns leid. Wir prüfen es und melden uns bis Montag.",
)
INTENTS = (
    *("request_instalments", "promise_payment", "dispute_unknown", "promise_payment"),
    *("ask_sender", "dispute_goods", "hardship", "propose_amount", "affirm", "deny"),
)
WORDS = [a + b + c + d for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES for d in "nts"]


def fill(
    connection: psycopg.Connection[Any],
    merchant: int,
    account: int,
    messages: int,
    now: datetime,
) -> int:
    """Fill in the conversations, with turns and what came of them; how many there are.

    The triggers that keep the lists up are stood in for by what the migration does at once.
    """
    chance = random.Random(8)
    talks = range(FIRST_TALK, FIRST_TALK + messages // IN_A_TALK)
    kinds = ("handoff_requested", "claim_disputed", "opted_out")

    def at(talk: int, place: int) -> datetime:
        return now - timedelta(minutes=4 * (talks[-1] - talk)) - timedelta(seconds=30 - place)

    def word() -> str:
        return WORDS[int(len(WORDS) * chance.random() ** 3)]

    def message(talk: int, place: int) -> tuple[Any, ...]:
        id_ = 10_000 + talk * IN_A_TALK + place
        if place % 2:
            kind = (talk + place) // 2 % len(SAID)
            text = SAID[kind].format(f"{word()} {word()}")
            if talk % 20_000 == 77:
                text += " Seltenheitswert"
            return (id_, talk, account, "in", "customer", text, None, None, Jsonb({}))
        kind = chance.randrange(len(ANSWERED))
        by = Jsonb({"agent": "Lea"} if talk % 50 == 0 and place == 6 else {})
        author = "agent" if talk % 50 == 0 and place == 6 else "bot"
        variant = "short" if chance.random() < 0.1 else "standard"
        return (id_, talk, account, "out", author, ANSWERED[kind], f"answer_{kind}", variant, by)

    def rows() -> Iterator[tuple[Any, ...]]:
        for talk in talks:
            for place in range(IN_A_TALK):
                yield (*message(talk, place), at(talk, place), "message")

    def understood() -> Iterator[tuple[Any, ...]]:
        for talk in talks:
            for place in range(1, IN_A_TALK, 2):
                sure = chance.random() ** 0.3
                intent = INTENTS[(talk + place) // 2 % len(INTENTS)]
                intent = intent if sure > 0.3 else "out_of_scope"
                ranking = [
                    {"name": intent, "confidence": sure},
                    {"name": "inform", "confidence": 0},
                ]
                told = {"intent": intent, "confidence": sure, "ranking": ranking, "language": "de"}
                id_ = 10_000 + talk * IN_A_TALK + place
                yield (id_, talk, Jsonb(told), Jsonb([]), at(talk, place))

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")

        def copied(table: str, columns: str, found: Any) -> None:
            with cursor.copy(f"COPY {table} ({columns}, merchant_id) FROM STDIN") as copy:
                for row in found:
                    copy.write_row((*row, merchant))

        copied(
            "conversation", "id, channel_account_id, channel, address, customer_id, state, "
            "created_at",
            (
                (talk, account, ("sms", "whatsapp", "telegram")[talk % 3], f"+49176{talk:08d}",
                 talk, "waiting" if talk % 900 == 0 else "bot", at(talk, 0))
                for talk in talks
            ),
        )  # fmt: skip
        copied(
            "message", "id, conversation_id, channel_account_id, direction, author, text, wording, "
            "variant, args, created_at, kind",
            rows(),
        )  # fmt: skip
        copied("turn", "message_id, conversation_id, understanding, events, at", understood())
        copied(
            "audit_event", "kind, at, conversation_id, customer_id",
            (
                (kinds[talk // 25 % 3], at(talk, 7), talk, talk)
                for talk in talks
                if talk % 25 == 0
            ),
        )  # fmt: skip
        copied(
            "contact_attempt",
            "customer_id, contact_point_id, message_id, cycle, step, reason, at",
            (
                (talk, talk, 10_000 + talk * IN_A_TALK, 1, "first_contact", "no_contact_yet; x",
                 at(talk, 0))
                for talk in talks
            ),
        )  # fmt: skip
        cursor.execute("SET session_replication_role = origin")
        migration = import_module("storage.migrations.versions.0016_transcripts")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute("TRUNCATE transcript, transcript_token, transcript_waiting")
        cursor.execute(migration.LISTED_SO_FAR)
        cursor.execute(migration.MARKED_SO_FAR)
        # As if agreed: an agreement itself would need its terms.
        copied(
            "transcript_token", "token, conversation_id",
            (
                ("outcome:instalment_plan" if talk % 3 else "outcome:promise", talk)
                for talk in talks
                if talk % 6 == 0 or talk % 7 == 0
            ),
        )  # fmt: skip
    return len(talks)


def pages(talks: int) -> dict[str, list[str]]:
    """Each kind of page with the addresses that are asked for in turn."""
    some = [FIRST_TALK + talks * n // 21 for n in range(1, 21)]
    q, listed = "/console/conversations?q=", "/console/conversations?"
    micros = 1_795_428_000_000_000
    common = ("Raten", "rate", "überweise", "ueberweise", "Freitag", "Montag", "Postleitzahl")
    return {
        "talks": ["/console/conversations"],
        "talks, deep": [f"{listed}before={micros - n * 10**12}_5" for n in range(1, 30)],
        "talks by state": [f"{listed}state={one}" for one in ("bot", "waiting", "agent")],
        "talks by channel": [f"{listed}channel={one}" for one in ("sms", "telegram", "terminal")],
        "talks by intent": [f"{listed}intent={one}" for one in (*INTENTS, "crisis")],
        "talks by mark": [
            f"{listed}with={one}"
            for one in ("unsure", "not_understood", "handoff", "dispute", "opt_out", "flagged")
        ],
        "talks by wording": [
            f"{listed}wording=answer_{n}&variant={one}"
            for n in range(4)
            for one in ("standard", "short")
        ],
        "talks by several": [
            f"{listed}intent=hardship&with=handoff&outcome=promise&channel=sms",
            f"{listed}intent=hardship&with=unsure&with=not_understood&outcome=instalment_plan",
            f"{listed}agent=Lea&with=unsure&intent=affirm",
            f"{listed}intent=affirm&intent=deny&channel=whatsapp&wording=answer_1",
        ],
        "talks of a period": [
            f"{listed}since=2026-{m:02}-01&until=2026-{m:02}-09&channel=sms" for m in range(1, 11)
        ],
        "word, common": [q + quote(one) for one in common],
        "word, common, deep": [
            f"{q}{quote(one)}&before={micros - n * 10**12}_5"
            for one in common[:3]
            for n in range(1, 25, 3)
        ],
        "word, medium": [q + WORDS[n] for n in range(60, 100)],
        "word, rare": [q + WORDS[-n] for n in range(1, 40)] + [f"{q}Seltenheitswert"],
        "word, none": [f"{q}Xanthippe"],
        "words, two common": [f"{q}{a}+{b}" for a in ("Raten", "Ware") for b in ("bestellt", "ja")],
        "words, common and rare": [f"{q}Raten+{WORDS[-n]}" for n in range(1, 20)],
        "words, never together": [f"{q}{WORDS[n]}+{WORDS[n + 1]}+Raten" for n in range(20)],
        "phrase, common": [q + quote('"in Raten zahlen"'), q + quote('"am Freitag"')],
        "phrase, rare": [q + quote(f'"bestellt {WORDS[n]}"') for n in range(40)],
        "phrase, never": [q + quote('"Raten am Freitag"')],
        "word with filters": [
            f"{q}{one}&intent=hardship&with=handoff" for one in ("Raten", WORDS[70])
        ] + [f"{q}Freitag&channel=telegram&state=bot&with=unsure&outcome=promise"],
        "word in a period": [
            f"{q}Raten&since=2026-0{m}-01&until=2026-0{m}-20" for m in range(1, 9)
        ],
        "transcript": [f"/console/conversations/{talk}" for talk in some],
        "transcript, searched": [f"/console/conversations/{talk}?q=raten" for talk in some],
        "transcript, 3000 messages": [
            "/console/conversations/1",
            "/console/conversations/1?q=nachricht",
            "/console/conversations/1?at=1500",
            "/console/conversations/1?before=700",
        ],
        "message": [
            f"/console/conversations/{talk}/messages/{10_000 + talk * IN_A_TALK + 3}"
            for talk in some
        ],
        "corrections": ["/console/corrections"],
    }  # fmt: skip
