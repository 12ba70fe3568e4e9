"""The statements that merge staged rows of open claims, set by set."""

STAGED_FACTS: dict[str, str] = {
    "line": "int",
    "customer_number": "text",
    "name": "text",
    "first_name": "text",
    "birth_date": "date",
    "postal_code": "text",
    "land": "text",
    "phone": "text",
    "phone_mobile": "bool",
    "whatsapp": "bool",
    "whatsapp_since": "timestamptz",
    "email": "text",
    "language": "text",
    "address_form": "text",
    "business": "bool",
    "reference": "text",
    "invoice_number": "text",
    "order_number": "text",
    "description": "text",
    "contract_date": "date",
    "invoice_date": "date",
    "due_date": "date",
    "costs_reason": "text",
    "default_since": "date",
    "default_proof": "text",
    "default_ground": "text",
    "consumer_loan": "bool",
    "limitation_date": "date",
    "confirmed_at": "timestamptz",
}
"""Columns that hold a fact of a checked row under the row's own name."""
STAGED = {
    **STAGED_FACTS,
    "principal_minor": "bigint",
    "costs_minor": "bigint",
    "currency": "text",
}
"""Columns that rows are copied into, in this order."""

POSTED: dict[str, str] = {
    "claim_id": "bigint",
    "number": "int",
    "kind": "text",
    "source": "text",
    "destination": "text",
    "amount_minor": "bigint",
    "currency": "text",
    "value_date": "date",
    "booked_at": "timestamptz",
    "idempotency_key": "text",
    "input_hash": "text",
    "previous_hash": "text",
    "hash": "text",
}

# A person or a language chosen in the chat outlives the merchant's file, so these two fill gaps.
FILLED_ONLY = ("language", "address_form")
OF_CUSTOMER = ("name", "first_name", "birth_date", "postal_code", "land", "business", *FILLED_ONLY)
OF_CLAIM = (
    "invoice_number",
    "order_number",
    "description",
    "contract_date",
    "invoice_date",
    "due_date",
    "costs_reason",
    "default_since",
    "default_proof",
    "default_ground",
    "consumer_loan",
    "limitation_date",
)
SAME_IN_FILE = (*OF_CUSTOMER, "phone", "email", "whatsapp")
"""What all rows of one customer have to agree about."""
REPLACED = "replaced"
"""``invalid_reason`` of a contact point that the merchant has replaced by another address."""

# Serialises imports of one merchant: two at once would both find a claim missing.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('kulanz.intake', :merchant))"

_columns = ", ".join(f"{name} {kind}" for name, kind in STAGED.items())
STAGE = (
    "DROP TABLE IF EXISTS pg_temp.intake_row, pg_temp.intake_customer, "
    "pg_temp.intake_point, pg_temp.intake_difference, pg_temp.intake_posting",
    f"CREATE TEMP TABLE intake_row ({_columns}, claim_id bigint, known bool DEFAULT false) "
    "ON COMMIT DROP",
    f"CREATE TEMP TABLE intake_posting "
    f"({', '.join(f'{name} {kind}' for name, kind in POSTED.items())}) ON COMMIT DROP",
    "CREATE TEMP TABLE intake_difference (line int, customer_number text, reference text, "
    '"column" text, old text, new text) ON COMMIT DROP',
)
COPY_ROWS = f"COPY intake_row ({', '.join(STAGED)}) FROM STDIN"
COPY_POSTINGS = f"COPY intake_posting ({', '.join(POSTED)}) FROM STDIN"

DUPLICATES = """
    SELECT line, first_line FROM (
        SELECT line, min(line) OVER (PARTITION BY reference) AS first_line FROM intake_row
    ) numbered WHERE line > first_line ORDER BY line
"""

