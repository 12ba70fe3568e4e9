"""Bring a database to the newest schema, under a lock, with its two application roles."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql

from storage.engine import APP_ROLE, OPERATOR_ROLE, DatabaseUrls, libpq_dsn

# Any number that nobody else uses: one migration at a time, however many processes start.
MIGRATION_LOCK = 0x6B756C616E7A
ROLES_LOCK = MIGRATION_LOCK + 1


class RolesMissing(RuntimeError):
    """The owner may not create the application roles; the text says what to grant."""


def alembic_config(urls: DatabaseUrls) -> Config:
    """Alembic's configuration for this database."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = urls.owner
    return config


def migrate(urls: DatabaseUrls) -> None:
    """Create or update roles and schema. Safe to call from several processes at once.

    Raises:
        RolesMissing: the owner lacks CREATEROLE.
    """
    with psycopg.connect(libpq_dsn(urls.owner), autocommit=True) as lock:
        lock.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        _ensure_role(lock, APP_ROLE, urls.app.password or "")
        _ensure_role(lock, OPERATOR_ROLE, urls.operator.password or "")
        command.upgrade(alembic_config(urls), "head")


def _can_log_in(
    connection: psycopg.Connection[tuple[object, ...]], role: str, password: str
) -> bool:
    """Whether the role has this password already; then nobody else's is changed."""
    try:
        psycopg.connect(
            host=connection.info.host,
            port=connection.info.port,
            dbname=connection.info.dbname,
            user=role,
            password=password,
            connect_timeout=5,
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], role: str, pw: str) -> None:
    """Roles belong to the whole server: several databases may create them at the same time."""
    known = connection.execute(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role]
    ).fetchone()
    if known is not None and known[0]:
        raise RolesMissing(f"role {role} must be neither superuser nor BYPASSRLS")
    if known is not None and _can_log_in(connection, role, pw):
        return
    # New roles are neither superuser nor BYPASSRLS by default, and only a superuser may say so.
    verb = sql.SQL("ALTER" if known else "CREATE")
    statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
    try:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [ROLES_LOCK])
            connection.execute(statement.format(verb, sql.Identifier(role), sql.Literal(pw)))
    except psycopg.errors.DuplicateObject:
        return
    except psycopg.errors.InsufficientPrivilege as error:
        raise RolesMissing(
            f"the database's owner may not create or alter role {role}: grant it CREATEROLE, or "
            f"create {APP_ROLE} and {OPERATOR_ROLE} with it as their admin"
        ) from error
