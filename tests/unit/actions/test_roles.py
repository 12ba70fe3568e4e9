"""Several values in one line: which is wished for, which turned down, which comes first."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.roles import Mark, Role, with_roles

KINDS = {"a": "amount", "d": "date", "c": "count", "p": "period"}


def read(marked: str) -> tuple[dict[str, str | None], frozenset[str]]:
    """The role of every value of a line such as ``<a:100> jetzt``, by its words; and the marks."""
    text, entities = "", []
    while marked:
        before, _, rest = marked.partition("<")
        text += before
        if not rest:
            break
        value, _, marked = rest.partition(">")
        kind, _, words = value.partition(":")
        places = {"start": len(text), "end": len(text) + len(words)}
        entities.append({"entity": KINDS[kind], "value": words, **places})
        text += words
    found, marks = with_roles(entities, text)
    return {entity["value"]: entity.get("role") for entity in found}, marks


FIRST, OLD = Role.FIRST.value, Role.OLD.value


@pytest.mark.parametrize(
    ("line", "marks"),
    [
        ("Ich kann nicht alles zahlen jetzt", {Mark.NOT_EVERYTHING}),
        ("alles auf einmal geht nicht", {Mark.NOT_EVERYTHING}),
        ("i cannot pay all of it right now", {Mark.NOT_EVERYTHING}),
        ("I can't pay the whole amount at once", {Mark.NOT_EVERYTHING}),
        ("Kann ich nicht einfach alles auf einmal zahlen?", {Mark.EVERYTHING}),
        ("Ich zahle alles, aber nicht sofort", {Mark.EVERYTHING}),
        ("Können wir nicht einen Monat aussetzen?", {Mark.PAUSE}),
    ],
)
def test_everything_and_not_everything(line: str, marks: set[Mark]) -> None:
    assert read(line)[1] == {mark.value for mark in marks}


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("<d:bis Ende März> in Raten", Role.LAST.value),
        ("can I pay it off <p:weekly> by <d:31 March>", Role.LAST.value),
        ("die erste Rate <d:bis zum 10.>, dann <p:monatlich>", None),
        ("ich zahle <d:bis zum 10.>", None),
        ("<d:ab Februar> in Raten", None),
    ],
)
def test_the_day_by_which_instalments_end(line: str, role: str | None) -> None:
    (found,) = [
        value for words, value in read(line)[0].items() if words not in ("weekly", "monatlich")
    ]
    assert found == role


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("<a:100> jetzt und dann <a:50> <p:im Monat> ab <d:Januar>", {"100"}),
        ("erst mal <a:20>, dann <a:40> <p:monatlich>", {"20"}),
        ("<a:20> anzahlung und dann <a:20 euro> <p:im monat>", {"20"}),
        ("<a:ein viertel> jetzt, dann <p:jeden monat> <a:60>", {"ein viertel"}),
        ("wie wärs mit <a:siebzig> auf die hand und <a:vierzig> <p:monatlich>", {"siebzig"}),
        ("ich kann jetzt <a:100> zahlen und ab januar <a:50> <p:monatlich>", {"100"}),
        ("<a:50 €> <d:am Freitag>, <a:72,50 €> <d:am 15.>", {"50 €", "am Freitag"}),
        ("<a:die hälfte> jetzt, <a:Die Hälfte> <d:nächsten monat>", {"die hälfte"}),
        ("<d:am Freitag> <a:50>, danach <a:30> <p:im Monat>", {"50", "am Freitag"}),
        ("<a:50> <p:a month> and <a:100> right now", {"100"}),
        ("<a:€100> now and then <a:€50> <p:a month> from January", {"€100"}),
        ("Ich kann <a:60> anzahlen", {"60"}),
        ("I'd pay <a:50> upfront and <a:25> <p:monthly>", {"50"}),
        ("erste Rate bitte nur <a:20>, dann mehr", {"20"}),
        ("the first instalment only <a:20> please", {"20"}),
        ("die erste und jede andere Rate <a:20>", set()),
        ("<a:40> im Dezember, also <c:3 Raten>", set()),
        ("zwischen <a:30> und <a:40> <p:im Monat>", set()),
        ("<a:30> oder <a:40> ginge jetzt", set()),
        ("<a:40> <p:im Monat>, dann bin ich <d:im Mai> fertig", set()),
        ("jetzt <a:40>, lieber wären mir <a:30>", set()),
        ("<c:3 Raten> zu je <a:40 Euro>, dann passt es", set()),
        ("<a:50> jetzt oder <a:70> <d:am 15.>", set()),
        ("ich zahle <a:50> <d:am Freitag>", set()),
        ("ich zahle jetzt <a:75> und ihr erlasst mir den Rest", set()),
        ("I'll pay <a:half> if you forget the rest", set()),
        ("ich habe jetzt <a:20> für den Rest vom Monat", set()),
        ("ich habe <a:100> überwiesen, den Rest zahle ich <d:am 15.>", set()),
    ],
)
def test_a_first_payment(line: str, first: set[str]) -> None:
    roles, _ = read(line)
    assert {value for value, role in roles.items() if role == FIRST} == first


@pytest.mark.parametrize(
    ("line", "first", "at_once"),
    [
        ("<a:50> sofort, Rest <d:am 15.>", "50", True),
        ("I can pay <a:half> now and the rest <d:next month>", "half", True),
        ("<a:100> sofort, rest <d:ende dezember>", "100", True),
        ("<a:50> sofort rest in raten", "50", False),
        ("ich zahle <a:100 euro> an und den rest in raten", "100 euro", False),
        ("<a:100> jetzt, den Rest in <c:3 Raten>", "100", False),
        ("den Rest zahle ich <d:am 15.>, <a:50> jetzt", "50", True),
        ("vorab <a:ein drittel>, den rest in stücken", "ein drittel", False),
    ],
)
def test_a_part_now_and_the_rest(line: str, first: str, at_once: bool) -> None:
    roles, marks = read(line)
    assert roles[first] == FIRST
    assert (Mark.REST in marks) is at_once
    assert [value for value, role in roles.items() if role == FIRST] == [first]


@pytest.mark.parametrize(
    ("line", "old"),
    [
        ("kann ich <d:am 15.> statt <d:am 1.> zahlen", {"am 1."}),
        ("statt <d:am 1.> lieber <d:am 15.>", {"am 1."}),
        ("nicht <d:am 1.>, sondern <d:am 15.>", {"am 1."}),
        ("not <d:the 1st> but <d:the 15th>", {"the 1st"}),
        ("can we move it from <d:the 1st> to <d:the 15th>", {"the 1st"}),
        ("<d:on the 15th> instead of <d:the 1st> please", {"the 1st"}),
        ("können wir <d:vom 1.> auf <d:den 15.> gehen", {"vom 1."}),
        ("lieber <a:20> statt <a:40>", {"40"}),
        ("nicht <a:50> sondern <a:30>", {"50"}),
        ("<a:40> schaffe ich, <a:50> nicht", {"50"}),
        ("<a:80> ist zu viel, <a:50> ginge", {"80"}),
        ("<a:50> <p:im Monat> ist mir zu viel", {"50"}),
        ("<a:50> ist mir zu viel", {"50"}),
        ("<d:den 15.> schaffe ich doch nicht", {"den 15."}),
        ("I can't do <a:50>, <a:30> would work", {"50"}),
        ("lieber <c:4> statt <c:3> Raten", {"3"}),
        ("Kann ich nicht <d:am 15.> zahlen?", set()),
        ("warum gehen <a:30> nicht?", set()),
        ("<a:30> <p:im Monat>, mehr geht nicht", set()),
        ("<d:am 15.>, früher geht es nicht", set()),
        ("nicht vor <d:dem 15.>", set()),
        ("is <a:50> ok or not", set()),
        ("mehr als <a:30> geht nicht", set()),
        ("vor <d:dem 20.> geht es nicht", set()),
        ("I can't do more than <a:50>, <a:60> is too much", {"60"}),
        ("von <d:Montag> an", set()),
    ],
)
def test_what_is_turned_down(line: str, old: set[str]) -> None:
    roles, _ = read(line)
    assert {value for value, role in roles.items() if role == OLD} == old


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("kann ich nächsten Monat aussetzen?", Mark.PAUSE),
        ("ich brauche eine Pause bei den Raten", Mark.PAUSE),
        ("can I skip next month", Mark.PAUSE),
        ("alles erst im März", Mark.EVERYTHING),
        ("the whole amount in March", Mark.EVERYTHING),
        ("alles klar, dann am 15.", None),
        ("am 15. bitte", None),
    ],
)
def test_marks(line: str, mark: Mark | None) -> None:
    assert read(line)[1] == (frozenset() if mark is None else {mark.value})


def test_values_without_a_place_have_no_role() -> None:
    entities = [{"entity": "amount", "value": {}}, {"entity": "date", "value": "2026-12-15"}]
    assert with_roles(entities, "statt jetzt, dann der Rest")[0] == entities


@pytest.mark.parametrize(
    "line", ["<a:1> zahl an, nicht <d:am 1.> ", "von <a:1> nicht auf ", "statt am statt am <d:1.>"]
)
def test_no_line_takes_long(line: str) -> None:
    started = time.process_time()
    read(line * 150)
    assert time.process_time() - started < 1


@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.sampled_from([*KINDS.values()]), st.integers(0, 60), st.integers(0, 60))),
)
def test_whatever_is_written_keeps_its_values(text: str, spans: list[tuple[str, int, int]]) -> None:
    entities = [
        {"entity": kind, "value": number, "start": min(one, other), "end": max(one, other)}
        for number, (kind, one, other) in enumerate(spans)
    ]
    found, _ = with_roles(entities, text)
    assert [{k: v for k, v in e.items() if k != "role"} for e in found] == entities
