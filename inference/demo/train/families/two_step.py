"""Two calls in a row: a number from a function goes into Python, the same function for two values, one function's result into another."""

from families import functions
from families.arithmetic import VERBS, run
from families.base import Conversation, Source, Turn, capital, compact, think
from families.request_form import kind

NUMBERS = [
    kind("count_guests guest_count get_guests hotel_guests", "Guests of the hotels of a city.|How many people stay.", {"a": "city city town location where"}, "how many guests stay in {a}|how many people are in the hotels of {a}|the number of guests in {a}"),
    kind("get_budget budget_of project_budget money_left", "Budget of a project.|Money that a project has.", {"a": "project project name project_name title"}, "what is the budget of {a}|how much money does {a} have|the budget of {a}"),
    kind("volume_of get_volume box_volume litres", "Volume of one piece.|How much room one piece takes.", {"a": "plain item product thing box"}, "what volume does one {a} have|the volume of a {a}|how many litres does the {a} take"),
    kind("get_price unit_price price_of article_price", "Price of one piece.|What an article costs.", {"a": "plain article item product name"}, "what does one {a} cost|the price of a {a}|how much is the {a}"),
    kind("stock_level in_stock inventory get_stock", "Pieces in the store.|How many are in stock.", {"a": "plain article item product thing"}, "how many {a} are in stock|the stock of {a}|how many pieces of {a} do we have"),
    kind("population get_population count_people inhabitants", "Inhabitants of a city.|Population of a place.", {"a": "city city place town name"}, "how many people live in {a}|the population of {a}|how many inhabitants does {a} have"),
    kind("distance_to get_distance distance road_distance", "Distance to a city in km.|How far a place is.", {"a": "city city destination place to"}, "how far is {a}|the distance to {a}|how many km is it to {a}"),
    kind("get_salary salary_of monthly_pay wage", "Monthly salary of a person.|What somebody earns a month.", {"a": "person name person employee full_name"}, "what does {a} earn a month|the salary of {a}|how much is {a} paid"),
    kind("get_score points_of player_score score", "Points of a player.|Score of a person.", {"a": "person name player person user"}, "how many points does {a} have|the score of {a}|what did {a} score"),
    kind("page_count book_pages pages_of get_pages", "Pages of a book.|Length of a book.", {"a": "title title book name"}, 'how many pages does "{a}" have|the number of pages of "{a}"|how long is the book "{a}"'),
    kind("get_temperature temperature current_temperature degrees", "Temperature at a place.|Current temperature.", {"a": "city city place location town"}, "what is the temperature in {a}|how warm is it in {a}|the temperature in {a}"),
    kind("seat_count capacity_of hall_seats get_capacity", "Seats of a hall.|How many people fit in.", {"a": "plain hall room name place"}, "how many seats does the {a} hall have|the capacity of the {a} hall|how many fit into the {a} hall"),
]  # fmt: skip

