"""The console's settings, and the files and movements that come in by it."""
