"""Greetings, thanks, goodbyes, questions about what the model is and can do, and what it lacks a schema for: one short answer, no calls."""

from families import structured
from families.base import Conversation, Source, Turn, capital, think, wording

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

GREETINGS_WIDE = [
    "<hello|hi|hey|hiya|hullo|howdy|greetings|good day|salutations|hallo|ahoy><,|> <there|everyone|again|my friend|dear assistant|old friend|machine|model|you|all|folks|little model|hi>",
    "<hello|hi|hey|yo|hiya|hullo|heyo|hey ho|hoi|hej|servus|aloha|namaste|ahoy|wassup|sup>",
    "<hi|hey>, <hello|hi|hey> there",
    "<a |><good|rather good|lovely|fine|nice|wonderful|happy|beautiful> <morning|afternoon|evening|day|monday|friday|sunday|weekend><| to you| to you all| everyone>",
    "<hello|hi|hey|good morning|good evening>, <nice|glad|happy|great|lovely|pleased|a pleasure> to <be back|meet you|see you|chat|try this|talk to you|use you|start|have you>",
    "<{p} says|{p} sends|{p} wants to say|I say|we say|I want to say|my friend {p} says|let me say> <hi|hey there|greetings|good morning|good day><| to you>",
    "<hi|greetings|good morning|regards|warm greetings|a big hello|best wishes|love> from <{p}|my friend {p}|{C}|me|all of us|{p} in {C}>",
    "<it is|I am|this is|here is> {p}<, hello|, hi| here| speaking| again|, good morning>",
    "<hello|hi|hey|good morning|good evening>, <I am|my name is|this is|it is|I am called|here is> {p}<| from {C}>",
    "<how are|how are things with|how do> you <today|doing|feeling|feel today|do>",
    "<how's|how is> <it going|life|everything|your day|things|the day>",
    "<hello|hi|hey>, <how are you|how's it going|what's up|how is life|are you there|can you hear me|anybody home|is this on>",
    "<let me|I just want to|I wanted to|just> <greet you|say hi|say hello|wish you a good day|wish you a nice morning>",
    "<long time no see|I am back|here I am|it's me|it's me again|knock knock|are you awake|testing, testing|welcome|welcome back|nice to be here|ready when you are>",
]
THANKS_WIDE = [
    "<thanks|thank you|many thanks|thx|big thanks|huge thanks|a big thank you|thousand thanks> <for everything|for the help|for this|for the answer|for your time|for your work|from {p}|my friend|so very much|indeed|again|for explaining|for the quick answer|a ton|a bunch|a lot|ever so much|loads|to you|from all of us>",
    "<thanks|thank you|thx|many thanks> <a thousand|a thousand times|a lot|so much|very very much|warmly|sincerely|again and again|from my heart|heartily|dearly|indeed>", "<I am|we are|I'm> <grateful|so grateful|thankful|pleased|glad|satisfied><| for that| for this| for your help| to you| indeed|, thanks>",
    "<thanks|thank you>, <that is what I wanted|that was all|that is everything|that is all for now|that's perfect|that's great|very helpful|it works|I am happy now|you are great|I got it|this is enough|good answer|that does it|no more questions|this solves it>",
    "<I am|I'm|we are> <very |so |really |truly |most |> <thankful|obliged|happy with that|pleased with this answer|in your debt><| to you|, thanks|>",
    "<I|we|{p} and I> <thank you|want to thank you|really appreciate this|appreciate that|appreciate your help|would like to say thanks|owe you one|value that>",
    "<perfect|great|lovely|wonderful|super|excellent|ok|okay|all right|awesome|brilliant|fantastic|nice one|splendid>, <thanks|thank you|thx|many thanks|thanks a lot|cheers|much obliged>",
    "<that|this> <helped|was useful|was great|was very kind|is very kind of you|was a good answer|is so nice of you><, thanks|, thank you|>",
    "<how|so|very> <kind|nice|helpful|sweet> of you<, thanks|, thank you|>",
]
FAREWELLS_WIDE = [
    "<bye|goodbye|bye bye|good bye|farewell|cheerio|ciao|adieu|so long|ta-ta|later|adios|tschuess><| now| so long| for today| for good| again| to you|, friend|, {p}|, everyone| and thanks|, model|, have a good day>",
    "<see|catch|meet|talk to|speak to> <you|ya> <later|soon enough|very soon|in a bit|then|on friday|tomorrow|next time|again|around|next week|on monday|another day|in a while|later then>",
    "<I am|I'm> <leaving|off|going|off to bed|done here|logging off|out|going home><| now| for today|, bye|, goodbye>",
    "<good night|sleep well|have a good night|have a nice evening|have a great day|have a good one|enjoy your day|take care|all the best><| then|, bye|, {p}| now>",
    "<I must|I have to|I need to|I should|time to|it is time to> <go|leave|run|stop|sleep|say goodbye|quit><| now| soon|, bye|>",
    "<that was all|that is all|nothing else|no more questions|we are done>, <bye|goodbye|good night|see you>",
]
ABLE_WIDE = [
    "<what|which things|what things|which tasks|which jobs|what kind of things|what sort of tasks|which questions|what else|what exactly|how much> <can|could|do> you <do|help with|answer|solve|manage|offer|work on|support|assist with|help me with|take on|deal with><| for me| for us| here| today| now| all>",
    "<what|which> <is|are> <your|the> <skills|abilities|strengths|features|talents|job|purpose|functions|task|tasks|use|limits|options><| here|>",
    "<what|which things|what kind of questions|which tasks> <can|could|may|should|shall> <I|we|one|{p}|people> <ask|ask you|give you|do with you|use you for|try|expect|bring to you|want from you><| here| today| first|>",
    "<tell me|explain|show me|describe|let me know|list|say|write down|summarize> <what you can do|what you do|your skills|your abilities|how you can help|what you are able to do|what I can ask|what is possible|all you can do|which things you do|what you help with|what you know|your features><| in short| please|>",
    "<how|in what way|in which ways|with what> <can|could|will|would|do> you <help|assist|support|be of use|be useful to> <me|us|{p}|people|a beginner><| today| here|>",
    "<are you|what are you> <good at|useful for|made to do|there for|able to do|capable of|here for|built for|trained to do><| anything| exactly|>",
    "<I am|I'm> <new here|a beginner|lost|not sure what to ask|trying this out>, <what can you do|how can you help|what should I do|help me please|where do I start>",
    "<I need|I could use|I want|give me|please give me|can I get> <some help|help|assistance|an overview|a list of what you do|your help|a hint what to ask><| please| here|>",
    "<what would|what will> you <do|be able to do|offer|solve> <for me|for us|for {p}|for my work|for a friend>",
]
NAMES_WIDE = [
    "<who|what> <are you|is this|am I speaking with|am I chatting with|is answering|is there|is writing this|do I speak to|is behind this|did I reach|are you exactly|are you really>",
    "<what|which> <is your name|are you called|name do you have|name did they give you|do people call you|shall I call you|is the name of this model|do I call you|kind of model are you|model are you|program is this|thing are you|software are you|sort of assistant are you>",
    "<to whom|with whom> <am I talking|am I speaking|do I speak|do I have the pleasure|am I connected>", "<what|which> name do you <have|use|answer to|carry|bear|listen to>", "<under|by> <which|what> name <are you known|can I find you|shall I save you|are you listed>",
    "<how|by what name> <are you called|do people call you|shall I call you|should I address you|may I call you|do you call yourself>",
    "<are|aren't> you <a |really a |maybe a |just a |by chance a |actually a ><human|machine|robot|program|living|thinking> <being|person|thing|one|creature|mind>",
    "<are|aren't> you <a|some> <machine|bot|program|human|person|computer|language model|real human|living person|chatbot|man|woman|ghost>",
    "<are|aren't> you <alive|real|human|artificial|an AI|an assistant|GPT|ChatGPT|Llama|a GPT|conscious|a person or a machine|a small model>",
    "<tell me|say|may I know|can I know|I want to know|do tell me|please say> <who you are|your name|what you are|something about yourself|who I am talking with|which model you are|what you are called>",
    "<who|what company|which people> <built|made|trained|wrote|created|owns|runs|programmed> <you|this|this model>",
    "<how|> <big|small|old|good|smart> are you<| really|>",
    "<introduce|describe|present> yourself<| please| to {p}| briefly| in one sentence>",
    "am I <talking|speaking|chatting|writing> <to|with> a <human|robot|machine|person|computer|bot|real person|program>",
]
FINE_WIDE = [
    "<ok|okay|great|good|nice|cool|fine|perfect|super|lovely|wonderful|right|sure|yes|no|aha|hm|oh|wow|exactly|true|correct><| then| so far|, I see|, got it| to know|, that is right|, understood|, interesting>",
    "<that|this> <is|sounds|looks|seems> <good|right|fine|correct|great|nice|perfect|interesting>",
    "<I|we> <see|understand|agree|believe you|know|like that|like it|get it>",
]

KINDS = [
    ((GREETINGS, GREETINGS_WIDE), f"Hello! {CAN}", "The user greets me. I will greet back."),
    ((THANKS, THANKS_WIDE), "You're welcome! I can help with more if you like.", "The user thanks me."),
    ((FAREWELLS, FAREWELLS_WIDE), "Goodbye!", "The user says goodbye."),
    ((ABLE, ABLE_WIDE), CAN, "The user asks what I can do."),
    ((NAMES, NAMES_WIDE), f"I am the small demo model of Chorale. {CAN}", "The user asks what I am."),
    ((FINE, FINE_WIDE), "Good. What else can I do for you?", "The user agrees."),
]
SHARES = [26, 18, 16, 18, 17, 5]


def talk(g: Source, kind: int) -> Conversation:
    (common, wide), answer, thought = KINDS[kind]
    said = wording(g, common, wide, 0.7)
    said = said.replace("{p}", g.first_name()).replace("{C}", g.city())
    if g.chance(0.6):
        said = capital(said)
    question = said.lower().split()[0] in ("what", "how", "who", "which", "are", "can", "could", "do", "is", "what's", "whats", "how's", "am", "may", "in", "by", "with", "did", "aren't")
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