THEN = {
    "{r} * {n}": "then multiply it by {n}|then multiply that by {n}|and multiply it by {n}|and tell me what {n} times that is|and compute {n} times that|and then take it times {n}|what is {n} times as much|and multiply the result by {n}|and give me {n} times the number|then times {n}|and work out what {n} of them make|look it up and multiply by {n}".split("|"),
    "{r} + {n}": "then add {n}|and add {n} to it|then add {n} to that|and tell me what it is with {n} more|and compute the sum with {n}|what is it plus {n}|and put {n} on top|and increase it by {n}|then plus {n}".split("|"),
    "{r} - {n}": "then subtract {n}|and subtract {n} from it|then take away {n}|and tell me what is left after {n}|what remains after {n}|and take {n} off|and reduce it by {n}|then minus {n}|and what is it without {n}".split("|"),
    "{r} / {n}": "then divide it by {n}|and divide that by {n}|and split it among {n}|what is it for each of {n}|and tell me what one of {n} gets|then share it by {n}".split("|"),
    "{r} * {n} / 100": "and tell me {n}% of it|then take {n} percent of that|and compute {n}% of the number|what is {n} percent of it".split("|"),
}  # fmt: skip
MIXED = [
    ("{r} * {n}", "{q} for {n} of them"), ("{r} * {n}", "what do {n} pieces come to if one is what you find for {a}"), ("{r} * {n}", "take {n} times {q}"), ("{r} * {n}", "multiply {q} by {n}"), ("{r} * {n}", "what is {n} times {q}"), ("{r} * {n}", "{n} times {q}"),
    ("{r} + {n}", "add {n} to {q}"), ("{r} + {n}", "what is {q} plus {n}"), ("{r} + {n}", "{q} and {n} more, what is that"), ("{r} - {n}", "subtract {n} from {q}"), ("{r} - {n}", "what is left of {q} after {n}"), ("{r} - {n}", "what is {q} minus {n}"), ("{r} - {n}", "what remains of {q} when {n} are gone"),
    ("{r} / {n}", "divide {q} by {n}"), ("{r} / {n}", "split {q} among {n} people"), ("{r} / {n}", "what is {q} divided by {n}"), ("{r} * {n} / 100", "{n}% of {q}"), ("{r} * {n} / 100", "what is {n} percent of {q}"),
]  # fmt: skip
STORIES = {
    "volume_of": [("{r} * {n}", "how much room do {n} {a}s take"), ("{r} * {n}", "what volume have {n} {a}s together"), ("{r} * {n}", "see what room one {a} takes and work it out for {n}")],
    "get_price": [("{r} * {n}", "what do {n} {a}s cost"), ("{r} * {n}", "I want to buy {n} {a}s. What do I pay"), ("{r} * {n}", "look up the price of the {a} and compute it for {n}")],
    "get_budget": [("{r} - {n}", "what is left for {a} once {n} is spent"), ("{r} + {n}", "what has {a} got after a gift of {n}"), ("{r} - {n}", "if {a} pays {n}, what is left")],
    "get_salary": [("{r} * {n}", "what does {a} earn in {n} months"), ("{r} * 12", "what does {a} earn in a year")],
    "stock_level": [("{r} - {n}", "how many {a} are left if we sell {n}"), ("{r} + {n}", "how many {a} do we have if {n} arrive")],
    "seat_count": [("{r} - {n}", "how many seats of the {a} hall are free if {n} people come")],
    "distance_to": [("{r} * 2", "how far is it to {a} and back"), ("{r} * {n}", "how many km are {n} trips to {a}"), ("{r} / {n}", "how many hours to {a} at {n} km an hour")],
    "count_guests": [("{r} / {n}", "how many guests in {a} for each of {n} hotels")],
    "population": [("{r} / {n}", "one in {n} people in {a} has a car. How many cars is that")],
    "page_count": [("{r} / {n}", 'how many days for "{a}" at {n} pages a day')],
}  # fmt: skip
AND = [" and then ", ", then ", ". Then ", " and ", ". After that, ", "? ", "? Then ", " - "]


def _asked(g: Source, args: dict, request) -> tuple[str, str]:
    """A prompt and the form of the sum, `{r}` for what the function gives and `{n}` for the number."""
    value = str(next(iter(args.values())))
    stories = STORIES.get(request.names[0], [])
    asked = g.pick(request.prompts).replace("{a}", value)
    style = g.rng.random()
    if stories and style < 0.3:
        form, body = g.pick(stories)
        return form, body.replace("{a}", value)
    if style < 0.6:
        form, body = g.template(MIXED)
        noun = g.pick([p for p in request.prompts if p.startswith("the ")] or request.prompts).replace("{a}", value)
        return form, body.replace("{q}", noun).replace("{a}", value)
    form = g.pick(list(THEN)[:3]) if g.chance(0.75) else g.pick(list(THEN))
    start = g.pick(["look up ", "find ", "get ", "check ", "tell me ", ""]) + asked if asked.startswith("the ") else g.pick(["", "", "find out ", "look up "]) + asked
    then = g.template(THEN[form])
    if then.startswith(("and ", "then ")):
        return form, start + (" " if then.startswith("and") else g.pick([", ", " and ", ". "])) + then
    return form, start + g.pick(["? ", ", ", " and "]) + then