KNOWN_CLAIMS = """
    UPDATE intake_row r SET claim_id = c.id, known = true
    FROM claim c WHERE c.merchant_id = :merchant AND c.reference = r.reference
"""
NEW_CLAIM_IDS = (
    "UPDATE intake_row SET claim_id = nextval(pg_get_serial_sequence('claim', 'id')) "
    "WHERE NOT known",
    "CREATE INDEX ON intake_row (claim_id)",
    "CREATE INDEX ON intake_row (line)",
)

_aggregates = ", ".join(
    f"{'bool_or' if STAGED[name] == 'bool' else 'max'}({name}) AS {name}"
    for name in (*SAME_IN_FILE, "phone_mobile", "whatsapp_since", "confirmed_at")
)
# "Agree" is min = max over the rows that say something; booleans are compared as numbers.
_disagreements = " OR ".join(
    f"min({name}::int) <> max({name}::int)"
    if STAGED[name] == "bool"
    else f"min({name}) <> max({name})"
    for name in SAME_IN_FILE
)
CUSTOMERS = (
    f"CREATE TEMP TABLE intake_customer ON COMMIT DROP AS "
    f"SELECT customer_number, min(line) AS line, {_aggregates}, "
    f"coalesce({_disagreements}, false) AS disagrees, NULL::bigint AS customer_id, false AS known "
    "FROM intake_row GROUP BY customer_number",
    """
    UPDATE intake_customer i SET customer_id = c.id, known = true
    FROM customer c WHERE c.merchant_id = :merchant AND c.number = i.customer_number
    """,
)


def disagreements(column: str) -> str:
    """Rows of one customer that say something else about ``column`` than an earlier row."""
    return f"""
        SELECT r.line, f.line AS first_line
        FROM intake_customer i
        JOIN LATERAL (
            SELECT line, {column} AS value FROM intake_row
            WHERE customer_number = i.customer_number AND {column} IS NOT NULL
            ORDER BY line LIMIT 1
        ) f ON true
        JOIN intake_row r ON r.customer_number = i.customer_number AND r.{column} <> f.value
        WHERE i.disagrees ORDER BY r.line
    """


OTHER_CUSTOMER = """
    SELECT r.line FROM intake_row r
    JOIN claim c ON c.id = r.claim_id JOIN customer k ON k.id = c.customer_id
    WHERE r.known AND k.number <> r.customer_number ORDER BY r.line
"""
OTHER_CURRENCY = """
    SELECT r.line, c.currency FROM intake_row r JOIN claim c ON c.id = r.claim_id
    WHERE r.known AND c.currency <> r.currency ORDER BY r.line
"""
NOTHING_OPEN = """
    SELECT line FROM intake_row WHERE NOT known AND principal_minor = 0 ORDER BY line
"""

