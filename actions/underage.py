"""Whether somebody says of themselves that they are not of age. Pure.

The words are read here, not understood by likeness: a minor must never be told of a claim.
"""

import re

_YOUNG = (
    r"(?:[6-9]|1[0-7]|sechs|sieben|acht|neun|zehn|elf|zwölf|dreizehn|vierzehn|fünfzehn|sechzehn"
    r"|siebzehn|twelve|thirteen|fourteen|fifteen|sixteen|seventeen)"
)
_OLD = (
    r"(?:\s*(?:jahre?|j\.?)\s+(?:alt|jung)|\s*jährig\w*"
    r"|[\s-]*years?[\s-](?:old|of\sage)|\s*yrs?\s+old|\s*yo\b)"
)
_END = r"(?=\s*(?:$|[.,;!?)\n]|(?:und|aber|also|darf|kann|weil|and|but|so|i|i'm|can|ich)\b))"
_LITTLE = r"(?:\s+(?:doch|ja|noch|erst|gerade(?:\s?mal)?|grad|nur|eh|only|just|still|barely))*"
_SAYS_MINOR = re.compile(
    rf"\b(?:ich\s+bin|i\s*am|i['’]?m|(?:^|[,.;!?]\s*|\b(?:und|aber|and|but)\s+)bin){_LITTLE}\s+"
    rf"(?:{_YOUNG}(?:{_OLD}|(?:\s+jahre?)?{_END})"
    r"|(?:minderj(?:ä|ae)hrig|nicht\s+vollj(?:ä|ae)hrig|unter\s+18|keine\s+18"
    rf"|under\s*age|under\s+18|(?:a\s+)?minor{_END}|not\s+(?:yet\s+|even\s+)?18)\b)",
    re.IGNORECASE,
)


def says_minor(text: str) -> bool:
    """Whether the writer says that they are under 18, as in "ich bin 15" or "I'm only 16"."""
    return _SAYS_MINOR.search(" ".join(text.split())) is not None
