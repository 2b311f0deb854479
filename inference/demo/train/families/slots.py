"""Kinds of values that only everyday functions take: rooms, devices, number plates, teams, files and the like."""

from families import words
from families.base import Source
from families.fields import KINDS, Value, of_number, of_text

LISTS = {
    "room": "kitchen|bedroom|bathroom|living room|attic|cellar|hallway|garage|office|nursery|guest room|dining room|study|laundry room|porch|pantry|basement|workshop|library|lobby|sauna|greenhouse|studio|loft|balcony|playroom",
    "device": "fridge|dishwasher|television|radio|heater|fan|washing machine|oven|router|printer|desk lamp|speaker|dryer|humidifier|freezer|toaster|aquarium pump|projector|boiler|air conditioner|kettle|charger|soundbar|monitor",
    "door": "front door|back door|garage|garden gate|cellar door|main entrance|shed|balcony door|side entrance|safe|office|stable|car|letter box|barn|locker",
    "genre": "jazz|rock|techno|folk|blues|opera|hip hop|reggae|metal|swing|salsa|country|soul|funk|punk|ambient|gospel|house|disco|samba|flamenco|indie",
    "subject": "biology|algebra|history|chemistry|geography|physics|Latin|art|music|economics|philosophy|statistics|geometry|literature|astronomy|robotics|drama|civics|pottery|law|ethics|logic",
    "animal": "fox|stork|wolf|heron|badger|kingfisher|lynx|toad|hedgehog|otter|owl|beaver|salmon|bat|deer|crane|viper|eagle|squirrel|boar|hare|adder|swallow|newt",
    "plant": "basil|fern|cactus|orchid|rose|ivy|aloe|tulip|bonsai|lavender|mint|palm|lily|jasmine|thyme|fig tree|begonia|bamboo|sunflower|rhubarb|olive tree|peony",
    "crop": "wheat|potatoes|barley|corn|apples|grapes|carrots|onions|rye|beans|cabbage|hay|olives|rice|hops|pumpkins|cherries|spinach|oats|leeks|tomatoes|peas",
    "dish": "lasagna|goulash|pad thai|risotto|pancakes|borscht|paella|ramen|chili|falafel|moussaka|pho|gnocchi|curry|tiramisu|ceviche|couscous|dumplings|shakshuka|ratatouille|biryani|quiche",
    "cuisine": "Thai|Italian|Greek|Mexican|Indian|Lebanese|Korean|Ethiopian|vegan|French|Japanese|Turkish|Spanish|Vietnamese|Persian|Peruvian|Georgian|Polish|vegetarian|kosher|halal|Cuban",
    "sport": "swimming|running|rowing|cycling|boxing|yoga|climbing|skiing|dancing|hiking|tennis|squash|judo|sailing|fencing|skating|karate|surfing|badminton|pilates|jogging|weightlifting",
    "medicine": "ibuprofen|aspirin|insulin|penicillin|metformin|paracetamol|cortisone|codeine|lithium|warfarin|amoxicillin|ramipril|cetirizine|omeprazole|diazepam|statins|thyroxine|heparin",
    "planet": "Mars|Venus|Jupiter|Saturn|Neptune|Mercury|Uranus|Pluto|Titan|Europa|Ganymede|Io|Callisto|Ceres|Triton|Eris|Vega|Sirius",
    "unit": "kilometers|miles|meters|feet|inches|centimeters|yards|kilograms|pounds|ounces|grams|liters|gallons|pints|cups|milliliters|hectares|acres|knots|joules|calories|celsius|fahrenheit|kelvin|bar|watts|horsepower|hours|seconds|weeks|bytes|megabytes|gigabytes|degrees|radians|tons|fathoms",
    "project": "Apollo|website relaunch|Bluebird|migration|Phoenix|mobile app|audit|rebranding|Atlas|onboarding|Lighthouse|data lake|Falcon|spring campaign|Mercury|office move|Horizon|intranet",
    "reason": "it is too small|it arrived broken|wrong color|it does not fit|I changed my mind|it makes noise|missing parts|it came too late|a double order|it smells|the zip is stuck|poor quality|wrong size|it leaks",
}  # fmt: skip


def _listed(name: str):
    options = LISTS[name].split("|")
    return "string", of_text(lambda g: g.part(options) if g.chance(0.65) else g.pseudo() if g.chance(0.7) else f"{g.part(words.ADJECTIVES)} {g.part(options)}")


