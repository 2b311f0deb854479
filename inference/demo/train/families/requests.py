"""All everyday functions."""

from families.request_form import Request
from families.requests_home import HOME
from families.requests_life import LIFE
from families.requests_trade import TRADE
from families.requests_travel import TRAVEL
from families.requests_work import WORK

REQUESTS: list[Request] = HOME + TRAVEL + TRADE + WORK + LIFE
