"""What a registered collector has to tell with a claim (§ 13a RDG), item by item."""

from api.letter_data import CollectionData, LetterData
from api.pages.pay.claims import ClaimView
from api.pages.statement.free_text import readable
from api.pages.statement.words import Words
from negotiation.policy import Policy
from storage.tables import Customer

Told = list[tuple[str, str]]


def law_of(
    view: ClaimView, customer: Customer, letter: LetterData, policy: Policy, words: Words
) -> tuple[Told, str]:
    """Label and text of each item, and what is told on request; nothing for who is no collector."""
    held = letter.collection
    if held is None:
        return [], ""
    told, t = view.statement, words.t.law
    what = readable(told.description)
    contract = view.record.claim.contract_date
    ground = (
        t["ground_invoice"].format(what=what, day=words.day(told.invoice_date))
        if contract is None
        else t["ground_contract"].format(what=what, day=words.day(contract))
    )
    source = (
        t["source_other"].format(source=readable(held.address_source))
        if held.address_source
        else t["source_client"]
    )
    charge = policy.plan_charge(customer.business)
    items = [
        (t["client"], _lines(held.client, held.client_address)),
        (t["ground"], ground),
        (t["interest"], _interest(view, words)),
        (t["costs"], t["costs_given" if told.charged.costs else "costs_none"]),
        *([(t["vat"], t[f"vat_{held.costs_vat}"])] if told.charged.costs else []),
        (t["source"], source),
        (
            t["terms"],
            t["terms_charge"].format(amount=words.money(charge)) if charge else t["terms_free"],
        ),
        (t["registration"], readable(held.registration)),
        (t["authority"], _authority(held)),
    ]
    return items, t["more"]


def _interest(view: ClaimView, words: Words) -> str:
    t, interest = words.t.law, view.statement.charged.interest
    if not interest:
        return str(t["interest_none"])
    if view.interest:
        return str(t["interest_statutory"])
    return str(t["interest_given"].format(amount=words.money(interest)))


def _authority(held: CollectionData) -> str:
    return _lines(held.authority, held.authority_address, held.authority_contact)


def _lines(*texts: str) -> str:
    """Names and addresses as one line."""
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return readable(", ".join(line for line in lines if line))