_claim_values = ", ".join(f"('{name}', c.{name}::text, r.{name}::text)" for name in OF_CLAIM)
_customer_values = ", ".join(
    f"('{name}', k.{name}::text, "
    f"{f'CASE WHEN k.{name} IS NULL THEN i.{name} END' if name in FILLED_ONLY else f'i.{name}'}"
    "::text)"
    for name in OF_CUSTOMER
)
_BALANCES = """
    SELECT p.claim_id,
        sum(CASE :principal WHEN p.destination THEN p.amount_minor
            WHEN p.source THEN -p.amount_minor ELSE 0 END) AS principal,
        sum(CASE :costs WHEN p.destination THEN p.amount_minor
            WHEN p.source THEN -p.amount_minor ELSE 0 END) AS costs
    FROM posting p JOIN intake_row r ON r.claim_id = p.claim_id AND r.known
    GROUP BY p.claim_id
"""
DIFFERENCES = (
    f"""
    INSERT INTO intake_difference
    SELECT r.line, r.customer_number, r.reference, v.name, v.old, v.new
    FROM intake_row r JOIN claim c ON c.id = r.claim_id
    CROSS JOIN LATERAL (VALUES {_claim_values}) AS v (name, old, new)
    WHERE r.known AND v.new IS NOT NULL AND v.new IS DISTINCT FROM v.old
    """,
    f"""
    INSERT INTO intake_difference
    SELECT i.line, i.customer_number, NULL, v.name, v.old, v.new
    FROM intake_customer i JOIN customer k ON k.id = i.customer_id
    CROSS JOIN LATERAL (VALUES {_customer_values}) AS v (name, old, new)
    WHERE i.known AND v.new IS NOT NULL AND v.new IS DISTINCT FROM v.old
    """,
)
AMOUNT_DIFFERENCES = f"""
    INSERT INTO intake_difference
    SELECT r.line, r.customer_number, r.reference, v.name, v.old::text, v.new::text
    FROM intake_row r JOIN ({_BALANCES}) b ON b.claim_id = r.claim_id
    CROSS JOIN LATERAL (VALUES
        ('amount', b.principal, r.principal_minor), ('costs', b.costs, r.costs_minor)
    ) AS v (name, old, new)
    WHERE r.known AND v.new IS NOT NULL AND v.new <> v.old
"""
# A claim that ended here and is named as open again: only its status tells.
STATUS_DIFFERENCES = """
    INSERT INTO intake_difference
    SELECT r.line, r.customer_number, r.reference, 'status', c.status, 'open'
    FROM intake_row r JOIN claim c ON c.id = r.claim_id
    WHERE r.known AND c.status IN ('recalled', 'written_off')
        AND r.principal_minor + coalesce(r.costs_minor, 0) > 0
"""

POINTS = """
    CREATE TEMP TABLE intake_point ON COMMIT DROP AS
    SELECT i.customer_number, i.customer_id, i.line, i.known, w.name AS "column", w.channel,
        w.address, w.consent_at, p.id AS point_id, p.invalid_reason, p.consent_at AS consented_at
    FROM intake_customer i
    CROSS JOIN LATERAL (VALUES
        ('phone', CASE WHEN i.phone_mobile THEN 'sms' ELSE 'phone' END, i.phone, NULL),
        ('whatsapp_consent', 'whatsapp', CASE WHEN i.whatsapp THEN i.phone END,
            coalesce(i.whatsapp_since, i.confirmed_at, :now)),
        ('email', 'email', i.email, NULL)
    ) AS w (name, channel, address, consent_at)
    LEFT JOIN contact_point p ON p.merchant_id = :merchant AND p.customer_id = i.customer_id
        AND p.channel = w.channel AND p.address = w.address
    WHERE w.address IS NOT NULL
"""
POINT_DIFFERENCES = (
    f"""
    INSERT INTO intake_difference
    SELECT w.line, w.customer_number, NULL, w."column",
        (SELECT string_agg(p.address, ', ' ORDER BY p.id) FROM contact_point p
         WHERE p.customer_id = w.customer_id AND p.source = 'merchant_import'
           AND p.invalid_reason IS DISTINCT FROM '{REPLACED}'
           AND (p.channel = w.channel
                OR w."column" = 'phone' AND p.channel IN ('sms', 'phone'))), w.address
    FROM intake_point w
    WHERE w.known AND (w.point_id IS NULL OR w.invalid_reason = '{REPLACED}'
        OR w.channel = 'whatsapp' AND w.consented_at IS NULL)
    """,
    """
    INSERT INTO intake_difference
    SELECT i.line, i.customer_number, NULL, 'whatsapp_consent', 'yes', 'no'
    FROM intake_customer i
    WHERE i.known AND i.whatsapp = false AND EXISTS (
        SELECT FROM contact_point p WHERE p.customer_id = i.customer_id
            AND p.channel = 'whatsapp' AND p.source = 'merchant_import'
            AND p.consent_at IS NOT NULL)
    """,
)

