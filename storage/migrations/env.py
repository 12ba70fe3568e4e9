"""Alembic's entry: migrates with the owner's address, ignores the job queue's own tables."""

import os

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.schema import SchemaItem

from storage.tables import Base


def _ours(obj: SchemaItem, name: str | None, type_: str, *_: object) -> bool:
    return not (name or "").startswith("procrastinate_")


def _run() -> None:
    url = context.config.attributes.get("url") or os.environ["KULANZ_DATABASE_URL"]
    engine = create_engine(url)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=_ours,
            compare_type=True,
            transaction_per_migration=False,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


_run()
