"""The page `/why/{recommendationId}`: for coordinators, why somebody was recommended, as the decision log has it.

It is plain HTML from templates that escape everything; the only script draws evidence that stands there in words as
well. All that a page loads comes from this server under names that hold the hash of the content.
"""

import gzip
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mentorgraph.api import why_now
from mentorgraph.api.errors import HEADERS_OF_CODE, Refused
from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.api.page_forms import filled_in, remember, token_of
from mentorgraph.api.page_words import LANGUAGES, language_of, templates_in, unit_in, when
from mentorgraph.api.why_now import Graph
from mentorgraph.graph.decisions.decision import Decision, Recommended
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.ranking.cautions import NAMES, caution_in_words
from mentorgraph.graph.ranking.listing import Recommendation
from mentorgraph.graph.ranking.paths import COMPUTED
from mentorgraph.graph.ranking.reasons import SignalValue
from mentorgraph.graph.ranking.sentences import Step, in_language, reasons_of
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import ENGLISH

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}
FILE_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
FILES = {
    "cytoscape.min.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "why.css": "text/css",
    "why.js": "text/javascript",
}
"""What is served under `/static`, with its type."""

BAR_UNITS = 1000
UNKNOWN_ID = DomainError(
    "No recommendation has this id, or it is not yours to see. Ids come from recommendMentors.", code="NOT_FOUND"
)

ViewerOf = Callable[[Request], Awaitable[Viewer]]


def pages(
    decisions: DecisionLog,
    viewer_of: ViewerOf,
    *,
    card_link: Callable[[str], str | None] = lambda _version: None,
    graph: Graph | None = None,
) -> list[Route]:
    """The page, and the files that it loads.

    Args:
        decisions: Where answers are kept.
        viewer_of: On whose behalf a request is made; raises a `DomainError` where it says that badly.
        card_link: Where the card of a model stands, by version; None for a model without one.
        graph: What tells of the present and takes decisions; the page is about the past alone if none is given.
    """
    files = {file.served_name: file for file in map(_File, FILES)}
    links = {file.name: f"/static/{name}" for name, file in files.items()}
    page = _WhyPage(decisions, viewer_of, card_link, links, graph)

    async def static(request: Request) -> Response:
        file = files.get(request.path_params["name"])
        return file.answer(request) if file else Response(status_code=404)

    return [Route("/why/{recommendation}", page.answer, methods=["GET", "POST"]), Route("/static/{name}", static)]


