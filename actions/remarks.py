"""What short lines say besides a wish: how are you, where from, thanks, yes. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_HOW_ARE_YOU = re.compile(
    r"\b(?:wie\sgeht(?:['’]?s|\s+es)(?:\s+(?:dir|ihnen|euch|so|heute|denn))*"
    r"|(?:was\sgeht|alles\sgut\sbei\s(?:dir|euch|ihnen))(?:\s+(?:ab|so))?"
    r"|how\s(?:are\s(?:you|things)|do\syou\sdo|is\sit\sgoing)(?:\s+(?:doing|today|there))*)\s*[?!.]*$",
    re.IGNORECASE,
)


def asks_how_we_are(text: str) -> bool:
    """Whether a message asks after us, as people do, and not how something works."""
    return _HOW_ARE_YOU.search(text) is not None


_WHERE_FROM = re.compile(
    r"\b(?:woher|wie\s(?:kommt|kommen)|von\swem|wer\shat)\b[^.?!]{0,40}"
    r"(?:nummer|daten|kontakt\w*|adresse)\b"
    r"|\bwhere\b[^.?!]{0,30}\b(?:number|details|contact|address|data)\b"
    r"|\b(?:how\s(?:did|do|have)\syou|who\sgave\syou)\b[^.?!]{0,25}"
    r"\b(?:number|details|address|data)\b",
    re.IGNORECASE,
)


def asks_where_from(text: str) -> bool:
    """Whether a message asks how we came by a number or an address."""
    return _WHERE_FROM.search(text) is not None


_THANKS = re.compile(r"\bdank\w*|\bthanks?\b|\bthx\b|\bcheers\b", re.IGNORECASE)


def says_thanks(text: str) -> bool:
    """Whether a line thanks, whatever else it says."""
    return _THANKS.search(text) is not None


_YES = re.compile(
    r"\b(?:ja+|jo|jep|jawohl|passt|einverstanden|abgemacht|gerne?|genau|super|perfekt|prima|in\sordnung|ok(?:ay)?"
    r"|gut|toll|wunderbar|yes|yeah|yep|agreed|deal|perfect|works|good|great|fine|lovely|brilliant)\b",
    re.IGNORECASE,
)
_BESIDE_YES = re.compile(
    r"\b(?:das|so|mir|f(?:ü|ue)r|mich|sehr|bitte|dann|ist|klingt|w(?:ä|ae)re|und|vielen|herzlichen|lieben|dank\w*"
    r"|sch(?:ö|oe)n|ihnen|dir|euch|that(?:['’]?s)?|sounds|it|for|me|is|please|do|and|thanks?|thx|you"
    r"|very|much|a|lot|cheers)\b",
    re.IGNORECASE,
)


def says_yes(text: str) -> bool:
    """Whether a line of thanks is a yes, and nothing besides."""
    if "?" in text or not _YES.search(text):
        return False
    return re.search(r"\w", _BESIDE_YES.sub(" ", _YES.sub(" ", text))) is None


_OTHER_MEANS = re.compile(
    r"\bpay\s?pal\b|\bklarna\b|\b(?:apple|google)\s?pay\b|\b(?:\w*karte|lastschrift|einzug\w*)\b"
    r"|\bbar(?:geld)?\b|\bvisa\b|\bmastercard\b|\b(?:credit\s|debit\s)?cards?\b|\bcash\b"
    r"|\bdirect\sdebit\b",
    re.IGNORECASE,
)


def names_other_means(text: str) -> bool:
    """Whether a line names a means of payment other than a transfer."""
    return _OTHER_MEANS.search(text) is not None


_HOW_PAID = re.compile(
    r"(?:ü|ue)berwei|(?:ü|ue)berwies|\bkont(?:o|os|en)\b|\bbezahlt\b|\bdauerauftrag|\bsparkasse\b|\bonline-?banking\b"
    r"|\bbank\b|\btransfer|\baccount\b|\bpaid\b|\bstanding\sorder\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\?|^\W*(?:was|wie|wo|wohin|welche\w*|warum|kann|k(?:ö|oe)nn\w*|geben|gib|schick\w*|what|where|which"
    r"|how|why|can|could|give|send)\b",
    re.IGNORECASE,
)


def tells_how_paid(text: str) -> bool:
    """Whether a line says by which means or from whose account something was paid."""
    told = _HOW_PAID.search(text) is not None or names_other_means(text)
    return told and _ASKS.search(text) is None


_TAKES_BACK = re.compile(
    r"\b(?:doch\s(?:lieber\s)?nicht|lieber\snicht|moment|wart(?:e|en\ssie)|anders\s(?:ü|ue)berlegt"
    r"|wait|h(?:o|a)ld\son|hang\son|changed\smy\smind|rather\snot)\b",
    re.IGNORECASE,
)


def takes_back(text: str) -> bool:
    """Whether a no takes back what was just said."""
    return _TAKES_BACK.search(text) is not None


_CORRECTS = re.compile(
    r"\b(?:lieber|doch|eher|besser|actually|rather|instead|better|make\sit)\b", re.IGNORECASE
)
_ABOUT_MONEY = re.compile(r"zahl|überweis|ueberweis|\brate|\bpay|transfer|instal", re.IGNORECASE)


def corrects_a_time(text: str) -> bool:
    """Whether a line puts a time right ("rather Monday"), and speaks of no payment."""
    return _CORRECTS.search(text) is not None and _ABOUT_MONEY.search(text) is None


_COMES_IN_OR_GOES = re.compile(
    r"verdien|bekomm|krieg|\brente\b|gehalt|\blohn\b|einkommen|b(?:ü|ue)rgergeld|\bmiete\b|\bkoste"
    r"|\bearn|income|pension|\bwages?\b|salary|benefits?\b|\brent\b|\bcosts?\b|\bi\s(?:get|make)\b",
    re.IGNORECASE,
)
_BETWEEN_MAX = 12


def names_a_rate(text: str, entities: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a line names what can be paid each week or month, as "60 a month".

    An amount and a rhythm side by side; what somebody earns or pays elsewhere is none.
    """
    if _COMES_IN_OR_GOES.search(text):
        return False
    spans = {
        kind: [(e.get("start"), e.get("end")) for e in entities if e.get("entity") == kind]
        for kind in ("amount", "period")
    }
    return any(
        _side_by_side(text, amount, period)
        for amount in spans["amount"]
        for period in spans["period"]
    )