INSERT_CUSTOMERS = """
    WITH added AS (
        INSERT INTO customer (merchant_id, number, name, first_name, birth_date, postal_code, land,
            language, address_form, business, created_at, updated_at)
        SELECT :merchant, customer_number, name, first_name, birth_date, postal_code, land,
            language, address_form, coalesce(business, false), :now, :now
        FROM intake_customer WHERE NOT known ORDER BY line
        RETURNING id, number
    )
    UPDATE intake_customer i SET customer_id = added.id FROM added
    WHERE i.customer_number = added.number
"""
# Who has written STOP from an address stays left alone, whichever customer it is imported for.
INSERT_POINTS = """
    INSERT INTO contact_point (merchant_id, customer_id, channel, address, source, consent_at,
        opted_out_at, created_at)
    SELECT :merchant, i.customer_id, w.channel, w.address, 'merchant_import', w.consent_at,
        stopped.at, :now
    FROM intake_point w JOIN intake_customer i USING (customer_number)
    LEFT JOIN (
        SELECT channel, address, max(opted_out_at) AS at FROM contact_point
        WHERE merchant_id = :merchant AND opted_out_at IS NOT NULL GROUP BY channel, address
    ) stopped ON stopped.channel = w.channel AND stopped.address = w.address
    WHERE w.point_id IS NULL AND (NOT w.known OR :apply)
"""
INSERT_CLAIMS = """
    INSERT INTO claim (id, merchant_id, customer_id, reference, invoice_number, order_number,
        description, currency, rf_reference, contract_date, invoice_date, due_date, costs_reason,
        default_since, default_proof, default_ground, consumer_loan, limitation_date,
        confirmed_at, created_at, updated_at)
    SELECT r.claim_id, :merchant, i.customer_id, r.reference, r.invoice_number, r.order_number,
        r.description, r.currency,
        'RF' || lpad((98 - (n.body || '271500')::numeric % 97)::text, 2, '0') || n.body,
        r.contract_date, r.invoice_date, r.due_date, r.costs_reason, r.default_since,
        r.default_proof, r.default_ground, coalesce(r.consumer_loan, false),
        coalesce(r.limitation_date, make_date(extract(year FROM r.due_date)::int
            + :limitation_years, 12, 31)),
        coalesce(r.confirmed_at, :now), :now, :now
    FROM intake_row r JOIN intake_customer i USING (customer_number)
    CROSS JOIN LATERAL (SELECT lpad(r.claim_id::text,
        greatest(9, length(r.claim_id::text)), '0') AS body) n
    WHERE NOT r.known ORDER BY r.line
"""
NEW_CLAIMS_PAGE = """
    SELECT claim_id, reference, invoice_date, due_date, currency, principal_minor,
        coalesce(costs_minor, 0) AS costs_minor
    FROM intake_row WHERE NOT known AND claim_id > :after ORDER BY claim_id LIMIT :page
"""
INSERT_POSTINGS = f"""
    INSERT INTO posting (merchant_id, {", ".join(POSTED)})
    SELECT :merchant, {", ".join(POSTED)} FROM intake_posting ORDER BY claim_id, number
"""