class _WhyPage:
    def __init__(
        self,
        decisions: DecisionLog,
        viewer_of: ViewerOf,
        card_link: Callable[[str], str | None],
        links: Mapping[str, str],
        graph: Graph | None,
    ) -> None:
        self._decisions = decisions
        self._viewer_of = viewer_of
        self._card_link = card_link
        self._graph = graph
        self._templates = {language: templates_in(language, links.__getitem__) for language in LANGUAGES}

    async def answer(self, request: Request) -> Response:
        """The page of a recommendation, or one that says why there is none; a form that was sent is carried out."""
        language = ENGLISH
        try:
            language = language_of(request)
            viewer = await self._viewer_of(request)
            uid = _uid_in(request)
            decision = await self._decisions.find(uid)
            if decision is None or not decision.may_be_seen_by(viewer):
                raise UNKNOWN_ID
            if request.method == "POST":
                return await self._sent(request, decision, uid, viewer, language)
        except DomainError as error:
            status = {"NOT_FOUND": 404, "BAD_USER_INPUT": 400, "FORBIDDEN": 403, "UNAUTHENTICATED": 401}.get(
                error.code, 503
            )
            page = self._page(language, "problem.html", status, said=error.message, status=status)
            page.headers.update(HEADERS_OF_CODE.get(error.code, {}))
            return page
        except Refused as refused:
            page = self._page(language, "problem.html", refused.status, said=str(refused), status=refused.status)
            page.headers.update(refused.headers)
            return page
        return await self._whole(request, decision, uid, viewer, language)

    async def _sent(self, request: Request, decision: Decision, uid: str, viewer: Viewer, language: str) -> Response:
        """Carries out a form; a browser then asks for the page anew, so that reloading it sends nothing again."""
        filled = await filled_in(request)
        if self._graph is None or not viewer.coordinates:
            raise DomainError("Only coordinators decide about recommendations.", code="FORBIDDEN")
        wrong = await why_now.decide(self._graph, viewer, decision, uid, filled)
        if wrong:
            return await self._whole(request, decision, uid, viewer, language, wrong, filled, 422)
        asked_in = "" if language == ENGLISH else f"?language={language}"
        return Response(status_code=303, headers={"Location": f"{request.url.path}{asked_in}#decided"})

    async def _whole(
        self,
        request: Request,
        decision: Decision,
        uid: str,
        viewer: Viewer,
        language: str,
        wrong: Sequence[str] = (),
        filled: Mapping[str, str] = MappingProxyType({}),
        status: int = 200,
    ) -> Response:
        token = token_of(request)
        shown = self._shown(decision, uid, viewer, language)
        now = await self._now(request, decision, uid, viewer, language)
        page = self._page(language, "why.html", status, **shown, **now, wrong=wrong, filled=filled, token=token)
        remember(page, request, token, "/why")
        return page

    async def _now(
        self, request: Request, decision: Decision, uid: str, viewer: Viewer, language: str
    ) -> dict[str, Any]:
        """What the page shows of the present, as far as it is asked for and can be told."""
        asked = request.query_params
        found: dict[str, Any] = {
            "may_decide": self._graph is not None and viewer.coordinates,
            "has_graph": self._graph is not None,
            "decided": [],
            "since": None,
            "why_not": None,
            "takes": None,
            "actors": why_now.askable(decision, viewer),
            "away": "",
            "actions": why_now.ACTIONS,
            "reasons": why_now.REASONS,
            "compared": why_now.side_by_side(decision.whole, asked.get("one", ""), asked.get("other", "")),
            "asked": asked,
        }
        if self._graph is not None:
            try:
                if viewer.sees_everybody:
                    found["decided"] = await why_now.decided(self._graph, decision, uid, language)
                if asked.get("why_not", "").strip():
                    found["why_not"] = await why_now.why_not_of(self._graph, decision, viewer, asked["why_not"])
                if asked.get("change", "").strip() and found["actors"]:
                    found["takes"] = await why_now.what_it_takes(self._graph, decision, viewer, asked, language)
                if "now" in asked:
                    found["since"] = await why_now.since_then(self._graph, decision, uid, viewer, language)
            except DatabaseUnavailable as error:
                found["away"] = error.message
        return found

    def _page(self, language: str, template: str, status_code: int, **content: Any) -> HTMLResponse:
        text = self._templates[language].get_template(template).render(content)
        return HTMLResponse(text, status_code, PAGE_HEADERS)

    def _shown(self, decision: Decision, uid: str, viewer: Viewer, language: str) -> dict[str, Any]:
        """What the template is filled with."""
        found = next(each for each in decision.recommended if each.recommendation.uid == uid)
        shown = found.shown_to(viewer, decision.mentee)
        return {
            "answered": when(decision.recorded_at, language),
            "cautions": [caution_in_words(name, language) for name in shown.cautions if name in NAMES],
            "card_link": self._card_link(decision.model_version),
            "decision": decision,
            "global_id": global_id("Recommendation", uid),
            "is_redacted": found.is_redacted or decision.is_redacted,
            "mentee": _name(decision, decision.mentee),
            "mentor": _name(decision, shown.mentor),
            "goal": _name(decision, decision.goal) if decision.goal else "",
            "address": f"/why/{global_id('Recommendation', uid)}",
            "others": [_listed(decision, each, uid, language) for each in decision.whole.recommended],
            "paths": [
                {
                    "path": path,
                    "sentence": in_language(path, language),
                    "steps": [_step(step, place) for place, step in enumerate(path.steps)],
                }
                for path in shown.paths
            ],
            "recommendation": shown,
            "rows": list(_rows(shown, language)),
            "reasons_told": _reasons(shown, language),
            "scored": decision.scored_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }


