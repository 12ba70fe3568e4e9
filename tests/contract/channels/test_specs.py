"""What is sent, and the payloads that the tables feed in, against the providers' descriptions.

The folder with the descriptions is no part of the project: without it these tests are skipped, and
the tables' own expected requests cover the same shapes.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from channels import twilio_errors
from channels.telegram_update import ALLOWED_UPDATES
from tests.contract.channels import telegram_cases, twilio_cases
from tests.contract.channels.harness import MALFORMED, Inbound, Outbound

SPECS = Path(__file__).resolve().parents[4] / "shared" / "specs"


def spec(name: str) -> Any:
    path = SPECS / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def telegram() -> Any:
    return spec("telegram_bot_api.json")


@pytest.fixture(scope="module")
def twilio() -> Any:
    return spec("twilio_api_v2010.json")


def is_telegram(value: Any, type_name: str, api: Any) -> bool:
    """Whether a value fits a type of the Bot API; an object may have only documented fields."""
    if type_name.startswith("Array of "):
        inner = type_name.removeprefix("Array of ")
        return isinstance(value, list) and all(is_telegram(item, inner, api) for item in value)
    plain = {"Integer": (int,), "Float": (int, float), "String": (str,)}
    if type_name in plain:
        return isinstance(value, plain[type_name]) and not isinstance(value, bool)
    if type_name == "Boolean":
        return isinstance(value, bool)
    described = api["types"][type_name]
    if subtypes := described.get("subtypes"):
        return any(is_telegram(value, subtype, api) for subtype in subtypes)
    return isinstance(value, dict) and fits_fields(value, described.get("fields", []), api)


def fits_fields(value: Mapping[str, Any], fields: Any, api: Any) -> bool:
    types = {field["name"]: field["types"] for field in fields}
    required = {field["name"] for field in fields if field["required"]}
    return required <= value.keys() <= types.keys() and all(
        any(is_telegram(item, type_name, api) for type_name in types[name])
        for name, item in value.items()
    )


def telegram_form_value(text: str) -> Any:
    """A form carries everything as text, objects as JSON."""
    return json.loads(text) if text.startswith(("{", "[")) else text


SENT_TO_TELEGRAM = [case for case in telegram_cases.OUTBOUND if case.fields is not None]


@pytest.mark.parametrize("case", SENT_TO_TELEGRAM, ids=lambda case: case.name)
def test_telegram_requests(case: Outbound, telegram: Any) -> None:
    assert case.fields is not None
    values = {name: telegram_form_value(text) for name, text in case.fields.items()}
    assert fits_fields(values, telegram["methods"]["sendMessage"]["fields"], telegram)


READ_FROM_TELEGRAM = [
    case
    for case in telegram_cases.INBOUND
    if case.expected is not MALFORMED and case.name != "an update of a later version"
]


@pytest.mark.parametrize("case", READ_FROM_TELEGRAM, ids=lambda case: case.name)
def test_telegram_updates(case: Inbound, telegram: Any) -> None:
    assert is_telegram(case.payload, "Update", telegram)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"update_id": "1"},
        {"update_id": True},
        {"update_id": 1, "unknown": 1},
        {"update_id": 1, "message": {"message_id": 1, "date": 1}},
    ],
)
def test_updates_of_another_shape_would_be_noticed(payload: Any, telegram: Any) -> None:
    assert not is_telegram(payload, "Update", telegram)


def test_the_updates_asked_for_exist(telegram: Any) -> None:
    fields = {field["name"] for field in telegram["types"]["Update"]["fields"]}
    assert set(ALLOWED_UPDATES) <= fields


def test_the_other_methods_fields(telegram: Any) -> None:
    answer = {"callback_query_id": "77"}
    webhook = {"url": "https://x", "secret_token": "s", "allowed_updates": ["message"]}
    methods = telegram["methods"]
    assert fits_fields(answer, methods["answerCallbackQuery"]["fields"], telegram)
    assert fits_fields(webhook, methods["setWebhook"]["fields"], telegram)


SENT_TO_TWILIO = [case for case in twilio_cases.OUTBOUND if case.fields is not None]


@pytest.mark.parametrize("case", SENT_TO_TWILIO, ids=lambda case: case.name)
def test_twilio_requests(case: Outbound, twilio: Any) -> None:
    assert case.fields is not None
    create = twilio["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["post"]
    schema = create["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert set(schema.get("required", ())) <= case.fields.keys() <= schema["properties"].keys()
    for name, value in case.fields.items():
        described = schema["properties"][name]
        assert described["type"] == "string"
        assert re.search(described.get("pattern", ""), value)
        assert described.get("minLength", 0) <= len(value) <= described.get("maxLength", 1600)


def test_twilio_account_and_list_parameters(twilio: Any) -> None:
    read = twilio["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]
    parameters = {parameter["name"]: parameter for parameter in read["parameters"]}
    assert {"To", "From", "PageSize"} <= parameters.keys()
    assert parameters["PageSize"]["schema"]["maximum"] >= 50
    assert re.search(parameters["AccountSid"]["schema"]["pattern"], twilio_cases.ACCOUNT)


def test_twilio_message_fixture(twilio: Any) -> None:
    schema = twilio["components"]["schemas"]["api.v2010.account.message"]["properties"]
    assert twilio_cases.listed().keys() <= schema.keys()
    for name, value in twilio_cases.listed().items():
        assert value is not None or schema[name].get("nullable")


def test_every_twilio_status_is_known(twilio: Any) -> None:
    documented = set(twilio["components"]["schemas"]["message_enum_status"]["enum"])
    incoming = {"receiving", "received"}
    tested = {
        case.payload["MessageStatus"]
        for case in twilio_cases.INBOUND
        if isinstance(case.payload, dict) and "MessageStatus" in case.payload
    }
    assert documented - incoming - {"scheduled", "partially_delivered"} <= tested


@pytest.mark.parametrize("code", sorted(twilio_errors._KINDS))
def test_twilio_codes_exist(code: int) -> None:
    assert str(code) in spec("twilio_error_codes.json")
