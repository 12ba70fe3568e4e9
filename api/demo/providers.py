"""The demo's own providers: settings that lead channels without a real account to the stand-in."""

import hashlib
import hmac
from collections.abc import Mapping

from api.settings import Settings
from channels.message import Channel

PATH = "/simulator/providers"
"""Where the web process of a demo serves the stand-in."""

BOT_ID = "700000002"
BOT_NAME = "lindenhof_demo_bot"
ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
# Telephone numbers kept free for films: they belong to no one.
SMS_NUMBER = "+4917139200010"
WHATSAPP_NUMBER = "+4917139200011"


def served_channels(stand_in: Mapping[str, str]) -> tuple[Channel, ...]:
    """The channels that the stand-in serves under these settings of its."""
    settings = {
        Channel.WHATSAPP: "twilio_whatsapp_from",
        Channel.SMS: "twilio_sms_from",
        Channel.TELEGRAM: "telegram_bot_token",
    }
    return tuple(channel for channel, name in settings.items() if name in stand_in)


def stand_in_settings(settings: Settings, web_url: str, secret_key: str) -> dict[str, str]:
    """What has to be set so that the channels without an account of their own reach the stand-in.

    A channel with real credentials is left alone, so both never mix. The stand-in's secrets follow
    from the service's `secret_key`.
    """

    def secret(purpose: str) -> str:
        named = f"stand-in {purpose}".encode()
        return hmac.new(secret_key.encode(), named, hashlib.sha256).hexdigest()

    given: dict[str, str] = {}
    if settings.telegram_bot_token is None:
        given |= {
            "telegram_bot_token": f"{BOT_ID}:{secret('bot')}",
            "telegram_bot_name": BOT_NAME,
            "telegram_webhook_secret": secret("webhook"),
            "telegram_api_url": web_url + PATH,
        }
    if settings.twilio_account_sid is None:
        given |= {
            "twilio_account_sid": ACCOUNT_SID,
            "twilio_auth_token": secret("auth token"),
            "twilio_api_url": web_url + PATH,
            "twilio_sms_from": SMS_NUMBER,
            "twilio_whatsapp_from": WHATSAPP_NUMBER,
        }
    return given
