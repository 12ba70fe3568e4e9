"""Mood and next step: from codes to a code, the most important one first."""

import re
from pathlib import Path

import pytest

from conversation.handoff_advice import Mood, Step, mood, next_step
from conversation.handoff_urgency import Urgency

ACTIONS = Path(__file__).parents[2] / "actions"


@pytest.mark.parametrize(
    ("intents", "reasons", "expected"),
    [
        ([], [], Mood.CALM),
        (["thank", "ask_balance"], ["asked_for_person"], Mood.CALM),
        (["thank", "hardship"], [], Mood.WORRIED),
        (["complaint", "hardship"], [], Mood.UPSET),
        (["thank"] * 5 + ["complaint"], [], Mood.CALM),
        (["thank"] * 9 + ["crisis"], [], Mood.CRISIS),
        (["complaint"], ["crisis"], Mood.CRISIS),
        ([], ["complaint"], Mood.UPSET),
    ],
)
def test_the_strongest_mood_of_the_last_messages_counts(
    intents: list[str], reasons: list[str], expected: Mood
) -> None:
    assert mood(intents, reasons) is expected


@pytest.mark.parametrize(
    ("reasons", "step", "because"),
    [
        (["asked_for_person"], Step.ASK_WHAT_IS_NEEDED, "asked_for_person"),
        (["asked_for_person", "hardship"], Step.FIND_AN_EASIER_WAY, "hardship"),
        (
            ["callback", "decision_above_authority"],
            Step.DECIDE_THE_WISH,
            "decision_above_authority",
        ),
        (["callback", "verification_locked"], Step.VERIFY_IDENTITY, "verification_locked"),
        (["payment_reported", "dispute_goods"], Step.CHECK_DISPUTE, "dispute_goods"),
        (["something_new"], Step.ASK_WHAT_IS_NEEDED, "something_new"),
        ([], Step.ASK_WHAT_IS_NEEDED, "asked_for_person"),
    ],
)
def test_of_several_reasons_the_most_important_decides(
    reasons: list[str], step: Step, because: str
) -> None:
    advice = next_step(reasons, reachable=True)
    assert (advice.step, advice.because) == (step, because)


def test_where_nothing_can_be_sent_another_channel_comes_first_but_for_a_crisis() -> None:
    assert next_step(["complaint"], reachable=False).step is Step.USE_ANOTHER_CHANNEL
    assert next_step(["complaint", "crisis"], reachable=False).step is Step.LOOK_AFTER_THE_PERSON


def test_every_reason_that_actions_give_has_a_step_of_its_own() -> None:
    source = "".join(path.read_text("utf-8") for path in ACTIONS.glob("*.py"))
    given = set(re.findall(r'request_person\(\s*"([a-z_]+)"', source))
    given |= set(re.findall(r'to_person_at_once\(turn, "([a-z_]+)"', source))
    assert len(given) > 12
    strange = {r for r in given if next_step([r], reachable=True).step is Step.ASK_WHAT_IS_NEEDED}
    assert strange == {"asked_for_person"}


def test_a_crisis_outranks_what_is_urgent() -> None:
    reasons = ["asked_for_person", "bereavement", "crisis", "hardship"]
    ranked = sorted(reasons, key=lambda reason: Urgency.of(reason).rank)
    assert ranked == ["crisis", "bereavement", "hardship", "asked_for_person"]
