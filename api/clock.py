"""What time it is; in the demo and in tests the clock can be moved."""

from datetime import UTC, datetime, timedelta

from api.settings import Settings


class Clock:
    """Aware UTC now. The demo's offset lives in ``clock_offset_seconds`` in the data directory."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.data_dir / "clock_offset_seconds" if settings.demo else None

    def now(self) -> datetime:
        """The current moment, moved by the demo's offset."""
        return datetime.now(UTC) + self.offset()

    def offset(self) -> timedelta:
        """How far the demo's clock is ahead."""
        if self._file is None or not self._file.exists():
            return timedelta()
        return timedelta(seconds=float(self._file.read_text() or 0))

    def move_to(self, moment: datetime) -> None:
        """Set the demo's clock.

        Raises:
            PermissionError: outside the demo the clock is the clock.
        """
        if self._file is None:
            raise PermissionError("the clock can be moved in the demo only (KULANZ_DEMO=1)")
        self._file.write_text(str((moment - datetime.now(UTC)).total_seconds()))
