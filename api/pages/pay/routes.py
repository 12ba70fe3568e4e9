"""``/p``: all routes of the customer's page. Links come last: they may be any word."""

from fastapi import APIRouter

from api.pages.pay import care, chat, entry, legal, online, overview, settle, statement

router = APIRouter()
for part in (overview, statement, settle, online, chat, care, legal, entry):
    router.include_router(part.router)
