"""All everyday functions."""

from dataclasses import replace

from families.request_form import Request, listed
from families.requests_home import HOME
from families.requests_life import LIFE
from families.requests_spoken import DECLARED, SPOKEN
from families.requests_trade import TRADE
from families.requests_travel import TRAVEL
from families.requests_work import WORK


def _whole(request: Request) -> Request:
    names, _, about = DECLARED.get(request.names[0], "").partition(" :: ")
    return replace(
        request,
        names=request.names + names.split(),
        about=request.about + [text for text in about.split("|") if text],
        prompts=request.prompts + listed(SPOKEN.get(request.names[0], "")),
    )


REQUESTS: list[Request] = [_whole(request) for request in HOME + TRAVEL + TRADE + WORK + LIFE]
