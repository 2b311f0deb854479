"""Declared functions: choose one, fill its arguments from the prompt, quote every value of its result."""

import json
import re

from families import arithmetic, dates, outside, text, words
from families.base import Conversation, Source, Turn, compact, think
from families.base import phrase as wrapped
from families.fields import KINDS, NAMED, choice, decorated, label
from families.request_form import Request, form
from families.requests import REQUESTS
from families.slots import shape, slot

VERBS = {
    "get": ["get", "show me", "look up", "find", "tell me", "fetch", "give me", "check"], "find": ["find", "look for", "locate", "search for"], "create": ["create", "make", "add", "set up"],
    "send": ["send", "deliver", "transmit"], "update": ["update", "change", "modify"], "delete": ["delete", "remove", "erase"], "book": ["book", "reserve"], "search": ["search", "search for", "look up"],
    "set": ["set", "change", "adjust"], "list": ["list", "show", "give me all"], "convert": ["convert", "turn"], "check": ["check", "verify", "look up"], "add": ["add", "put in", "insert"], "cancel": ["cancel", "call off", "stop"],
    "order": ["order", "buy"], "start": ["start", "launch", "begin", "turn on"], "stop": ["stop", "end", "turn off"], "schedule": ["schedule", "plan", "arrange"], "track": ["track", "follow", "trace"], "lookup": ["look up", "find", "check"],
    "calculate": ["calculate", "compute", "estimate"], "register": ["register", "sign up", "enroll"], "fetch": ["fetch", "get", "retrieve"], "play": ["play", "start"], "open": ["open", "show"], "print": ["print", "print out"], "rate": ["rate", "score"],
    "measure": ["measure", "check"], "reserve": ["reserve", "book"], "assign": ["assign", "give"], "archive": ["archive", "store"], "approve": ["approve", "accept"], "notify": ["notify", "alert", "tell"], "ship": ["ship", "send out"],
}  # fmt: skip

OBJECTS = """weather forecast temperature stock_price exchange_rate user account order invoice ticket flight hotel room table restaurant meeting event reminder alarm timer
note task email message contact customer employee product item inventory cart payment refund package shipment delivery recipe song playlist movie book article news
photo file document report playground sensor device light lamp thermostat door robot pump valve engine car taxi train bus route distance map parking bike score match player team
course lesson student grade exam library membership subscription plan license domain server database backup job queue log metric alert certificate key token password profile
address city country population holiday timezone currency tax salary budget expense loan rate quote policy claim patient appointment doctor prescription medicine vaccine pet
garden plant crop harvest pond hive barrel crate shelf pallet warehouse harbor vessel cargo container pipeline turbine battery panel meter tide quake volcano comet satellite""".split()

TAKERS = {kind: takers for kind in {kind for r in REQUESTS for kind, _ in r.slots.values()} if len(takers := [r for r in REQUESTS if kind in [k for k, _ in r.slots.values()]]) > 1}
EVERYDAY = set("""get_weather get_forecast stock_price convert_currency exchange_rate convert_units define lookup_user track_order company_contact set_timer
set_temperature book_table search_trains bus_times search_flights get_tides get_time check_stock price_check translate set_reminder search_restaurants store_hours""".split())
COMMON = [request for request in REQUESTS if request.names[0] in EVERYDAY]
"""What declared functions are most often for."""

TOOL_SHARES = (15, 25, 25, 20, 15)
"""Of one to five declared functions. What is learned is to choose, so most have a choice."""

# Optional parameters that requests never mention.
UNASKED = "limit page verbose timeout debug format locale callback page_size retries dry_run cache fields include silent trace".split()
UNASKED_TYPES = {"limit": "integer", "page": "integer", "page_size": "integer", "timeout": "number", "retries": "integer"} | dict.fromkeys(["verbose", "debug", "dry_run", "cache", "silent", "trace"], "boolean")
ASKS = re.compile(r"(^\w+ |, (?:in |on )?)(what|which|where|when|whom?|how|can|will|is|did|do)\b")

GENERAL = re.compile(r"^(?:get|look ?up|search|check|set|find|start|show) (?=.)")
TASKS = {"clock": "timer", "post": "message", "air": "flights", "where": "tracking", "fx": "convert", "store": "stock", "firm": "company", "buy": "cart", "login": "password", "book": "books", "cook": "recipe"}
"""How a thought calls a task: by its topic, without what `GENERAL` matches, if not by one of these."""

ECHOED = set(words.NOUNS) | set(OBJECTS)
ACTIONS = "get fetch find check read show query request run do ask lookup call use".split()

