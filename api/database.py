"""The database for one command: the running service's, a real one, or an embedded one for now."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.settings import Settings
from api.supervisor import die_with_parent
from api.wiring import Keys, NotRunning, Running
from storage import embedded
from storage.embedded import DataDirBusy, EngineFailed, Secrets
from storage.engine import DatabaseUrls
from storage.migrate import migrate


@asynccontextmanager
async def database_only(settings: Settings) -> AsyncIterator[DatabaseUrls]:
    """Addresses of the database, migrated; a running service has seen to that itself.

    Raises:
        EngineFailed: a service is just starting or stopping on this data directory.
        RolesMissing: the database's owner may not create the application roles.
    """
    try:
        running = Running.load(settings.state_file)
    except NotRunning:
        pass
    else:
        yield DatabaseUrls.derive(running.owner_url, running.role_password)
        return
    keys = Keys.of(settings)
    given = settings.secret("database_url")
    if given is not None:
        urls = DatabaseUrls.derive(given, keys.role_password)
        await asyncio.to_thread(migrate, urls)
        yield urls
        return
    try:
        with embedded.data_dir_lock(settings.data_dir.resolve()):
            async with _embedded(settings, keys) as urls:
                yield urls
    except DataDirBusy:
        raise EngineFailed(
            "a service is starting or stopping here; try again in a moment"
        ) from None


@asynccontextmanager
async def _embedded(settings: Settings, keys: Keys) -> AsyncIterator[DatabaseUrls]:
    password = Secrets.load(settings.data_dir).database_password
    cluster = embedded.prepare_postgres(settings.data_dir.resolve(), password)
    port = embedded.free_port()
    command = embedded.postgres_command(cluster, port)
    process = await asyncio.create_subprocess_exec(
        *command.argv,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    try:
        await asyncio.to_thread(embedded.wait_for_postgres, port, password)
        urls = DatabaseUrls.derive(embedded.owner_url(port, password), keys.role_password)
        await asyncio.to_thread(migrate, urls)
        yield urls
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(embedded.signal_of(command))
        await process.wait()
