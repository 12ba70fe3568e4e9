"""``/console``: all pages for the merchant's people."""

from fastapi import APIRouter

from api.pages.console import (
    account,
    audit,
    claim_actions,
    claims,
    conversations,
    customers,
    merchants,
    overview,
    people,
    second_factor,
    sign_in,
    sso,
)
from api.pages.console.page import ConsoleRoute

router = APIRouter(prefix="/console", include_in_schema=False, route_class=ConsoleRoute)
router.add_api_route("", overview.overview, methods=["GET"])

for module in (
    *(sign_in, sso, account, second_factor),
    *(conversations, claims, customers, claim_actions),
    *(people, audit, merchants),
):
    router.include_router(module.router)
