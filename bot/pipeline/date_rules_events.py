"""Times that are named by what happens then: pay, a move, a feast."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

from typing import Match, Optional

from pipeline import date_resolvers as on
from pipeline.date_rules import Reading, Rules

RULES = Rules()


_SOMEBODY = r"(?:ich|wir|er|sie|man|mein\w*|unser\w*|der|die|das|dem|den|i|i'm|i've|we|we've|my|our|he|she|they|the|it)"
# "wenn das geht", "wenn ich in Raten zahlen könnte": a condition or a wish, no time.
_NO_TIME = r"(?![^.?!,]{0,40}\b(?:geht|ginge|m(?:ö|oe)glich|passt|ok|okay|recht|in\s+raten|fine|possible|works|nicht|kann|k(?:ö|oe)nnten?|darf|d(?:ü|ue)rften?|could|can)\b)"


@RULES.of(
    rf"\b(?:sobald|bis|nachdem|erst\s+wenn|once|as\s+soon\s+as|until|till|til)\s+{_SOMEBODY}\b",
    rf"\b(?:wenn|when){_NO_TIME}\s+{_SOMEBODY}\b",
    r"\b(?:erst\s+nach|bis\s+nach|nach|after)\s+(?:dem|der|den|meine[mrn]|unsere[mrn]|the|my|our)\s+(?!\d)[^\W\d_]{3,}",
)
def _event(match: Match[str]) -> Optional[Reading]:
    """An event without a name that is known: a day only where one is asked for."""
    return Reading(on.nothing, is_duration=True, is_event=True)


_INCOME = (
    r"(?:gehalt|gehälter|lohn|löhnung|rente|geld|kohle|bafög|bafoeg|kindergeld|bürgergeld|"
    r"arbeitslosengeld|krankengeld|elterngeld|weihnachtsgeld|urlaubsgeld|steuererstattung|steuerr(?:ü|ue)ckzahlung|provision|"
    r"wohngeld|unterhalt|stipendium|honorar|erbe|erbschaft|stütze|auftrag|vorschuss|zahlung|sozialhilfe|alg|hartz|"
    r"salary|wages?|pay ?che(?:ck|que)|payday|paid|pension|benefits?|money|bonus|tax refund|refund|universal credit|loan|invoice paid|inheritance|student loan|giro)"
)
_PAYER = (
    r"(?:sozialamt|jobcenter|arbeitsamt|arbeitsagentur|finanzamt|amt|chef|arbeitgeber|firma|krankenkasse|kasse|"
    r"versicherung|rentenkasse|kunde|kunden|mieter|familienkasse|bank|boss|employer|insurance|client|council|tenant|jobcentre|hmrc)"
)
_PAYS = r"(?:zahlt|gezahlt|bezahlt|(?:ü|ue)berweist|(?:ü|ue)berwiesen|auszahlt|ausgezahlt|bewilligt|genehmigt|durch|freigibt|pays|paid|transfers|sends|coughs|settles|approved)"
_EVENT = (
    r"(?:urlaub|ferien|ernte|umzug|hochzeit|op|operation|reha|kur|pr(?:ü|ue)fung(?:en)?|saison|geburt|scheidung|"
    r"krankenhaus|entlassung|probezeit|messe|erntezeit|elternzeit|taufe|beerdigung|inventur|"
    r"holidays?|vacation|harvest|move|wedding|surgery|exams?|season|birth|divorce|funeral|trip|shift)"
)
_ABLE = r"(?:gesund|arbeit(?:e|en)?|(?:ne|eine|einen)\s+(?:neuen?\s+)?(?:job|arbeit|stelle)|job|verkauft|fl(?:ü|ue)ssig|better|working|sold|back\s+(?:on\s+my\s+feet|at\s+work|from))"


@RULES.of(
    rf"\b(?:wenn|sobald|nachdem|when|once|after|as soon as|until|till|bis|nach)\b[^.?!,]{{0,40}}?\b{_INCOME}\b(?:\s+(?:wieder\s+)?(?:kommt|da\s+ist|drauf\s+ist|habe|hab|bekomme|kriege|eingeht|comes(?:\s+in)?|arrives|is\s+(?:in|here|there)))?",
    r"\b(?:am|zum|n(?:ä|ae)chsten|on|next|by)\s+(?:zahltag|payday|pay\s+day)\b|\bpay\s?day\b",
)
@RULES.of(
    rf"\b(?:warte[nt]?|waiting)\b[^.?!]{{0,20}}?\b(?:auf|for|on)\b[^.?!,]{{0,25}}?\b{_INCOME}\b",
    rf"\b(?:wenn|sobald|nachdem|bis|when|once|after|as\s+soon\s+as|until|till|before)\b[^.?!,]{{0,30}}?\b{_PAYER}\b[^.?!,]{{0,25}}?\b{_PAYS}\b",
    rf"\b(?:nach|after|bis\s+nach|erst\s+nach|bis\s+zu[mr]?|until)\s+(?:dem|der|den|meine[mr]|unsere[mr]|the|my|our)?\s*(?:n(?:ä|ae)chste[nr]\s+)?{_EVENT}\b",
    rf"\b(?:wenn|sobald|when|once|as\s+soon\s+as)\s+(?:ich|wir|i|i'm|we|we're)\b[^.?!,]{{0,25}}?\b{_ABLE}\b",
    r"\b(?:sobald|nach|bis|until|after)\s+(?:der\s+|the\s+)?(?:gehaltseingang|lohneingang|geldeingang|gehaltszahlung|lohnzahlung|lohnabrechnung|auszahlung|rentenzahlung|payout|pay\s?out)\b",
)
def _income(match: Match[str]) -> Optional[Reading]:
    return Reading(on.nothing)


for _name, (_first, _last) in on.FEASTS.items():

    def _feast_rule(match: Match[str], first=_first, last=_last) -> Optional[Reading]:
        return Reading(on.feast(first, last, (match.group("where") or "").lower()))

    RULES.of(rf"\b(?:(?P<where>nach|vor|after|before)\s+)?(?:{_name})\b")(_feast_rule)
