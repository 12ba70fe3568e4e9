"""``/console``: all pages for the merchant's people."""

from fastapi import APIRouter

from api.pages.console import (
    account,
    attachments,
    audit,
    claim_actions,
    claim_endings,
    claims,
    complaint,
    contact_actions,
    conversations,
    corrections,
    customers,
    exports,
    merchants,
    notes,
    overview,
    people,
    second_factor,
    sign_in,
    sso,
    transcripts,
    variants,
)
from api.pages.console.page import ConsoleRoute
from api.pages.console.settings import (
    bank,
    brand,
    contact,
    imports,
    keys,
    policy,
    restoring,
    webhooks,
    wordings,
)
from api.pages.console.settings import page as settings
from api.pages.desk import (
    callbacks,
    conversation,
    conversation_acts,
    conversation_offers,
    conversation_replies,
    files,
    queue,
    queue_work,
    stream,
    teams,
    teams_live,
    teams_rules,
)

router = APIRouter(prefix="/console", include_in_schema=False, route_class=ConsoleRoute)
router.add_api_route("", overview.overview, methods=["GET"])

for module in (
    *(sign_in, sso, account, second_factor),
    *(conversations, transcripts, attachments, notes, exports, corrections, variants),
    *(claims, customers, claim_actions, claim_endings, contact_actions, complaint),
    *(bank, imports, people, audit),
    *(settings, policy, contact, wordings, brand, webhooks, keys, restoring),
    merchants,
    # Before any page whose path begins with a handoff's number.
    *(files, queue, queue_work, callbacks, teams, teams_rules, teams_live),
    *(stream, conversation, conversation_acts, conversation_offers, conversation_replies),
):
    router.include_router(module.router)
