"""What domain errors and lost connections look like over HTTP."""

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from conversation.handoff_held import HandoffError, HandoffUnknown
from ledger.bank.review import ReviewRefused
from ledger.errors import LedgerError

log = structlog.get_logger()


def register_errors(app: FastAPI) -> None:
    """Map them once for all routes."""

    @app.exception_handler(LedgerError)
    async def refused(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": type(error).__name__, "detail": str(error)}, status_code=409)

    @app.exception_handler(HandoffError)
    async def handoff_refused(request: Request, error: Exception) -> JSONResponse:
        facts = error.facts if isinstance(error, HandoffError) else {}
        return JSONResponse(
            {"error": type(error).__name__, "detail": str(error), **facts},
            status_code=404 if isinstance(error, HandoffUnknown) else 409,
        )

    @app.exception_handler(ReviewRefused)
    async def not_decided(request: Request, error: Exception) -> JSONResponse:
        code = error.code if isinstance(error, ReviewRefused) else ""
        return JSONResponse(
            {"error": code, "detail": str(error)}, status_code=404 if code == "unknown" else 409
        )

    async def unavailable(request: Request, error: Exception) -> JSONResponse:
        # 503 makes providers deliver the webhook again.
        return JSONResponse({"error": "database_unavailable"}, status_code=503)

    for lost in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(lost, unavailable)

    @app.exception_handler(DBAPIError)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        # Only the type: the message of a database error quotes values.
        origin = type(error.orig if isinstance(error, DBAPIError) else error).__name__
        log.error("database_error", path=request.url.path, error=origin)
        return JSONResponse(
            {"error": "database_unavailable" if lost else "internal"},
            status_code=503 if lost else 500,
        )
