"""The turn against the trained model and a stand-in of the action server.

Protects the rule that a failed action fails the turn, against Rasa's three ways of going on.
"""

import asyncio
import json
import logging
from datetime import date
from typing import Any, AsyncIterator, Dict, List

import pytest
import pytest_asyncio
from aiohttp import web
from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.utils.endpoints import EndpointConfig

from pipeline import action_call, model_files, quiet_log
from pipeline.action_call import ActionFailed
from pipeline.history import EVENTS_MAX
from pipeline.turn_channel import BadRequest, PlainReply, checked_body, take_turn
from pipeline.understanding import Understanding

SECRET_TEXT = "wer seid ihr, Sackgasse 7"
NOW = "2026-11-23T08:00:00+00:00"


class ActionServer:
    """Answers each call in the way that a test sets, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answer: Any = {"events": [], "responses": [{"custom": {"say": "hello"}}]}
        self.status = 200
        self.calls: List[Dict[str, Any]] = []
        self.headers: Dict[str, str] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.headers = dict(request.headers)
        self.calls.append(await request.json())
        if self.answer is None:
            assert request.transport is not None
            request.transport.close()
        return web.json_response(self.answer, status=self.status)


@pytest_asyncio.fixture
async def server(trained: MessageProcessor) -> AsyncIterator[ActionServer]:
    actions = ActionServer()
    app = web.Application()
    app.router.add_post("/actions", actions.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    trained.action_endpoint = EndpointConfig(
        f"http://127.0.0.1:{port}/actions", headers={"X-Kulanz-Secret": "s"}
    )
    yield actions
    await action_call.close()
    await runner.cleanup()


def request(text: str, **more: Any) -> Dict[str, Any]:
    metadata = {"message_id": 5, "now": NOW, "language": "de", "channel": "sms"}
    return {"sender": "7", "text": text, "events": [], "metadata": metadata, **more}


async def test_reply_events_slots_and_parse(
    server: ActionServer, trained: MessageProcessor
) -> None:
    answer = await take_turn(request(SECRET_TEXT), trained)
    assert answer["messages"] == [{"say": "hello"}]
    assert answer["parse"]["intent"] == "ask_sender"
    assert answer["parse"]["language"] == "de"
    assert len(answer["parse"]["ranking"]) == 5
    assert answer["events"][-1]["name"] == "action_listen"
    assert isinstance(answer["slots"], dict)
    assert server.headers["X-Kulanz-Secret"] == "s"
    json.dumps(answer)


async def test_the_turn_goes_on_from_its_events(
    server: ActionServer, trained: MessageProcessor
) -> None:
    first = await take_turn(request(SECRET_TEXT), trained)
    second = await take_turn(request(SECRET_TEXT, events=first["events"]), trained)
    sent = server.calls[-1]["tracker"]["events"]
    assert len([event for event in sent if event["event"] == "user"]) == 2
    assert len([event for event in second["events"] if event["event"] == "user"]) == 1


async def test_a_long_conversation_keeps_its_slots_and_its_recent_turns(
    server: ActionServer, trained: MessageProcessor
) -> None:
    server.answer["events"] = [{"event": "slot", "name": "misunderstood", "value": 7}]
    events = (await take_turn(request(SECRET_TEXT), trained))["events"]
    server.answer["events"] = []
    for _ in range(15):
        answer = await take_turn(request(SECRET_TEXT, events=events), trained)
        events += answer["events"]
    assert len(events) > 2 * EVENTS_MAX - 10
    assert len(server.calls[-1]["tracker"]["events"]) < EVENTS_MAX + 10
    assert server.calls[-1]["tracker"]["slots"]["misunderstood"] == 7
    assert answer["slots"]["misunderstood"] == 7


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_an_error_status_fails_the_turn(
    server: ActionServer, trained: MessageProcessor, status: int
) -> None:
    server.status = status
    server.answer = {"action_name": "action_any", "error": "rejected"}
    with pytest.raises(ActionFailed):
        await take_turn(request(SECRET_TEXT), trained)


async def test_a_broken_connection_fails_the_turn(
    server: ActionServer, trained: MessageProcessor
) -> None:
    server.answer = None
    with pytest.raises(ActionFailed):
        await asyncio.wait_for(take_turn(request(SECRET_TEXT), trained), 10)


async def test_a_server_that_is_down_fails_the_turn(trained: MessageProcessor) -> None:
    trained.action_endpoint = EndpointConfig("http://127.0.0.1:9/actions")
    with pytest.raises(ActionFailed) as failure:
        await take_turn(request(SECRET_TEXT), trained)
    assert failure.value.action.startswith("action_")
    await action_call.close()


@pytest.mark.parametrize(
    "answer", [{"events": [{"event": "unheard_of"}], "responses": []}, {"events": 3}, []]
)
async def test_an_answer_of_the_wrong_shape_fails_the_turn(
    server: ActionServer, trained: MessageProcessor, answer: Any
) -> None:
    server.answer = answer
    with pytest.raises(ActionFailed):
        await take_turn(request(SECRET_TEXT), trained)


async def test_words_instead_of_a_wording_fail_the_turn(
    server: ActionServer, trained: MessageProcessor
) -> None:
    server.answer = {"events": [], "responses": [{"text": "Hallo!"}]}
    with pytest.raises(PlainReply):
        await take_turn(request(SECRET_TEXT), trained)


async def test_a_button_is_used_instead_of_understanding(
    server: ActionServer, trained: MessageProcessor
) -> None:
    button = {"intent": "ask_sender", "entities": [{"entity": "channel", "value": "sms"}]}
    answer = await take_turn(request("Ja", parse_data=button), trained)
    assert answer["parse"]["intent"] == "ask_sender"
    assert answer["parse"]["confidence"] == 1.0
    with pytest.raises(BadRequest):
        await take_turn(request("Ja", parse_data={"intent": "restart_all"}), trained)


async def test_relative_days_follow_the_clock_of_the_message(
    server: ActionServer, trained: MessageProcessor
) -> None:
    # 23:30 UTC is the next day in Berlin.
    body = request("ich zahle morgen 50 Euro")
    body["metadata"]["now"] = "2027-02-01T23:30:00+00:00"
    answer = await take_turn(body, trained)
    days = [e["value"] for e in answer["parse"]["entities"] if e["entity"] == "date"]
    assert days == ["2027-02-03"]


async def test_no_text_reaches_the_log(
    server: ActionServer, trained: MessageProcessor, caplog: pytest.LogCaptureFixture
) -> None:
    quiet_log.install()
    caplog.set_level(logging.DEBUG)
    with quiet_log.turn():
        await take_turn(request(SECRET_TEXT), trained)
    assert caplog.records
    assert "Sackgasse" not in caplog.text


@pytest.mark.parametrize(
    "text", ["ich zahle am Freitag 50 Euro", "is this a scam?", "30 im Monat", "asdf", "ja"]
)
async def test_parsing_without_a_server_gives_the_same(
    trained: MessageProcessor, text: str
) -> None:
    model = model_files.newest_model()
    assert model is not None
    alone = Understanding.load(model, model_files.BOT / "config.yml").parse(
        text, date(2026, 11, 23)
    )
    message = UserMessage(text, metadata={"now": NOW})
    parsed = await trained.parse_message(message)
    assert alone["intent"] == parsed["intent"]["name"]
    assert alone["ranking"] == parsed["intent_ranking"]
    assert alone["entities"] == parsed["entities"]
    assert alone["language"] == parsed["language"]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"events": {}},
        {"events": ["slot"]},
        {"events": [{"name": "x"}]},
        {"events": [{"event": 7}]},
        {"events": [], "responses": [7]},
        {"responses": "x"},
    ],
)
def test_an_answer_of_another_shape_is_refused(answer: Any) -> None:
    with pytest.raises(TypeError):
        action_call._checked(answer)


@pytest.mark.parametrize(
    "body", [None, [], {"sender": 7, "text": "x"}, {"sender": "7"}, request("x", events={})]
)
def test_requests_of_another_shape_are_refused(body: Any) -> None:
    with pytest.raises(BadRequest):
        checked_body(body)
