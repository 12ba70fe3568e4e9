"""Which rules can apply, found by what happened last instead of by looking through all of them.

Takes the place of `RulePolicy._get_possible_keys` of Rasa 3.6.21 (the last release). A rule's
newest state asks for the last action and mostly for an intent; whatever asks for others is left
out, and what remains is checked by Rasa as ever.
"""

from collections import defaultdict
from typing import Any, Dict, List, Optional, Set, Text, Tuple

from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import PREVIOUS_ACTION, USER
from rasa.shared.core.domain import State
from rasa.shared.nlu.constants import INTENT

_Mark = Tuple[Tuple[Tuple[Text, Any], ...], Optional[Text]]
_rasas_own = RulePolicy._get_possible_keys


def _marks(state: State) -> _Mark:
    previous = tuple(sorted(state.get(PREVIOUS_ACTION, {}).items()))
    return previous, state.get(USER, {}).get(INTENT)


def _index(policy: RulePolicy, lookup: Dict[Text, Text]) -> Dict[_Mark, List[Text]]:
    by_marks: Dict[_Mark, List[Text]] = defaultdict(list)
    for key in lookup:
        by_marks[_marks(policy._rule_key_to_state(key)[-1])].append(key)
    return dict(by_marks)


def possible_keys(self: RulePolicy, lookup: Dict[Text, Text], states: List[State]) -> Set[Text]:
    """Return the keys of the rules that apply to the conversation's states."""
    if not states or not states[-1].get(PREVIOUS_ACTION):  # at a start Rasa asks for no more
        return _rasas_own(self, lookup, states)
    indexes = self.__dict__.setdefault("_rule_indexes", {})
    known = indexes.get(id(lookup))
    if known is None or known[0] is not lookup:
        known = indexes[id(lookup)] = (lookup, _index(self, lookup))
    previous, intent = _marks(states[-1])
    candidates = [*known[1].get((previous, None), ())]
    if intent is not None:
        candidates += known[1].get((previous, intent), ())
    return _rasas_own(self, dict.fromkeys(candidates, ""), states)


def install() -> None:
    """Make every rule policy of this process use `possible_keys`."""
    RulePolicy._get_possible_keys = possible_keys
