"""Phones forget nothing, whoever restarts."""

import asyncio
from pathlib import Path

from api.demo.journal import FILE_NAME, Journal


def _journal(folder: Path) -> Journal:
    return Journal(folder / FILE_NAME)


def test_who_was_away_gets_what_came_since_and_nothing_of_others(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    first = journal.add("+49171", "message", {"key": "a", "number": 4})
    journal.add("+49172", "message", {"key": "b", "number": 5})
    third = journal.add("+49171", "status", {"key": "a", "status": "read"})
    assert journal.after(0, ["+49171"]) == [first, third]
    assert journal.after(first.number, ["+49171", "7001"]) == [third]
    assert journal.message("+49171", "a") == first
    assert journal.message("+49172", "a") is None


def test_a_new_process_goes_on_where_the_old_one_ended(tmp_path: Path) -> None:
    before = _journal(tmp_path)
    before.add("+49171", "message", {"key": "a", "number": 41, "text": "Grüße"})
    with (tmp_path / FILE_NAME).open("a") as file:
        file.write('{"number": 2, "address": "+49')  # killed while writing
        file.write("\n")
    after = _journal(tmp_path)
    assert after.after(0, ["+49171"]) == before.after(0, ["+49171"])
    assert after.last_message_number() == 41
    assert after.add("+49171", "status", {}).number == 2


async def test_who_listens_is_woken(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    with journal.listening() as news:
        asyncio.get_running_loop().call_soon(journal.add, "+49171", "message", {"key": "a"})
        await asyncio.wait_for(news.wait(), 5)
