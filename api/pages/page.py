"""A server-rendered page: its template and style, and the headers that keep it to itself.

Style and script stand inside the page and are allowed by their hashes, so a page is one request,
and works in a frame on another site. Pages that people come back to all day name where both are
served instead, as files that a browser keeps for good: their names are hashes of what is in them.
A page has a script only where its folder names one, and works without it.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

PAGES = Path(__file__).parent
NOBODY = "'none'"
MEDIA_TYPES = {"css": "text/css", "js": "text/javascript"}
HASH_DIGITS = 32


def lean(script: str) -> str:
    """A script without what only its readers need: indents, empty lines, lines of comment.

    No text in it may go on over the end of a line.
    """
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


@dataclass(frozen=True, slots=True)
class Served:
    """A style or script that is a file of its own."""

    content: bytes
    media_type: str


class Pages:
    """The templates of one folder below this one, with the tokens and the folder's own styles.

    Templates stand in the folder or in ``templates`` below it; `scripts` are files of it as well.
    `base` names another folder with its style whose templates these go on from. Templates show
    ``style_element`` and ``script_element``: what they are, or where they are if `served_at` says
    under which address the application serves `files`.
    """

    def __init__(
        self,
        folder: str,
        style: str | tuple[str, ...],
        *scripts: str,
        base: tuple[str, str] | None = None,
        served_at: str = "",
    ) -> None:
        styles = (style,) if isinstance(style, str) else style
        folders = [folder, *([base[0]] if base else [])]
        self.environment = Environment(
            loader=FileSystemLoader(
                [PAGES / one / below for one in folders for below in ("", "templates")]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        css = "\n".join(
            path.read_text("utf-8")
            for path in (
                PAGES / "static" / "tokens.css",
                *([PAGES / base[0] / base[1]] if base else []),
                *(PAGES / folder / one for one in styles),
            )
        )
        self.files: dict[str, Served] = {}
        """What `served_at` is asked for, by name."""
        known = self.environment.globals
        self._policy = "default-src 'none'; base-uri 'none'"
        source = "\n".join(lean((PAGES / folder / name).read_text("utf-8")) for name in scripts)
        if served_at:
            style_at = f"{served_at}/{self._file(css, 'css')}"
            known["style_element"] = Markup(f'<link rel="stylesheet" href="{style_at}">')
            script_at = f"{served_at}/{self._file(source, 'js')}"
            known["script_element"] = Markup(f'<script src="{script_at}" defer></script>')
            self._style_sources = script_sources = "'self'"
        else:
            known["style"], known["script"] = Markup(css), Markup(source)
            known["style_element"] = Markup(f"<style>{css}</style>")
            known["script_element"] = Markup(f"<script>{source}</script>")
            self._style_sources, script_sources = f"'{_digest(css)}'", f"'{_digest(source)}'"
        if scripts:
            self._policy += f"; script-src {script_sources}; connect-src 'self'"
        self._policy += "; img-src 'self' data:"

    def _file(self, text: str, kind: str) -> str:
        content = text.encode()
        name = f"{hashlib.sha256(content).hexdigest()[:HASH_DIGITS]}.{kind}"
        self.files[name] = Served(content, MEDIA_TYPES[kind])
        return name

    def part(self, template: str, facts: Mapping[str, Any], *, language: str) -> str:
        """Render a part of a page, for its script to put in."""
        return self.environment.get_template(template).render(facts, language=language)

    def respond(
        self,
        template: str,
        facts: Mapping[str, Any],
        *,
        language: str,
        status: int = 200,
        framed_by: str = NOBODY,
        headers: Mapping[str, str] | None = None,
        brand: str = "",
        leads_to: Sequence[str] = (),
    ) -> Response:
        """Render a template; `framed_by` names the one origin that may show it in a frame.

        `brand` is CSS of a merchant's own, that the template shows as ``brand``; `leads_to` are
        the origins that its forms may end at besides our own.
        """
        if brand:
            facts = {**facts, "brand": Markup(brand)}
        body = self.environment.get_template(template).render(facts, language=language)
        styles = f"{self._style_sources} '{_digest(brand)}'" if brand else self._style_sources
        forms = " ".join(("form-action 'self'", *leads_to))
        policy = f"{self._policy}; {forms}; style-src {styles}; frame-ancestors {framed_by}"
        return HTMLResponse(
            body,
            status_code=status,
            headers={
                "Content-Security-Policy": policy,
                "Content-Language": language,
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "X-Robots-Tag": "noindex, nofollow",
                "Vary": "Accept-Language",
                **(headers or {}),
            },
        )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


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
