"""The customer's page: what is owed and why, and every way to settle it."""
