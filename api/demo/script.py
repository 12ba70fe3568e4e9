"""The two conversations of the played demo: who writes what, and what must stand in the ledger."""

from dataclasses import dataclass
from datetime import date, timedelta

from ledger.agreements import AgreementKind
from ledger.statement import Statement


@dataclass(frozen=True)
class Scene:
    """One customer's side of a conversation, and the agreement that it has to lead to.

    `deep_link` customers come by Telegram's one-time link, the others answer on their telephone.
    """

    title: str
    customer_number: str
    claim_reference: str
    lines: tuple[str, ...]
    kind: AgreementKind
    instalments: int
    deep_link: bool = False
    language: str = "de"


SCENES = (
    Scene(
        title="Jürgen Brandt answers the first text message, in German",
        customer_number="K-10022",
        claim_reference="F-2026-882",
        lines=(
            "Guten Tag, wer sind Sie? Ist das echt?",
            "Und worum geht es?",
            "RE-2026-1043",
            "Ja, das stimmt",
            "Ich kann nur 5 Euro im Monat zahlen",
            "Kann ich in 6 Raten zahlen?",
            "Ja",
        ),
        kind=AgreementKind.INSTALMENT_PLAN,
        instalments=6,
    ),
    Scene(
        title="Emily Clarke comes to Telegram by her one-time link, in English",
        customer_number="K-10023",
        claim_reference="F-2026-883",
        lines=(
            "Hi, what is this about?",
            "RE-2026-1051",
            "Yes that's right",
            "I will pay everything next Friday",
            "Yes",
        ),
        kind=AgreementKind.PROMISE,
        instalments=1,
        deep_link=True,
        language="en",
    ),
)


def faults_of(scene: Scene, statement: Statement, today: date) -> list[str]:
    """Everything in the ledger that is not as the conversation agreed it."""
    faults = []
    if not statement.intact:
        faults.append("the hash chain is broken")
    agreement = statement.agreement
    if agreement is None:
        return [*faults, "no agreement is kept"]
    if statement.earlier_agreements:
        faults.append("there is more than one agreement")
    terms = agreement.terms
    if terms.kind is not scene.kind:
        faults.append(f"a {terms.kind.value} is kept instead of a {scene.kind.value}")
    if terms.total != statement.open.total:
        faults.append(f"{terms.total} are agreed, {statement.open.total} are open")
    planned = terms.instalments
    if len(planned) != scene.instalments:
        faults.append(f"{len(planned)} instalments instead of {scene.instalments}")
    if sum(part.amount.minor for part in planned) != terms.total.minor:
        faults.append("the instalments do not add up")
    days = [part.due for part in planned]
    if days != sorted(set(days)) or not today <= days[0] <= today + timedelta(days=31):
        faults.append("the days are not in order")
    if agreement.conversation_id is None:
        faults.append("the agreement does not name its conversation")
    return faults
