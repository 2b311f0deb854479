"""Greetings, thanks, goodbyes, questions about what the model is and can do, and what it lacks a schema for: one short answer, no calls."""

from families import structured
from families.base import Conversation, Source, Turn, capital, think

CAN = "I can help with arithmetic, text, dates, files, documents, declared tools, and extracting JSON or XML."

GREETINGS = """hello|hi|hey|hello there|hi there|hey there|good morning|good afternoon|good evening|good day|greetings|howdy|hiya|hallo|hola|bonjour|ciao|moin|yo|
hello again|hi again|good to see you|nice to meet you|hello, how are you|hi, how are you|how are you|how are you today|how are you doing|hey, how is it going|how is it going|
what's up|hello assistant|hello computer|hi bot|hello chorale|morning|evening|pleased to meet you|hey you|is anybody there|are you there|hello friend|hi, my name is {p}|
I am {p}|my name is {p}|hello, I am {p}|hi, {p} here|this is {p}""".replace("\n", "").split("|")
THANKS = """thanks|thank you|thank you very much|thanks a lot|many thanks|thx|ty|thanks so much|great, thanks|perfect, thank you|that helped, thanks|thank you for your help|
cheers|much appreciated|thanks, that is all|ok thanks|okay, thank you|wonderful, thanks|nice, thank you|merci|danke|gracias|I appreciate it|thanks for that|you helped me a lot|
great job, thanks|good work|well done|that was helpful|thanks again|awesome, thank you|cool, thanks|thanks, {p} here is happy""".replace("\n", "").split("|")
FAREWELLS = """bye|goodbye|bye bye|see you|see you later|good night|see you tomorrow|farewell|take care|until next time|that is all for today|I have to go|talk to you later|
have a nice day|have a good evening|so long|ciao for now|cu|later|I am done for today""".replace("\n", "").split("|")
ABLE = """what can you do|what can you do for me|what are you able to do|how can you help me|what can I ask you|what do you know|help|what are your abilities|what are your skills|
tell me what you can do|what are you good at|what is this|how does this work|what can I do here|show me what you can do|which tasks can you do|what should I ask|
list your abilities|what kind of questions can you answer|what are you for|what do you do|can you help me|could you help me|I need help|how do I use you|what tools do you have|
what is possible here|which things can you help with|what are you made for|give me an overview of what you can do|what are your capabilities|help me|options""".replace("\n", "").split("|")
NAMES = """who are you|what are you|what is your name|are you a robot|are you human|are you a person|are you ChatGPT|which model are you|who made you|what model is this|
are you an AI|tell me about yourself|introduce yourself|do you have a name|what should I call you|how large are you|are you a real person""".replace("\n", "").split("|")
FINE = """ok|okay|good|great|nice|cool|I see|alright|perfect|fine|got it|sounds good|wow|interesting|very good|that is right|correct|yes|no|understood|all right""".replace("\n", "").split("|")

KINDS = [
    (GREETINGS, f"Hello! {CAN}", "The user greets me. I will greet back."),
    (THANKS, "You're welcome! I can help with more if you like.", "The user thanks me."),
    (FAREWELLS, "Goodbye!", "The user says goodbye."),
    (ABLE, CAN, "The user asks what I can do."),
    (NAMES, f"I am the small demo model of Chorale. {CAN}", "The user asks what I am."),
    (FINE, "Good. What else can I do for you?", "The user agrees."),
]
SHARES = [35, 20, 8, 22, 10, 5]


def talk(g: Source, kind: int) -> Conversation:
    ways, answer, thought = KINDS[kind]
    said = g.template(ways).replace("{p}", g.first_name())
    if g.chance(0.6):
        said = capital(said)
    question = said.lower().split()[0] in ("what", "how", "who", "which", "are", "can", "could", "do", "is", "what's", "whats")
    said += g.pick(["?", "?", "?", "", "??"]) if question else g.pick(["", "", "!", ".", "!!", " :)"])
    if kind in (3, 4) and g.chance(0.2):
        said = g.pick(["Hello! ", "Hi, ", "Hey, ", "Hi! "]) + said
    return Conversation(said, [Turn(think(g, "", thought, f"{thought} No tool is needed."), final=answer)])


def without_schema(g: Source) -> Conversation:
    """Extraction that is asked for where the runtime was given no schema."""
    root, _, tell = structured.scene(g)
    form = g.pick(["JSON", "JSON", "XML"])
    user = structured.prompt(g, tell(), root, form)
    while form not in user and "xtract" not in user:
        user = structured.prompt(g, tell(), root, form)
    thought = think(g, "There is no schema.", "There is no schema to fill.", "The user wants data extracted. There is no schema to fill, so I will ask for one.")
    return Conversation(user, [Turn(thought, final="I need a schema for that: a JSON Schema or an XSD.")])


def generate(g: Source) -> Conversation:
    if g.chance(0.15):
        return without_schema(g)
    return talk(g, g.rng.choices(range(len(KINDS)), SHARES)[0])