def _side_by_side(text: str, one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    if not all(isinstance(place, int) for place in (*one, *other)):
        return False
    (_, end), (start, _) = sorted((one, other))
    between = text[end:start]
    return len(between) <= _BETWEEN_MAX and not re.search(r"[.,;:!?]", between)


_COSTS_WHAT = re.compile(
    r"\b(?:kost\w*|teurer|zinsen|geb(?:ü|ue)hr\w*|mehr\szahlen|costs?|charges?|interest|fees?|extra|more)\b"
    r"[^.!]*\b(?:wenn|falls|if|when)\b[^.!]*\b(?:zahl\w*|bezahl\w*|(?:ü|ue)berweis\w*|pay|wait)\b",
    re.IGNORECASE,
)
_LATER = re.compile(r"\b(?:erst|sp(?:ä|ae)ter|later|wait)\b", re.IGNORECASE)


def asks_what_waiting_costs(text: str, *, day_named: bool) -> bool:
    """Whether a line asks what it costs to pay later: "does it cost extra if I pay in May?"."""
    return _COSTS_WHAT.search(text) is not None and (day_named or bool(_LATER.search(text)))


_OFF_AFTER = re.compile(
    r"\s*(?:%|prozent|percent)?\s*(?:an\s|als\s|davon\s)?"
    r"(?:rabatt|nachl(?:a|ä)ss\w*|nachlie\w*|skonto|abzug|weniger|erlass\w*|erlie\w*|runter\w*"
    r"|niedriger|discount|reduction|off|less)\b",
    re.IGNORECASE,
)
_OFF_BEFORE = re.compile(
    r"\b(?:rabatt|nachlass|skonto|abzug|discount|reduction)\s(?:von\s|of\s)?$", re.IGNORECASE
)


def names_what_goes_off(text: str, entities: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the amount or share that is named is what goes off, as in "10 % off"."""
    for entity in entities:
        start, end = entity.get("start"), entity.get("end")
        if entity.get("entity") != "amount" or start is None or end is None:
            continue
        if _OFF_AFTER.match(text[end:]) or _OFF_BEFORE.search(text[:start]):
            return True
    return False