def into_python(g: Source, tool: dict, request) -> Conversation:
    if request:
        args = {p["name"]: functions.slot(g, p["kind"]).value for p in tool["params"] if p["required"]}
        form, body = _asked(g, args, request)
    else:
        user, args = functions.use(g, tool)
        form = g.pick(list(THEN)[:4])
        body = user.rstrip(".?! ") + g.pick(AND) + g.template(THEN[form]).removeprefix("and ").removeprefix("then ")
    key = g.part(functions.RESULT_KEYS) if g.chance(0.6) else g.pick([functions.label(tool["name"]).split()[-1], "value", "result", "number", g.pseudo().lower()])
    value: int | float = g.int(2, 10 ** g.int(1, 5)) if g.chance(0.88) else float(g.decimal(2))
    n = str(g.int(2, 99) if g.chance(0.6) else g.int(100, 999))
    data = {key: value}
    if g.chance(0.2):
        data |= {g.part(functions.RESULT_KEYS): g.word()}
    value = data[key]
    result = compact(data) if g.chance(0.8) or not isinstance(value, int | float) else str(value)
    if not isinstance(value, int | float):
        return into_python(g, tool, request)
    expression = form.replace("{r}", str(value)).replace("{n}", n)
    code, printed = run(expression)
    body = body.replace("{n}", n)
    user = (capital(body) if g.chance(0.8) else body) + ("" if body[-1] in ".?!" else g.pick(["?", "?", ".", ""]))
    verbs = " and ".join(VERBS[part] for part in form.split() if part in VERBS)
    first = Turn(functions.call_thought(g, tool, args), f"functions.{tool['name']}", compact(args), result)
    shown = key if result.startswith("{") else "result"
    thought = think(g, f"Now I {verbs}: {expression}.", f"The {shown} is {value}. Now I {verbs}: {expression}. I will use Python.", f"The function gave the {shown} {value}. The second step is to {verbs}: {expression}. I will run it with Python.")
    return Conversation(user, [first, Turn(thought, "python", code, printed), Turn("", final=f"{expression} = {printed}.")])


def twice(g: Source, tool: dict) -> Conversation:
    """One question about two values: the function is called for each."""
    key = next(p["name"] for p in tool["params"] if p["kind"] not in ("unasked", "enum"))
    while True:
        user, args = functions.use(g, tool)
        one, other = args[key], functions.use(g, tool)[1][key]
        if one != other and isinstance(one, str) and user.count(one) == 1:
            break
    if g.chance(0.7):
        user = user.replace(one, f"{one}{g.pick([' and ', ' and ', ' and in ', ', and ', ' and also '])}{other}")
    else:
        user = user.rstrip("?.! ") + g.pick([f" and {other}?", f", and {other}?", f"? And {other}?", f". The same for {other}."])
    name = f"functions.{tool['name']}"
    (result, final), (second_result, second_final) = functions.outcome(g), functions.outcome(g)
    first = Turn(functions.call_thought(g, tool, {key: one}), name, compact({key: one}), result)
    thought = think(g, f"Next: {other}.", f"Next: I will call {tool['name']} with {key} {other}.", f"That was the first. Next: I will call {tool['name']} with {key} {other}.")
    second = Turn(thought, name, compact({key: other}), second_result)
    told = [text.removeprefix("The result is: ").rstrip(".") for text in (final, second_final)]
    return Conversation(user, [first, second, Turn("", final=f"{one}: {told[0]}. {other}: {told[1]}.")])