PARAM_KINDS = ["person", "city", "country", "email", "product", "quantity", "price", "date", "time", "color", "company", "code", "code", "number", "number", "measure", "title", "text", "language", "currency", "word", "word", "word", "address", "tags", "people"]


def phrase(g: Source, kind: str, body: str) -> str:
    """Like `base.phrase`, without the frames that ask for Python."""
    while "Python" in (text_ := wrapped(g, kind, body)):
        pass
    return text_


def parameter(g: Source, name: str, kind: str, required: bool = True) -> dict:
    param = {"name": name, "kind": kind, "required": required, **shape(kind)}
    if g.chance(0.25):
        param["description"] = g.pick([f"The {label(name)}", f"The {label(name)}.", label(name).capitalize(), f"{label(name).capitalize()} to use", f"Name of the {label(name)}" if param["type"] == "string" else f"The {label(name)} as a number"])
    return param


def invented(g: Source, thing: str | None = None) -> dict:
    """A tool that nobody has seen: verb and object, one to four parameters of assorted kinds."""
    verb = g.pick(list(VERBS))
    thing = thing or g.part(OBJECTS) if g.chance(0.7) else g.pseudo() if g.chance(0.6) else f"{g.part(OBJECTS)}_{g.part(OBJECTS)}"
    joined = g.pick([f"{verb}_{thing}"] * 5 + [verb + "".join(p.capitalize() for p in thing.split("_")), f"{thing}_{verb}", f"{thing}"])
    params = []
    for kind in g.sample(PARAM_KINDS, g.pick([1, 1, 2] if g.simple else [1, 1, 1, 2, 2, 3])):
        name = g.part(KINDS[kind].names) if g.chance(0.85) else g.pseudo()
        if name not in [p["name"] for p in params]:
            params.append(parameter(g, name, kind, g.chance(0.75) or not params))
    if g.chance(0.08 if g.simple else 0.2):
        name, options = choice(g)
        if name not in [p["name"] for p in params]:
            params.append({"name": name, "kind": "enum", "type": "string", "enum": options, "required": g.chance(0.4)})
            if not params[-1]["required"] and g.chance(0.5):
                params[-1]["default"] = options[0]
    if g.chance(0.08):
        name = g.pick(["verbose", "urgent", "detailed", "force", "notify"])
        params.append({"name": name, "kind": "flag", "type": "boolean", "required": False})
    if g.chance(0.04):
        params = []
    noun = label(thing)
    by = f" by {label(params[0]['name'])}" if params and g.chance(0.4) else ""
    short = {"lookup": "looks up", "set": "sets", "list": "lists", "search": "searches", "get": "gets", "fetch": "fetches", "notify": "notifies"}.get(verb, verb + "s")
    description = g.pick([f"{short.capitalize()} the {noun}{by}.", f"{verb.capitalize()} a {noun}{by}.", f"{short.capitalize()} a {noun}{by}", f"{verb.capitalize()} {noun}", f"Tool to {verb} the {noun}{by}."])
    return {"name": joined, "description": description, "params": params, "verb": verb, "noun": noun, "task": noun}


def special(g: Source, request: Request | None = None) -> dict:
    """A tool of an everyday kind, under one of its names."""
    request = request or g.pick(COMMON if g.chance(0.75) else REQUESTS)
    name = decorated(g, g.pick(request.names)) if g.chance(0.3) else g.pick(request.names)
    if g.chance(0.1):
        name = f"{g.pick(ACTIONS)}_{name}"
    if g.chance(0.15):
        name = g.pick(["".join(p.capitalize() if i else p for i, p in enumerate(name.split("_"))), name + "_v2", g.pseudo() + "_" + name.split("_")[-1]])
    params, prompts, taken = [], request.prompts, set()
    for key, (kind, names) in request.slots.items():
        chosen = g.pick([n for n in names if n not in taken])
        chosen = decorated(g, chosen) if g.chance(0.5) else chosen
        taken.add(chosen)
        params.append(parameter(g, chosen, kind))
        prompts = [text_.replace("{" + key + "}", f"{{#{chosen}}}") for text_ in prompts]
    tool = {"name": name, "description": g.pick(request.about), "params": params, "prompts": prompts, "topic": request.topic, "task": TASKS.get(request.topic) or GENERAL.sub("", label(request.topic))}
    if g.chance(0.15):
        extra = g.pick(UNASKED)
        if extra not in taken:
            params.append({"name": extra, "kind": "unasked", "type": UNASKED_TYPES.get(extra, "string"), "required": False})
    elif "weather" in name and g.chance(0.4):
        params.append({"name": "unit", "kind": "enum", "type": "string", "enum": ["celsius", "fahrenheit"], "required": False} | ({"default": "celsius"} if g.chance(0.5) else {}))
    return tool


