"""Letters to people of the merchant, by SMTP where it is configured."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import structlog

from api.settings import Settings

log = structlog.get_logger()

SECONDS_MAX = 20


def can_mail(settings: Settings) -> bool:
    """Whether mail can be sent at all."""
    return bool(settings.smtp_url and settings.mail_from)


async def send(settings: Settings, to: str, subject: str, text: str) -> bool:
    """Send one plain letter; False if the server did not take it, with the reason in the log."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = settings.mail_from, to, subject
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in return
    letter.set_content(text)
    try:
        await asyncio.to_thread(_deliver, settings.secret("smtp_url") or "", letter)
    except (smtplib.SMTPException, OSError) as error:
        # Only the type: the text of the error quotes the address.
        log.error("mail_not_sent", error=type(error).__name__)
        return False
    return True


def _deliver(url: str, letter: EmailMessage) -> None:
    to = urlsplit(url)
    host, safe = to.hostname or "localhost", ssl.create_default_context()
    if to.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, to.port or 465, timeout=SECONDS_MAX, context=safe
        )
    else:
        server = smtplib.SMTP(host, to.port or 587, timeout=SECONDS_MAX)
    with server:
        encrypted = to.scheme == "smtps"
        server.ehlo()
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=safe)
            encrypted = True
        if to.username:
            if not encrypted:
                raise smtplib.SMTPNotSupportedError("no password goes over an open line")
            server.login(unquote(to.username), unquote(to.password or ""))
        server.send_message(letter)
