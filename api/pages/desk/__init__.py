"""The desk in the console: what waits for a person, and people's work on it."""
