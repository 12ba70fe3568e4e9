"""One file per command (or per few that belong together); each registers itself."""
