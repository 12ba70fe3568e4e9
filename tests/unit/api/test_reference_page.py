"""The page about the API: everything of its description, and nothing from elsewhere."""

import re

import httpx
import pytest

from api.app import create_app
from api.pages.reference.view import operations, text

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def app() -> object:
    return create_app()


async def read(app: object, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="https://kulanz.example") as client:
        return await client.get(path)


async def test_every_operation_is_on_the_page_and_in_its_contents(app: object) -> None:
    html = (await read(app, "/api/docs")).text
    paths = (await read(app, "/api/openapi.json")).json()["paths"]
    listed = [one["operationId"] for item in paths.values() for one in item.values()]
    assert len(listed) > 20
    for name in listed:
        assert html.count(f'id="{name}"') == 1
        assert html.count(f'href="#{name}"') == 1


async def test_the_page_asks_nobody_for_anything_and_runs_nothing(app: object) -> None:
    answer = await read(app, "/api/docs")
    assert not re.search(r"(src|href)=[\"']?(https?:)?//|url\(|@import|<script", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_fields_stand_there_with_what_they_mean(app: object) -> None:
    document = (await read(app, "/api/openapi.json")).json()
    found = {
        (one.method, one.path): one for group in operations(document).values() for one in group
    }
    claims = found["POST", "/api/v1/claims"]
    assert "[].due_date" in {field.name for field in claims.body}
    refused = next(one for one in claims.answers if one.status == "422")
    assert {"error", "problems", "problems[].column"} <= {field.name for field in refused.fields}
    assert [one.status for one in claims.answers] == sorted(one.status for one in claims.answers)


def test_a_description_is_text_and_only_its_code_is_marked() -> None:
    assert text("send `a<b` & <b>") == "send <code>a&lt;b</code> &amp; &lt;b&gt;"
