"""How long `kulanz import-statement` takes for 10,000 entries against as many open claims.

Runs the commands as a user would on an embedded PostgreSQL of its own. Most payments name their
invoice in one spelling or another, some mistyped, some not at all. Prints seconds, entries a
second, peak memory and what became of the movements: the second import of the same file too.

    .venv/bin/python -m benchmarks.import_statement [ENTRIES]
"""

import sys
from pathlib import Path

import psycopg

from benchmarks.import_claims import database, run_import, write_rows
from storage.engine import libpq_dsn

ENTRIES = 10_000
OWN = "DE02120300000000202051"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def text_of(number: int) -> str:
    """What the payer of an invoice writes: the number in some spelling, mistyped, or nothing."""
    spellings = (
        f"RE-{number}",
        f"re {number}",
        f"Rechnung RE-{number} vom 1.8.2026",
        f"RE{number} F-{number} danke",
        f"Rechnungsnr. {number}",
        f"Kundennr K-{number}, Beleg RE/{number}",
        f"RE-{number}7",
        "Danke",
    )
    return spellings[number % len(spellings)]


def write_statement(path: Path, rows: list[tuple[int, str, int]]) -> None:
    """Write a statement with a payment of each claim: its number, its name and what is open."""
    total = sum(minor for *_, minor in rows)
    with path.open("w", encoding="utf-8") as file:
        file.write(
            f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{NAMESPACE}"><BkToCstmrStmt>'
            "<GrpHdr><MsgId>B</MsgId></GrpHdr><Stmt><Id>B1</Id>"
            f"<Acct><Id><IBAN>{OWN}</IBAN></Id></Acct>"
        )
        for code, minor in (("OPBD", 0), ("CLBD", total)):
            file.write(
                f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
                f'<Amt Ccy="EUR">{minor / 100:.2f}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
            )
        for number, name, minor in rows:
            file.write(
                f'<Ntry><Amt Ccy="EUR">{minor / 100:.2f}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
                "<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt>"
                "<ValDt><Dt>2026-11-20</Dt></ValDt>"
                f"<AcctSvcrRef>R{number}</AcctSvcrRef><NtryDtls><TxDtls>"
                "<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
                f'<Amt Ccy="EUR">{minor / 100:.2f}</Amt><RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty>'
                f"</Dbtr><DbtrAcct><Id><IBAN>DE{number:020d}</IBAN></Id></DbtrAcct></RltdPties>"
                f"<RmtInf><Ustrd>{text_of(number)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
            )
        file.write("</Stmt></BkToCstmrStmt></Document>")


def main() -> None:
    """Start PostgreSQL, import the claims, measure the statement, stop it."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with database() as (folder, urls):
        data, dsn = folder / "var", libpq_dsn(urls.operator)
        with psycopg.connect(dsn) as connection:
            connection.execute(
                "INSERT INTO merchant (key, name, iban, created_at) VALUES (%s, %s, %s, now())",
                ["bench", "Benchmark", OWN],
            )
        claims = folder / "claims.csv"
        write_rows(claims, entries)
        run_import(claims, data, "bench")
        with psycopg.connect(dsn) as connection:
            rows = connection.execute(
                "SELECT substr(c.reference, 3)::int, 'Kim ' || k.name, sum(p.amount_minor)::int "
                "FROM claim c JOIN customer k ON k.id = c.customer_id "
                "JOIN posting p ON p.claim_id = c.id GROUP BY 1, 2 ORDER BY 1"
            ).fetchall()
        statement = folder / "statement.xml"
        write_statement(statement, rows)
        size = statement.stat().st_size // 1024
        print(f"{entries} entries against {len(rows)} open claims, {size} KiB")
        for which in ("first", "again"):
            seconds, cpu, peak = run_import(
                statement, data, "bench", command_name="import-statement"
            )
            print(
                f"{which:>6}: {seconds:.1f} s ({cpu:.1f} s of CPU), "
                f"{entries / seconds:.0f} entries/s, {peak} MiB"
            )
            with psycopg.connect(dsn) as connection:
                states = connection.execute(
                    "SELECT state, count(*) FROM bank_movement GROUP BY 1 ORDER BY 1"
                ).fetchall()
            print("        " + ", ".join(f"{count} {state}" for state, count in states))


if __name__ == "__main__":
    main()
