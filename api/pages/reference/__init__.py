"""``/api/docs``: the REST API as a page, made from the same description as ``openapi.json``."""
