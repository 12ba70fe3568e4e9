"""Engine, tables and migrations: where everything is kept."""
