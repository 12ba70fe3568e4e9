"""What the code says exists in the catalogue, with the arguments that the text needs."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conversation.wording import load_catalogue

ROOT = Path(__file__).parents[3]
ACTION_SOURCES = sorted((ROOT / "actions").glob("*.py"))


@dataclass(frozen=True)
class Spoken:
    where: str
    names: tuple[str, ...]
    args: frozenset[str]
    complete: bool
    """Whether all arguments stand in the call itself (no ``**``)."""


def _names(node: ast.expr) -> tuple[str, ...]:
    """The literal names an expression may have: a string, or either side of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if isinstance(node, ast.IfExp):
        return (*_names(node.body), *_names(node.orelse))
    if isinstance(node, ast.BoolOp):
        return tuple(name for value in node.values for name in _names(value))
    return ()


def _calls(path: Path) -> Iterator[tuple[str, str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            function = node.func
            plain_name = function.id if isinstance(function, ast.Name) else ""
            name = function.attr if isinstance(function, ast.Attribute) else plain_name
            yield f"{path.name}:{node.lineno}", name, node


def spoken() -> list[Spoken]:
    """Every ``turn.say(...)`` of the actions whose wording is written out."""
    found = []
    for path in ACTION_SOURCES:
        for where, name, call in _calls(path):
            if name == "say" and call.args:
                keywords = [keyword.arg for keyword in call.keywords]
                found.append(
                    Spoken(
                        where,
                        _names(call.args[0]),
                        frozenset(arg for arg in keywords if arg and arg != "buttons"),
                        None not in keywords,
                    )
                )
    return found


def test_the_scan_sees_the_actions() -> None:
    assert len(spoken()) > 60


@pytest.mark.parametrize("said", spoken(), ids=lambda said: said.where)
def test_every_wording_said_exists_and_gets_its_arguments(said: Spoken) -> None:
    wordings = load_catalogue().wordings
    for name in said.names:
        assert name in wordings, name
        wording = wordings[name]
        assert said.args <= set(wording.args), f"{name} takes no {said.args - set(wording.args)}"
        if said.complete:
            assert wording.required <= said.args, f"{name} lacks {wording.required - said.args}"


OFFERS = {
    f"{kind}_{answer}"
    for kind in ("plan", "promise", "deferral", "settlement")
    for answer in ("offer", "counter")
}
"""Put together from the kind of terms, see ``actions/offers.py``."""
SPEAKERS = ("actions", "conversation", "api", "outreach")


def test_every_kind_of_offer_has_its_wordings() -> None:
    assert set(load_catalogue().wordings) >= OFFERS


def _literals() -> set[str]:
    """Every string in the code that may speak."""
    return {
        node.value
        for package in SPEAKERS
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_wording_is_said_by_some_code() -> None:
    wordings = {one.name for one in load_catalogue().wordings.values() if one.group != "buttons"}
    assert sorted(wordings - _literals() - OFFERS) == []


def test_what_is_said_outside_the_actions_exists() -> None:
    said = {
        name
        for path in (ROOT / "conversation").glob("*.py")
        for _, call, node in _calls(path)
        if call == "Reply" and node.args
        for name in _names(node.args[0])
    }
    assert len(said) > 8
    assert sorted(said - set(load_catalogue().wordings)) == []


def test_every_label_is_shown_by_some_code() -> None:
    from actions.answers import _LABELS
    from actions.channels import CHANNELS

    written = {
        name
        for path in ACTION_SOURCES
        for _, call, node in _calls(path)
        if call == "button" and node.args
        for name in _names(node.args[0])
    }
    labels = {one.name for one in load_catalogue().wordings.values() if one.group == "buttons"}
    shown = {f"button_{name}" for name in {*written, *_LABELS.values(), *CHANNELS}}
    assert sorted(labels - shown) == []


def test_every_button_has_a_label() -> None:
    wordings = load_catalogue().wordings
    labels = [
        call.args[0].value
        for path in ACTION_SOURCES
        for _, name, call in _calls(path)
        if name == "button" and call.args and isinstance(call.args[0], ast.Constant)
    ]
    assert len(labels) > 20
    assert [label for label in labels if f"button_{label}" not in wordings] == []


def _fixed_buttons() -> Iterator[tuple[str, str, list[str]]]:
    """(where, wording, buttons) of every ``say`` whose buttons are all written out."""
    trees = [ast.parse(path.read_text("utf-8")) for path in ACTION_SOURCES]
    constants = {
        node.targets[0].id: _names(node.value.args[0])[0]
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "button"
    }
    for path in ACTION_SOURCES:
        for where, name, call in _calls(path):
            shown = next((key.value for key in call.keywords if key.arg == "buttons"), None)
            if name != "say" or not isinstance(shown, ast.List):
                continue
            labels = [
                (constants[part.id],) if isinstance(part, ast.Name) else _names(part.args[0])
                for part in shown.elts
                if isinstance(part, ast.Name | ast.Call)
            ]
            for wording in _names(call.args[0]):
                yield where, wording, [label for names in labels for label in names]


def test_reviewers_see_the_buttons_that_the_dialogue_shows() -> None:
    wordings = load_catalogue().wordings
    found = list(_fixed_buttons())
    assert len(found) > 12
    for where, wording, buttons in found:
        assert set(buttons) <= set(wordings[wording].buttons), f"{where}: {wording}"


def test_every_reason_of_a_negotiation_has_words() -> None:
    from negotiation.offers import Reason

    assert set(Reason) <= set(load_catalogue().phrases["reason"])


def test_every_fact_of_proof_has_words() -> None:
    from conversation.identity import Fact

    assert set(Fact) <= set(load_catalogue().phrases["identity"])


def test_actions_carry_no_texts() -> None:
    """No string in an action, documentation apart, reads like a sentence."""
    for path in ACTION_SOURCES:
        tree = ast.parse(path.read_text("utf-8"))
        documentation = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert id(node) in documentation or node.value.count(" ") < 3, node.value