def _uid_in(request: Request) -> str:
    try:
        return read_global_id(request.path_params["recommendation"], expected="Recommendation")[1]
    except DomainError:
        raise UNKNOWN_ID from None


def _name(decision: Decision, uid: str) -> str:
    return decision.names.get(uid, "(erased)")


def _reasons(shown: Recommendation, language: str) -> Sequence[dict[str, Any]]:
    """The reasons in words, each with the number of the path that says so; none where they can no longer be read."""
    if not shown.sentences:
        return ()
    numbers = {path.uid: number for number, path in reversed(list(enumerate(shown.paths, 1)))}
    return [
        {"sentence": each.sentence, "path": min((numbers[uid] for uid in each.paths), default=0)}
        for each in reasons_of(shown.paths, shown.measured, language)
    ]


def _listed(decision: Decision, each: Recommended, shown: str, language: str) -> dict[str, Any]:
    """One line of the list that the recommendation stands in."""
    found = each.recommendation
    return {
        "rank": found.rank,
        "uid": found.uid,
        "name": why_now.subject(decision.whole, each),
        "score": found.score,
        "link": f"/why/{global_id('Recommendation', found.uid)}?language={language}",
        "is_shown": found.uid == shown,
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One summand of the score, with its bar.

    Attributes:
        name: The signal.
        value: Its value; None where nothing is known.
        weight: What the value is multiplied with; None where there is no such number.
        contribution: What it adds.
        unit: What a value of 1 means.
        start: Where its bar begins, of `BAR_UNITS`.
        width: How long its bar is, of `BAR_UNITS`.
        zero: Where no contribution stands, of `BAR_UNITS`.
        source: Where it comes from; empty for the graph.
    """

    name: str
    value: float | None
    weight: float | None
    contribution: float
    unit: str
    start: float
    width: float
    zero: float
    source: str


def _rows(shown: Recommendation, language: str) -> Iterator[Row]:
    """The base and all signals, with bars on one scale."""
    summands = [SignalValue("base", None, "where every score starts", None, shown.base), *shown.signals]
    contributions = [each.contribution for each in summands]
    below, above = -min(0.0, *contributions), max(0.0, *contributions)
    scale = BAR_UNITS / (below + above or 1.0)
    for each in summands:
        start, width = (below + min(0.0, each.contribution)) * scale, abs(each.contribution) * scale
        yield Row(
            each.name,
            each.value,
            each.weight,
            each.contribution,
            unit_in(each.name, each.unit, language),
            round(start, 1),
            round(width, 1),
            round(below * scale, 1),
            each.source,
        )


def _step(step: Step, place: int) -> dict[str, Any]:
    """One step of a path, for the text and for the drawing."""
    computed = place > 0 and not step.relationship_uid and step.relationship_type in COMPUTED.values()
    counted = f"{step.count} × " if step.count is not None else ""
    return {
        "kind": step.kind,
        "label": step.label,
        "counted": counted,
        "edge": step.relationship_type if place else "",
        "arrow": "~" if computed else "→" if step.forward else "←",
        "direction": "computed" if computed else "forward" if step.forward else "backward",
        "since": plain(step.since) if step.since else "",
        "source": step.source,
        "holds_now": step.holds_now,
    }


class _File:
    """A file that pages load, under a name that changes with its content."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._content = (Path(__file__).with_name("static") / name).read_bytes()
        stem, _, ending = name.rpartition(".")
        self.served_name = f"{stem}.{hashlib.sha256(self._content).hexdigest()[:12]}.{ending}"

    @cached_property
    def _packed(self) -> bytes:
        return gzip.compress(self._content)

    def answer(self, request: Request) -> Response:
        """The file, packed for whoever takes that."""
        packed = "gzip" in request.headers.get("accept-encoding", "")
        headers = FILE_HEADERS | ({"Content-Encoding": "gzip"} if packed else {})
        return Response(self._packed if packed else self._content, 200, headers, f"{FILES[self.name]}; charset=utf-8")
