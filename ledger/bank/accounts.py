"""Whose account a statement is about (pure)."""

import re
from collections.abc import Iterable, Sequence

from stdnum import iban as iban_number

from ledger.bank.entry import BankStatement, Refusal, StatementRefused

_BANK_AND_NUMBER = re.compile(r"(\d{8})[/ ](\d{1,10})")


def own_account(account: str, own: Iterable[str]) -> str | None:
    """The IBAN among ``own`` that a statement's account is, however the bank writes it.

    MT940 often has bank code and account number, of which a German IBAN is made.
    """
    compact = account.replace(" ", "").upper()
    known = {iban.replace(" ", "").upper() for iban in own}
    if compact[:22] in known or compact in known:
        return compact if compact in known else compact[:22]
    parts = _BANK_AND_NUMBER.fullmatch(account.strip().removesuffix("EUR").strip())
    if parts is None:
        return None
    bban = parts[1] + parts[2].zfill(10)
    return next((iban for iban in known if iban.startswith("DE") and iban[4:] == bban), None)


def owned(
    statements: Sequence[BankStatement], own: Iterable[str]
) -> list[tuple[str, BankStatement]]:
    """Each statement with the IBAN of its account.

    Raises:
        StatementRefused: one is about an account that is not among ``own``.
    """
    known = list(own)
    if not known:
        raise StatementRefused(Refusal.ACCOUNT, "the merchant has no bank account on file")
    listed = []
    for statement in statements:
        account = own_account(statement.account, known)
        if account is None:
            raise StatementRefused(
                Refusal.ACCOUNT,
                f"statement {statement.number} is about {covered(statement.account)}, "
                "which is no account of the merchant",
            )
        listed.append((account, statement))
    return listed


def covered(account: str) -> str:
    """An account with only its first and last four signs, to name it in a message."""
    compact = account.replace(" ", "")
    if iban_number.is_valid(compact):
        return f"{compact[:4]} … {compact[-4:]}"
    return f"… {compact[-4:]}"
