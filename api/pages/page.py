"""A server-rendered page: its template and style, and the headers that keep it to itself.

The style stands inside the page and is allowed by its hash, so a page is one request, and works in
a frame on another site. No page of this kind has a script.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

PAGES = Path(__file__).parent
NOBODY = "'none'"


class Pages:
    """The templates of one folder below this one, with the tokens and the folder's own style."""

    def __init__(self, folder: str, style: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(PAGES / folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        css = "\n".join(
            path.read_text("utf-8")
            for path in (PAGES / "static" / "tokens.css", PAGES / folder / style)
        )
        self._environment.globals["style"] = Markup(css)
        digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
        self._policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
            "base-uri 'none'; form-action 'self'"
        )

    def respond(
        self,
        template: str,
        facts: Mapping[str, Any],
        *,
        language: str,
        status: int = 200,
        framed_by: str = NOBODY,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Render a template; `framed_by` names the one origin that may show it in a frame."""
        body = self._environment.get_template(template).render(facts, language=language)
        return HTMLResponse(
            body,
            status_code=status,
            headers={
                "Content-Security-Policy": f"{self._policy}; frame-ancestors {framed_by}",
                "Content-Language": language,
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "X-Robots-Tag": "noindex, nofollow",
                "Vary": "Accept-Language",
                **(headers or {}),
            },
        )


def wanted_language(given: str, accepted: str, default: str) -> str:
    """``de`` or ``en``: as asked for, else the first of Accept-Language that we have.

    Weights are obeyed; `default` is for who asks for neither.
    """
    if given in ("de", "en"):
        return given
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        language = tag.partition("-")[0].strip().lower()
        try:
            weighed.append((float(weight or 1), language))
        except ValueError:
            continue
    weighed.sort(key=lambda one: -one[0])
    return next((name for weight, name in weighed if weight > 0 and name in ("de", "en")), default)
