"""Whether a line tells what is wrong with something that was bought. Pure.

Who has told it is not asked for it again.
"""

import re

TOLD = "told"
"""The mark of a line that tells what happened."""
_WORDS_MIN = 4
_HAPPENED = re.compile(
    r"\b(?:kaputt\w*|defekt\w*|besch(?:ä|ae)digt\w*|zerbrochen\w*|gebrochen\w*|zerkratzt\w*|gerissen\w*"
    r"|scherben|riss|risse|kratzer|dellen?|verschimmelt\w*|verdorben\w*|undicht|falsche[nrs]?\s+\w+"
    r"|(?:nie|nicht|nichts)\s+(?:davon\s+)?(?:angekommen|bekommen|erhalten|geliefert|stattgefunden)"
    r"|(?:geht|funktioniert|l(?:ä|ae)uft)\s+(?:gar\s+|(?:ü|ue)berhaupt\s+)?nicht"
    r"|zur(?:ü|ue)ckgeschickt|zur(?:ü|ue)ckgegeben|zur(?:ü|ue)ckgesendet|gek(?:ü|ue)ndigt|storniert"
    r"|broken|crack\w*|damaged|faulty|defective|scratched|torn|mouldy|shattered|leak\w*"
    r"|(?:never|not|didn'?t|hasn'?t)\s+(?:\w+\s+)?(?:arrived?|received?|came|come|turned\s+up|delivered)"
    r"|(?:doesn'?t|does\s+not|didn'?t)\s+work|stopped\s+working|wrong\s+(?:size|colou?r|item|model|one|address)"
    r"|(?:sent|returned|took|gave)\s+(?:it|them|those|everything)\s*(?:back)?|cancell?ed)\b",
    re.IGNORECASE,
)


def says_what_happened(text: str) -> bool:
    """Whether a line says in a few words what is wrong: "der Stuhl kam kaputt an"."""
    return _HAPPENED.search(text) is not None and len(text.split()) >= _WORDS_MIN
