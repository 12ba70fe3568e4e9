"""What can be taken back to an earlier state: each part as its page checks and keeps it.

Only what the history covers. Secrets and keys are in no history, and a picture is there by its mark
alone: the one in force stays.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from api.pages.console.settings import brand, contact, policy, policy_form, told, wordings
from api.pages.console.view import texts
from api.setting_changes import Part
from conversation.wording import load_catalogue
from conversation.wording.overrides import lay_over
from conversation.wording.own import own_texts, with_texts
from negotiation.policy import PolicyInvalid
from negotiation.policy_data import policy_from_data, policy_to_data
from storage.tables import Merchant

State = Mapping[str, Any]


class Restorable(ABC):
    """One part of what a merchant has set; a state is what the history keeps of it."""

    part: Part
    place: str
    """Its page's name in the menu."""
    path: str
    """Of its page."""
    parts: tuple[Part, ...]
    """A change of any of these comes between looking and saying yes."""

    def __init__(self, merchant: Merchant, name: str = "") -> None:
        self.merchant = merchant
        self.name = name

    @abstractmethod
    def state(self) -> State:
        """What is in force."""

    def reachable(self, earlier: State) -> State:
        """What would be in force after going back: `earlier`, but for what is not taken back."""
        return earlier

    @abstractmethod
    def refusals(self, state: State, language: str) -> list[str]:
        """Why it cannot be in force, as saving by hand would say."""

    @abstractmethod
    def keep(self, state: State) -> None:
        """Let it be in force."""

    @abstractmethod
    def told(self, field: str, value: Any, language: str) -> str | None:
        """A value in words; None where there is none."""

    def label(self, field: str, language: str) -> str:
        """What a field is called."""
        return str(texts(language)[self.place]["fields"].get(field, field))


class _OfPolicy(Restorable):
    parts = policy.PARTS

    def state(self) -> State:
        return {
            **policy_to_data(policy_from_data(self.merchant.policy)),
            "land": self.merchant.land,
        }

    def reachable(self, earlier: State) -> State:
        current = self.state()
        state = {**earlier, **{field: current[field] for field in policy_form.FIXED}}
        rules = {field: value for field, value in state.items() if field != "land"}
        try:
            rules = policy_to_data(policy_from_data(rules))
        except PolicyInvalid:
            return state
        return {**rules, "land": state["land"]}

    def refusals(self, state: State, language: str) -> list[str]:
        rules = {field: value for field, value in state.items() if field != "land"}
        wrong = contact.refused(rules, state["land"], language)
        fields = {**texts(language)["contact"]["fields"], **texts(language)["policy"]["fields"]}
        return [
            f"{fields.get(name, name)}: {why}"
            for name, why in ((field.partition("-")[0], why) for field, why in wrong.items())
        ]

    def keep(self, state: State) -> None:
        self.merchant.policy = {field: state[field] for field in state if field != "land"}
        self.merchant.land = state["land"]

    def told(self, field: str, value: Any, language: str) -> str | None:
        words = texts(language)
        if value is None and field not in policy_form.names():
            return None
        if field in (*policy_form.CONTACT, "land"):
            return contact.told(value, words["contact"])
        return policy_form.told(field, value, words["policy"], language)


class Rules(_OfPolicy):
    """The rules of a negotiation."""

    part, place, path = Part.POLICY, "policy", policy.PATH


class Hours(_OfPolicy):
    """When customers are written to, and when people answer."""

    part, place, path = Part.CONTACT, "contact", contact.PATH


class Words(Restorable):
    """The merchant's texts of one wording, by where they stand."""

    part, parts, place = Part.WORDING, (Part.WORDING,), "wordings"

    def __init__(self, merchant: Merchant, name: str) -> None:
        super().__init__(merchant, name)
        self.path = f"{wordings.PATH}/{name}"

    def state(self) -> State:
        return own_texts(self.name, self.merchant.wordings.get(self.name) or {})

    def refusals(self, state: State, language: str) -> list[str]:
        spec = self._with(state)
        problems = dict.fromkeys(lay_over({self.name: spec}).problems) if spec else {}
        found = [told.told(wordings.without_place(one), language, "wordings") for one in problems]
        return [" ".join((one.problem, one.remedy)).strip() for one in found]

    def keep(self, state: State) -> None:
        own = {key: held for key, held in self.merchant.wordings.items() if key != self.name}
        spec = self._with(state)
        self.merchant.wordings = {**own, self.name: spec} if spec else own

    def told(self, field: str, value: Any, language: str) -> str | None:
        return value if value is None else str(value)

    def label(self, field: str, language: str) -> str:
        return field

    def _with(self, state: State) -> dict[str, Any]:
        return with_texts(self.name, self.merchant.wordings.get(self.name) or {}, state)


class Appearance(Restorable):
    """Name, neutral alias and colour; the logo stays."""

    part, parts, place, path = Part.PAGE, (Part.PAGE,), "brand", brand.PATH

    def state(self) -> State:
        return brand.noted_as(brand.held(self.merchant))

    def reachable(self, earlier: State) -> State:
        return {**earlier, "logo": self.state()["logo"]}

    def refusals(self, state: State, language: str) -> list[str]:
        wrong = brand.refused(state, self.merchant, texts(language)["brand"]["wrong"])
        return [f"{self.label(field, language)}: {why}" for field, why in wrong.items()]

    def keep(self, state: State) -> None:
        brand.set_to(self.merchant, {**state, "logo": brand.held(self.merchant)["logo"]})

    def told(self, field: str, value: Any, language: str) -> str | None:
        return value or None


def restorable(merchant: Merchant, part: str, name: str) -> Restorable | None:
    """The part of this name; None where there is nothing to go back to."""
    kinds: dict[str, type[Restorable]] = {one.part: one for one in (Rules, Hours, Appearance)}
    if part == Part.WORDING and name in load_catalogue().wordings:
        return Words(merchant, name)
    return kinds[part](merchant) if part in kinds and not name else None