_claim_set = ", ".join(f"{name} = coalesce(r.{name}, c.{name})" for name in OF_CLAIM)
_customer_set = ", ".join(
    f"{name} = coalesce(k.{name}, i.{name})"
    if name in FILLED_ONLY
    else f"{name} = coalesce(i.{name}, k.{name})"
    for name in OF_CUSTOMER
)
APPLY = (
    f"""
    UPDATE claim c SET {_claim_set}, updated_at = :now,
        status = CASE WHEN EXISTS (SELECT FROM intake_difference d
            WHERE d.line = r.line AND d."column" = 'status') THEN 'open' ELSE c.status END
    FROM intake_row r WHERE c.id = r.claim_id AND r.known AND EXISTS (
        SELECT FROM intake_difference d WHERE d.line = r.line AND d.reference IS NOT NULL)
    """,
    f"""
    UPDATE customer k SET {_customer_set}, updated_at = :now
    FROM intake_customer i WHERE k.id = i.customer_id AND i.known AND EXISTS (
        SELECT FROM intake_difference d WHERE d.line = i.line AND d.reference IS NULL)
    """,
    f"""
    UPDATE contact_point p SET invalid_at = :now, invalid_reason = '{REPLACED}'
    FROM intake_point w
    WHERE w.known AND p.customer_id = w.customer_id AND p.source = 'merchant_import'
        AND p.address <> w.address AND p.invalid_reason IS DISTINCT FROM '{REPLACED}'
        AND (p.channel = w.channel
             OR w."column" = 'phone' AND p.channel IN ('sms', 'phone', 'whatsapp'))
    """,
    f"""
    UPDATE contact_point p SET consent_at = coalesce(p.consent_at, w.consent_at),
        invalid_at = CASE WHEN p.invalid_reason = '{REPLACED}' THEN NULL ELSE p.invalid_at END,
        invalid_reason = nullif(p.invalid_reason, '{REPLACED}')
    FROM intake_point w WHERE p.id = w.point_id AND w.known
    """,
    """
    UPDATE contact_point p SET consent_at = NULL
    FROM intake_customer i WHERE i.known AND i.whatsapp = false
        AND p.customer_id = i.customer_id AND p.channel = 'whatsapp'
        AND p.source = 'merchant_import'
    """,
)
CHANGED_AMOUNTS_PAGE = """
    SELECT r.line, '' AS "column", r.claim_id, r.reference, r.currency, r.principal_minor,
        r.costs_minor
    FROM intake_row r
    WHERE r.line > :line AND EXISTS (SELECT FROM intake_difference d
        WHERE d.line = r.line AND d."column" IN ('amount', 'costs'))
    ORDER BY r.line LIMIT :page
"""
AUDIT = """
    INSERT INTO audit_event (merchant_id, kind, at, customer_id, claim_id, facts)
    SELECT :merchant, 'intake_changed', :now,
        CASE WHEN d.reference IS NULL THEN i.customer_id END, max(r.claim_id),
        jsonb_build_object('batch', CAST(:batch AS bigint),
            'columns', jsonb_agg(d."column" ORDER BY d."column"))
    FROM intake_difference d JOIN intake_customer i USING (customer_number)
    LEFT JOIN intake_row r ON r.reference = d.reference
    GROUP BY d.line, d.reference, i.customer_id
"""

# In the order that everybody takes claims in; the UPDATEs below would take them as they lie.
LOCK_KNOWN = """
    SELECT count(*) FROM (
        SELECT c.id FROM claim c JOIN intake_row r ON r.claim_id = c.id AND r.known
        ORDER BY c.id FOR UPDATE OF c
    ) held
"""
# An amount that the merchant states otherwise is not confirmed: nothing goes out on it.
CONFIRM = """
    UPDATE claim c SET confirmed_at = CASE
        WHEN NOT :apply AND EXISTS (SELECT FROM intake_difference d WHERE d.line = r.line
            AND d."column" IN ('amount', 'costs', 'status')) THEN NULL
        ELSE greatest(c.confirmed_at, coalesce(r.confirmed_at, :now)) END
    FROM intake_row r WHERE c.id = r.claim_id AND r.known
"""
DIFFERENCES_PAGE = """
    SELECT d.line, d.reference, d.customer_number, d."column", d.old, d.new,
        coalesce(r.currency, '') AS currency
    FROM intake_difference d LEFT JOIN intake_row r ON r.line = d.line
    WHERE (d.line, d."column") > (:line, :column)
    ORDER BY d.line, d."column" LIMIT :page
"""
COUNTS = """
    SELECT count(*) AS total, count(*) FILTER (WHERE NOT known) AS added,
        count(*) FILTER (WHERE known AND EXISTS (
            SELECT FROM intake_difference d WHERE d.line = r.line)) AS changed
    FROM intake_row r
"""