def _plate(g: Source) -> str:
    letters = lambda n: "".join(g.pick("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(n))  # noqa: E731
    return g.pick([f"{letters(2)}-{letters(2)} {g.int(1, 9999)}", f"{letters(3)} {g.int(100, 999)}", f"{letters(2)}{g.int(10, 99)} {letters(3)}", f"{g.int(1, 99)}-{letters(2)}-{g.int(10, 99)}"])


def _team(g: Source) -> str:
    city = g.city()
    return g.pick([city, f"{city} United", f"FC {city}", f"{city} {g.part(words.NOUNS).capitalize()}s", f"{g.pseudo().capitalize()} {g.part(words.NOUNS).capitalize()}s"])


def _file(g: Source) -> str:
    return g.word().lower() + g.pick(["", "_final", f"_{g.int(1, 30)}", f"-{g.pseudo()}"]) + g.pick([".pdf", ".docx", ".txt", ".xlsx", ".png", ".csv", ".zip", ".md"])


def _service(g: Source) -> str:
    word = g.part(words.NOUNS) if g.chance(0.5) else g.pseudo()
    return word + g.pick(["", "-api", "-service", "-worker", "-web", "-db", f"-{g.int(1, 30)}", f"{g.int(1, 30):02}"])


def _plain(g: Source) -> str:
    return g.listed_or_like(words.NOUNS, "noun")


def _switch(g: Source) -> Value:
    on = g.chance(0.5)
    return Value("on" if on else "off", on)


SLOTS = {name: (kind.type, kind.make) for name, kind in KINDS.items()} | {name: _listed(name) for name in LISTS} | {
    "plain": ("string", of_text(_plain)),
    "symbol": ("string", of_text(lambda g: "".join(g.pick("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(g.int(2, 5))))),
    "plate": ("string", of_text(_plate)),
    "team": ("string", of_text(_team)),
    "file": ("string", of_text(_file)),
    "service": ("string", of_text(_service)),
    "branch": ("string", of_text(lambda g: g.pick(["feature/", "fix/", "release/", ""]) + _plain(g))),
    "flight": ("string", of_text(lambda g: f"{g.pick('ABEKLQSTU')}{g.pick('ABFHKLRSXZ')}{g.pick(['', ' '])}{g.int(10, 9999)}")),
    "seat": ("string", of_text(lambda g: f"{g.int(1, 45)}{g.pick('ABCDEF')}")),
    "version": ("string", of_text(lambda g: f"{g.pick(['', 'v'])}{g.int(0, 12)}.{g.int(0, 30)}" + g.pick(["", f".{g.int(0, 20)}"]))),
    "user": ("string", of_text(lambda g: g.pick([g.first_name().lower(), g.pseudo()]) + g.pick(["", str(g.int(1, 99)), f"_{g.pseudo()}"]))),
    "shop": ("string", of_text(lambda g: g.part(words.COMPANIES) if g.chance(0.4) else f"{g.pick(['', 'The '])}{g.part(words.ADJECTIVES).capitalize()} {g.part(words.NOUNS).capitalize()}" if g.chance(0.5) else g.pseudo().capitalize())),
    "few": ("integer", of_number(lambda g: g.int(2, 12))),
    "minutes": ("integer", of_number(lambda g: g.int(1, 99) if g.chance(0.8) else g.int(100, 600))),
    "percent": ("integer", of_number(lambda g: g.int(1, 100))),
    "degrees": ("integer", of_number(lambda g: g.int(10, 30) if g.chance(0.6) else g.int(31, 260))),
    "year": ("integer", of_number(lambda g: g.int(1990, 2035))),
    "money": ("number", of_number(lambda g: g.int(1, 10 ** g.int(2, 5)) if g.chance(0.6) else float(g.decimal(3)))),
    "switch": ("boolean", _switch),
}  # fmt: skip


def slot(g: Source, kind: str) -> Value:
    """A value of the kind; `enum:a,b` is one of the options."""
    if kind.startswith("enum:"):
        option = g.pick(kind[5:].split(","))
        return Value(option, option)
    return SLOTS[kind][1](g)


def shape(kind: str) -> dict:
    """The JSON Schema part of the kind's parameter."""
    if kind.startswith("enum:"):
        return {"type": "string", "enum": kind[5:].split(",")}
    return {"type": SLOTS[kind][0]}