def spoken(g: Source, style: str, body: str, prompt: str) -> str:
    """A request in one of the forms of its kind."""
    if style != "as":
        return phrase(g, style, body)
    start = g.pick(["", "", "", "", "", "Hi! ", "Hey, ", "Hello. ", "Please help: ", "OK: "])
    if start.endswith((", ", ": ")) and prompt[0].islower():
        body = body[0].lower() + body[1:]
    if ASKS.search(prompt) and body[-1] not in "?!.":
        return start + body + g.pick(["?", "?", ""])
    return start + body + ("" if body[-1] in "?!." else g.pick([".", ".", "", "!", ". Thanks!", ". Thank you."]))


def use(g: Source, tool: dict) -> tuple[str, dict]:
    """A prompt that asks for `tool`, and the arguments it implies."""
    args, pieces, shown = {}, [], {}
    for p in tool["params"]:
        if p["kind"] == "unasked" or not p["required"] and g.chance(0.5):
            continue
        if p["kind"] == "enum":
            v = g.pick(p["enum"])
            args[p["name"]] = v
            pieces.append(g.pick([f"with {label(p['name'])} {v}", f"in {v}", f"{label(p['name'])} {v}", f"as {v}", f"({v})"]))
        elif p["kind"] == "flag":
            args[p["name"]] = True
            pieces.append(g.pick([f"and make it {p['name']}", f"with {p['name']} on", f"({p['name']}: true)"]))
        else:
            while (v := slot(g, p["kind"])).shown in shown.values():
                pass
            args[p["name"]], shown[p["name"]] = v.value, v.shown
            ways = NAMED if p["kind"] not in KINDS or g.chance(0.55) or not KINDS[p["kind"]].by else KINDS[p["kind"]].by
            pieces.append(g.pick(ways).replace("{n}", label(p["name"])).replace("{v}", v.shown))
    if "prompts" in tool and all(p["name"] in shown for p in tool["params"] if p["required"]):
        prompt = g.template(tool["prompts"])
        style, body = form(prompt)
        for key, value in shown.items():
            body = body.replace("{#" + key + "}", value)
        if "unit" in args:
            body += g.pick([" in ", " in degrees ", ", in ", " using "]) + args["unit"]
        return spoken(g, style, body, prompt), args
    if "prompts" in tool:
        return use(g, tool)
    style = g.rng.random()
    if style < 0.12:
        values = ", ".join(f"{label(k)}{g.pick([': ', '=', ' '])}{shown.get(k, v if v is not True else 'true')}" for k, v in args.items())
        return phrase(g, "do", g.pick([f"use {tool['name']} with {values}", f"call {tool['name']}: {values}", f"run {tool['name']} for {values}", f"{tool['verb']} {tool['noun']}: {values}"])), args
    verb = g.pick(VERBS[tool["verb"]])
    article = g.pick(["the ", "the ", "a ", "", "my "])
    return phrase(g, "do", f"{verb} {article}{tool['noun']} {' '.join(g.shuffled(pieces))}".strip().replace(" :", ":")), args


RESULT_KEYS = """temperature sky humidity wind price change currency name email status id total count date time city country score rating level message ok result value unit distance duration
balance state owner title stock open closed created updated location phone code weight color speed pressure size plan role age amount rate reference eta queue position""".split()


def result_value(g: Source):
    kind = g.rng.random()
    if kind < 0.35:
        return g.int(-30, 10 ** g.int(1, 5))
    if kind < 0.5:
        return float(g.decimal(3))
    if kind < 0.56:
        return g.chance(0.5)
    return g.pick([lambda: g.word(), lambda: g.city(), lambda: g.full_name(), lambda: g.code(), lambda: f"{g.word()} {g.word()}", lambda: str(dates.some_day(g))])()


def told(value) -> str:
    """A result value in the words of the answer."""
    if isinstance(value, dict):
        return ", ".join(f"{k} {told(v)}" for k, v in value.items())
    if isinstance(value, list):
        return " and ".join(told(v) for v in value)
    return compact(value) if not isinstance(value, str) else value


