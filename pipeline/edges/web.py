"""The page behind the unsubscribe link: it asks on GET, acts on POST (RFC 8058), and knows nothing but tickets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from pipeline.errors import StoreBroken

_WORDS = {
    "en": {
        "ask": "Do you want to receive no more messages from us?",
        "button": "Yes, no more messages",
        "done": "Done: we will not write to you again.",
        "unknown": 'This link is not complete. Please reply "stop" to any of our messages instead.',
        "later": "This could not be written down just now. Please try again in a few minutes.",
    },
    "es": {
        "ask": "¿Prefiere no recibir más mensajes nuestros?",
        "button": "Sí, no más mensajes",
        "done": "Hecho: no volveremos a escribirle.",
        "unknown": "Este enlace no está completo. Responda «baja» a cualquiera de nuestros mensajes.",
        "later": "Ahora mismo no se ha podido anotar. Inténtelo de nuevo en unos minutos.",
    },
}

# A scanner may fetch the page, a search engine may find it, another page may frame it: nothing comes of it.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_PAGE = """\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 15vh auto; max-width: 30rem; padding: 0 1.25rem; font: 1.125rem/1.5 sans-serif; text-align: center; }}
button {{ font: inherit; padding: .75rem 1.5rem; }}
</style>
<body>
{body}
</body>
</html>
"""


def unsubscribe_app(unsubscribe: Callable[[str], bool], languages: Sequence[str]) -> Starlette:
    """The web application. `unsubscribe` takes a ticket, ends what it is for, and says False when it is none of ours.

    It may be called any number of times with the same ticket. What it raises as StoreBroken becomes a 503.
    """

    def answer(request: Request) -> HTMLResponse:
        if request.method != "POST":
            return _page(200, "ask", languages, button=True)
        try:
            done = unsubscribe(request.query_params.get("t", ""))
        except StoreBroken:
            return _page(503, "later", languages)
        return _page(200, "done", languages) if done else _page(404, "unknown", languages)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "HEAD", "POST"])])


def _page(status: int, key: str, languages: Sequence[str], *, button: bool = False) -> HTMLResponse:
    lines = [f'<p lang="{language}">{_WORDS[language][key]}</p>' for language in languages]
    if button:
        # Without an action the form goes to the very address of the page, ticket and all.
        label = " / ".join(_WORDS[language]["button"] for language in languages)
        one_click = '<input type="hidden" name="List-Unsubscribe" value="One-Click">'
        lines.append(f'<form method="post">{one_click}<button>{label}</button></form>')
    page = _PAGE.format(language=languages[0], title=_WORDS[languages[0]][key], body="\n".join(lines))
    return HTMLResponse(page, status_code=status, headers=_HEADERS)


def serve(app: Starlette, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Who called is not logged: the address of the page is a key."""
    uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning", server_header=False, limit_concurrency=100)