THINGS = "order ticket customer user parcel booking account patient student contract vehicle project device member".split()
WANTED = "status address price owner date contact location grade balance history plan phone".split()


def pair_of_tools(g: Source) -> tuple[dict, dict]:
    """A function that finds the number of something, and one that says more about that number."""
    thing, wanted, by = g.pick(THINGS), g.pick(WANTED), g.pick(["name", "person", "full_name", "customer_name"])
    key = g.pick([f"{thing}_id", f"{thing}_number", "id", "number", "code"])
    finder = {"name": g.pick([f"find_{thing}", f"lookup_{thing}", f"{thing}_of", f"get_{thing}_id", f"search_{thing}"]), "description": g.pick([f"Finds the {thing} of a person.", f"Gives the {thing} number for a name."]), "params": [{"name": by, "kind": "person", "type": "string", "required": True}], "task": thing, "noun": thing}
    getter = {"name": g.pick([f"get_{wanted}", f"{thing}_{wanted}", f"show_{wanted}", f"{wanted}_by_id", f"{wanted}_of"]), "description": g.pick([f"Gives the {wanted} of a {thing}.", f"{capital(wanted)} by {thing} number."]), "params": [{"name": key, "kind": "code", "type": "string", "required": True}], "task": wanted, "noun": wanted}
    return finder, getter


def chained(g: Source, finder: dict, getter: dict) -> Conversation:
    """What the first function answers is an argument of the second."""
    thing, wanted, person, code = finder["noun"], getter["noun"], g.full_name(), g.code()
    by, key = finder["params"][0]["name"], getter["params"][0]["name"]
    user = g.pick([f"Find the {thing} of {person} and tell me its {wanted}.", f"What is the {wanted} of the {thing} of {person}?", f"Look up the {thing} of {person}, then get the {wanted}.", f"I need the {wanted} of {person}'s {thing}.", f"Which {wanted} does the {thing} of {person} have?", f"Get the {thing} of {person} and its {wanted}, please."])
    value = functions.result_value(g)
    first = Turn(functions.call_thought(g, finder, {by: person}), f"functions.{finder['name']}", compact({by: person}), compact({key: code}) if g.chance(0.8) else code)
    thought = think(g, f"Next: {code}.", f"Next: I will call {getter['name']} with {key} {code}.", f"The {thing} is {code}. Next: I will call {getter['name']} with {key} {code}.")
    then = Turn(thought, f"functions.{getter['name']}", compact({key: code}), compact({wanted: value}))
    return Conversation(user, [first, then, Turn("", final=f"The result is: {functions.told({wanted: value})}.")])


def conversations(g: Source, count: int) -> list[Conversation]:
    """Conversations with the same functions; in a few of them one call is enough."""
    kind_, found = g.rng.random(), []
    if kind_ < 0.2:
        tools = list(pair_of_tools(g))
        found = [chained(g, *tools) for _ in range(count)]
    else:
        request = g.pick(NUMBERS) if kind_ < 0.7 else None
        tool = functions.special(g, request) if request or g.chance(0.6) else functions.invented(g)
        tools = [tool]
        asked = [p for p in tool["params"] if p["kind"] != "unasked"]
        doubles = "prompts" in tool and len(asked) == 1 and asked[0]["type"] == "string" and asked[0]["kind"] != "enum"
        for _ in range(count):
            way = g.rng.random()
            if way < 0.12:
                found.append(functions.called(g, tools)[0])
            elif doubles and way < 0.45:
                found.append(twice(g, tool))
            else:
                found.append(into_python(g, tool, request))
    for _ in range(g.pick([0, 0, 1, 1, 2])):
        other = functions.special(g)
        if not any(functions.clash(other, t) for t in tools):
            tools = [*tools, other]
    tools = g.shuffled(tools)
    for conversation in found:
        conversation.tools = tools
    return found