def outcome(g: Source) -> tuple[str, str]:
    """A tool result and the final answer that quotes it."""
    kind = g.rng.random()
    if kind < 0.2:
        text_ = g.pick([lambda: g.sentence(2, 6), lambda: f"{g.city()}: {g.int(-10, 40)} degrees, {g.word()}", lambda: f"{g.word().capitalize()} {g.code()} {g.word()}.", lambda: str(g.int(1, 99999)), lambda: f"{g.decimal()} {g.word()}", lambda: "ok"])()
        return text_, f"The result is: {text_}" + ("" if text_.endswith(".") else ".")
    keys = [g.part(RESULT_KEYS) if g.chance(0.85) else g.pseudo() for _ in range(g.pick([1, 1, 2] if g.simple else [1, 2, 2, 3, 3, 4]))]
    data = {k: result_value(g) for k in dict.fromkeys(keys)}
    if kind > 0.93:
        data[g.pick(["items", "tags", "names", "values"])] = [result_value(g) if g.chance(0.3) else g.word() for _ in range(g.int(1, 3))]
    elif kind > 0.87:
        data = {g.part(RESULT_KEYS) + "s": data}
    shown = compact(data) if g.chance(0.75) else json.dumps(data, ensure_ascii=False)
    return shown, f"The result is: {told(data)}."


def other_tool(g: Source, tool: dict) -> dict:
    """Often it takes the same kind of value as the given one, so that only the meaning decides between them."""
    if g.chance(0.2):
        return invented(g)
    kinds = [p["kind"] for p in tool["params"] if p["kind"] in TAKERS]
    return special(g, g.pick(TAKERS[g.pick(kinds)]) if kinds and g.chance(0.4) else None)


def echo(g: Source, text_: str) -> dict | None:
    """Perhaps a tool around a noun of the text, though the request is for something else."""
    nouns = [word for word in re.findall(r"[a-z]+", text_) if word in ECHOED]
    tool = invented(g, g.pick(nouns)) if nouns and g.chance(0.35) else None
    return tool if tool and tool["verb"] not in ("calculate", "measure", "convert", "check", "find", "get", "lookup") else None


def clash(a: dict, b: dict) -> bool:
    """Whether one request could mean either tool."""
    if a["name"] == b["name"] or "topic" in a and a["topic"] == b.get("topic"):
        return True
    nouns = lambda t: [] if "topic" in t else t["noun"].lower().split()  # noqa: E731
    seen = lambda t: f"{t['name']} {t['description']}".lower()  # noqa: E731
    return any(noun in seen(b) for noun in nouns(a)) or any(noun in seen(a) for noun in nouns(b))


def toolbox(g: Source, tool: dict) -> list[dict]:
    """One to five declared tools, `tool` among them, no two for the same."""
    tools = [tool]
    for _ in range(g.rng.choices(range(len(TOOL_SHARES)), TOOL_SHARES)[0]):
        other = other_tool(g, tool)
        if not any(clash(other, t) for t in tools):
            tools.append(other)
    return g.shuffled(tools)


def call_thought(g: Source, tool: dict, args: dict) -> str:
    """It names the task first: what a request means is one choice, and which tool is for that another."""
    name, task = tool["name"], tool["task"]
    facts = "; ".join(f"{k} {told(v)}" for k, v in args.items()) or "nothing"
    return think(
        g,
        f"Task: {task}. I will call {name}.",
        f"Task: {task}. I will call {name} with {facts}.",
        f"Task: {task}. The user needs the tool {name}. The arguments are: {facts}. I will call it. I will quote every value.",
    )


def called(g: Source, tools: list[dict]) -> tuple[Conversation, str, str | None]:
    """A request for one of the tools; what follows is as in `uncalled`."""
    tool = g.pick(tools)
    user, args = use(g, tool)
    result, final = outcome(g)
    turns = [Turn(call_thought(g, tool, args), f"functions.{tool['name']}", compact(args), result), Turn("", final=final)]
    return Conversation(user, turns), " ".join(re.findall('"([^"]+)"', user)) if "prompts" in tool else "", None


def uncalled(g: Source, tools: list[dict]) -> tuple[Conversation, str, str | None]:
    """A request for Python or for nobody; the words of it that one more tool may be about; its genre outside."""
    if g.chance(0.42):
        made = g.pick([arithmetic.generate, arithmetic.generate, text.generate, text.generate, dates.generate])(g)
        return made, made.user, None
    while True:
        genre, user = outside.asked(g)
        if not any(outside.might_serve(tool, genre) for tool in tools):
            return outside.declined(g, user, []), user if genre in outside.MAKING else "", genre


def conversations(g: Source, families: list[str]) -> list[Conversation]:
    """One conversation of each family, all with the same tools: `function` calls one of them, `no_tool` none."""
    tools, found = toolbox(g, special(g) if g.chance(0.8) else invented(g)), []
    for family in families:
        conversation, words_, genre = (called if family == "function" else uncalled)(g, tools)
        if not found and len(tools) < 4:
            tool = echo(g, words_)
            if tool and not any(clash(tool, t) for t in tools) and not (genre and outside.might_serve(tool, genre)):
                tools = g.shuffled([*tools, tool])
        found.append(conversation)
    for conversation in found:
        conversation.tools = tools
    return found
