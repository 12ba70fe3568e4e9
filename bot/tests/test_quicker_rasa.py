"""What stands in for Rasa's own graph run and rule search gives the same results."""

import itertools
from typing import Any, Dict, List

import pytest
from rasa.core.channels.channel import UserMessage
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.processor import MessageProcessor
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.exceptions import GraphRunError
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.constants import RULE_SNIPPET_ACTION_NAME

from pipeline import graph_run, rule_index

DASK = DaskGraphRunner.__dict__["run"]


@pytest.fixture(scope="module")
def processor(trained: MessageProcessor) -> MessageProcessor:
    return trained


@pytest.fixture(scope="module")
def policy(processor: MessageProcessor) -> RulePolicy:
    nodes = processor.graph_runner._instantiated_nodes.values()
    (found,) = (n._component for n in nodes if isinstance(n._component, RulePolicy))
    return found


def _conversations(policy: RulePolicy, lookup: Dict[str, str]) -> List[List[Dict[str, Any]]]:
    """The states of each rule as a conversation would have them, and mixtures of neighbours."""
    whole = [
        [
            state
            for state in policy._rule_key_to_state(key)
            if state.get("prev_action", {}).get("action_name") != RULE_SNIPPET_ACTION_NAME
        ]
        for key in lookup
    ]
    mixed = [[*one[:-1], other[-1]] for one, other in itertools.pairwise(whole)]
    return [*whole, *mixed, [], [{}]]


def test_the_same_rules_apply(policy: RulePolicy) -> None:
    found = 0
    for lookup in (rules for rules in policy.lookup.values() if isinstance(rules, dict)):
        for states in _conversations(policy, lookup):
            own = rule_index._rasas_own(policy, lookup, states)
            assert rule_index.possible_keys(policy, lookup, states) == own
            found += len(own)
    assert found > 100


@pytest.mark.parametrize("text", ["kann ich in 3 raten zahlen", "who are you?", "…"])
def test_the_same_is_understood(processor: MessageProcessor, text: str) -> None:
    target = processor.model_metadata.nlu_target
    results = []
    for run in (DASK, graph_run.run):
        inputs = {PLACEHOLDER_MESSAGE: [UserMessage(text)], PLACEHOLDER_TRACKER: None}
        (message,) = run(processor.graph_runner, inputs, [target])[target]
        results.append((message.get("intent"), message.get("entities"), message.get("language")))
    assert results[0] == results[1]
    assert results[0][0]["name"]


def test_an_input_must_not_have_a_nodes_name(processor: MessageProcessor) -> None:
    target = processor.model_metadata.nlu_target
    with pytest.raises(GraphRunError):
        graph_run.run(processor.graph_runner, {target: []}, [target])
