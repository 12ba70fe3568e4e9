"""PostgreSQL stores no NUL, and anybody can put one into a form: it is left out, in one place."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from sqlalchemy import select

from api.app import create_app
from api.pages.console.page import ConsoleRoute
from api.people.roles import Role
from storage.engine import Database
from storage.tables import DeskTeam, Handoff, Merchant, Upload, WrapUp
from tests.db.console_browser import Console
from tests.db.people.test_who_may_do_what import Theirs, console, sign_in_as, theirs

__all__ = ["console", "theirs"]

NUL = "\x00"
FITTING = {
    "role": "agent", "language": "de", "outcome": "solved", "kind": "outcome", "rating": "3",
    "email": "neu@x.example", "part": "interest", "amount": "1,00", "day": "2026-11-27",
    "intent": "affirm", "to": "turn", "when": "answer", "result": "reached", "code": "solved",
    "url": "https://neu.example/haken", "scope": "read", "reason": "goodwill",
}  # fmt: skip
"""What gets a form past its first checks."""


def fields_of(dependant: Dependant, among: str) -> Iterator[tuple[str, str]]:
    """Each field with a value: NUL in every text, a fitting figure elsewhere."""
    for field in getattr(dependant, among):
        annotation = field.field_info.annotation
        if annotation is str or str in getattr(annotation, "__args__", ()):
            yield field.alias, f"{NUL}{FITTING.get(field.alias, 'Neu')}{NUL}"
        elif annotation in (int, bool):
            yield field.alias, "1"
    for one in dependant.dependencies:
        yield from fields_of(one, among)


FORMS: list[tuple[str, str, Dependant]] = [
    (method, context.path, context.dependant)
    for context in iter_route_contexts(create_app().routes)
    if (context.path or "").startswith("/console")
    for method in sorted(set(context.methods or ()) & {"GET", "POST"})
]


def test_every_page_of_the_console_reads_its_forms_in_the_one_place() -> None:
    routes = [one for one in iter_route_contexts(create_app().routes) if one.path]
    pages = [one for one in routes if one.path.startswith("/console")]
    assert len(pages) > 80
    for one in pages:
        route = getattr(one, "original_route", None) or getattr(one, "route", one)
        assert isinstance(route, ConsoleRoute), one.path


async def test_no_form_of_the_console_fails(
    console: Console,
    merchant: Merchant,
    theirs: Theirs,
) -> None:
    await sign_in_as(console, merchant, Role.OWNER)
    texts = 0
    # What ends the own session comes last.
    for method, path, dependant in sorted(FORMS, key=lambda one: "logout" in one[1]):
        for name, value in {**theirs.places, "token": "x", "merchant": "lindenhof"}.items():
            path = path.replace(f"{{{name}}}", value)
        sent = dict(fields_of(dependant, "body_params" if method == "POST" else "query_params"))
        texts += sum(NUL in value for value in sent.values())
        # Some forms are read by hand, and name no fields.
        sent = {**{name: f"{NUL}{value}" for name, value in FITTING.items()}, **sent}
        if method == "GET":
            answer = await console.client.get(path, params=sent)
        else:
            answer = await console.post(path, **sent)
        assert answer.status_code < 500, (method, path, answer.text)
    assert texts > 100


@pytest.mark.parametrize(
    ("path", "fields", "column"),
    [
        ("/console/desk/teams", {"name": "Inkasso\x00 Nord"}, DeskTeam.name),
        ("/console/desk/wrap-ups", {"name": "Gut\x00 geregelt", "outcome": "solved"}, WrapUp.name),
    ],
)
async def test_the_rest_of_the_name_is_kept(
    console: Console,
    database: Database,
    merchant: Merchant,
    path: str,
    fields: dict[str, str],
    column: Any,
) -> None:
    await sign_in_as(console, merchant, Role.OWNER)
    assert (await console.post(path, **fields)).status_code == 303
    async with database.operator() as session:
        assert list(await session.scalars(select(column))) == [fields["name"].replace(NUL, "")]


async def test_tags_and_the_name_of_a_file_too(
    console: Console,
    database: Database,
    merchant: Merchant,
    theirs: Theirs,
) -> None:
    await sign_in_as(console, merchant, Role.OWNER)
    handoff = theirs.places["handoff"]
    got = await console.post(f"/console/desk/queue/{handoff}/tags", tags="R\x00ückruf, b\x00")
    assert got.status_code == 303
    parts = {"csrf": await console.csrf(), "kind": "claims"}
    lines = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in parts.items()]  # fmt: skip
    lines.append('--x\r\nContent-Disposition: form-data; name="file"; filename="for\x00de.csv"\r\n')
    lines.append("\r\nx;y\r\n1;2\r\n--x--\r\n")
    got = await console.client.post(
        "/console/imports/rows", content="".join(lines),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )  # fmt: skip
    assert got.status_code == 303, got.text
    async with database.operator() as session:
        assert (await session.get_one(Handoff, int(handoff))).tags == ["b", "rückruf"]
        names = list(await session.scalars(select(Upload.name)))
    assert "forde.csv" in names
