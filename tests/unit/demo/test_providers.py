"""What the stand-in serves, and what a real account keeps it from."""

import json
from pathlib import Path

from api.demo.providers import PATH, served_channels, stand_in_settings
from api.demo.templates import approved, by_id
from api.settings import Settings
from api.wiring import Running, as_running
from channels.message import Channel
from storage.embedded import data_dir_lock

WEB = "http://127.0.0.1:8000"


def _settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg, arg-type]


def test_without_accounts_every_channel_leads_to_the_stand_in() -> None:
    given = stand_in_settings(_settings(), WEB, "secret")
    assert given["telegram_api_url"] == given["twilio_api_url"] == WEB + PATH
    assert given == stand_in_settings(_settings(), WEB, "secret")
    assert (
        given["twilio_auth_token"] != stand_in_settings(_settings(), WEB, "x")["twilio_auth_token"]
    )


def test_a_real_account_is_left_alone() -> None:
    telegram = stand_in_settings(_settings(telegram_bot_token="1:a"), WEB, "secret")
    assert {name.partition("_")[0] for name in telegram} == {"twilio"}
    assert served_channels(telegram) == (Channel.WHATSAPP, Channel.SMS)
    twilio = stand_in_settings(_settings(twilio_account_sid="AC1"), WEB, "secret")
    assert {name.partition("_")[0] for name in twilio} == {"telegram"}
    assert served_channels(twilio) == (Channel.TELEGRAM,)


def test_every_process_of_the_demo_gets_its_settings(tmp_path: Path) -> None:
    stand_in = stand_in_settings(_settings(), WEB, "secret")
    running = Running("", "", [], WEB, 1, "", demo=True, stand_in=stand_in)
    settings = _settings(data_dir=tmp_path)
    running.save(settings.state_file)
    assert as_running(settings).secret("twilio_auth_token") is None, "nothing runs"
    with data_dir_lock(tmp_path):
        found = as_running(settings)
    assert found.secret("twilio_auth_token") == stand_in["twilio_auth_token"]
    assert found.telegram_bot_name == stand_in["telegram_bot_name"]
    assert found.demo
    assert stand_in["twilio_auth_token"] not in repr(found)
    assert json.loads(settings.state_file.read_text())["stand_in"] == stand_in


def test_a_template_is_the_catalogues_text_with_its_gaps_filled() -> None:
    template = by_id()[approved()["first_contact.de"]]
    filled = template.filled(
        {"1": "Lindenhof Versand", "2": "lindenhof.example/echt", "3": "030 1"}
    )
    assert "Assistent von Lindenhof Versand." in filled
    assert "lindenhof.example/echt" in filled
    assert "{{" not in filled
    assert set(approved().values()) == set(by_id())
