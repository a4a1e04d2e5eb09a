"""GraphiQL, for development: a page on which to write queries and read the schema, served without any other host."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}
"""GraphiQL sets styles from its script; nothing but its own script runs, and nothing is loaded from elsewhere."""

FILES = {
    "graphiql.min.css": "text/css",
    "react.production.min.js": "text/javascript",
    "react-dom.production.min.js": "text/javascript",
    "graphiql.min.js": "text/javascript",
    "graphiql.start.js": "text/javascript",
}
"""What the page loads, in this order, with its type."""

_LINKS = "\n".join(
    f'<link rel="stylesheet" href="/graphiql/{name}">'
    if kind == "text/css"
    else f'<script src="/graphiql/{name}" defer></script>'
    for name, kind in FILES.items()
)
PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>GraphiQL – mentorgraph</title>
<link rel="icon" href="data:,">
{_LINKS}
<style>html, body, #graphiql {{ height: 100%; margin: 0 }}</style>
</head>
<body><div id="graphiql">Loading …</div></body>
</html>
"""


def graphiql() -> list[Route]:
    """The page, and the files that it loads."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(PAGE, headers=PAGE_HEADERS)

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FILES:
            return Response(status_code=404)
        return FileResponse(Path(__file__).with_name("static") / name, media_type=FILES[name])

    return [Route("/graphiql", page), Route("/graphiql/{name}", file)]
