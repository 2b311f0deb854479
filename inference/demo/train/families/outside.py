"""Requests outside the model's tasks: it says in one sentence what it can do."""

from families import words
from families.base import Conversation, Source, Turn, phrase, think

ABILITIES = "I can help with arithmetic, text, dates, declared tools, and extracting JSON or XML, but not with that."

REQUESTS = [
    "do|write a poem about {t}", "do|write a short story about {t}", "do|tell me a joke about {t}", "do|tell me a joke", "ask|what do you think about {t}", "ask|what is your opinion on {t}", "do|explain {t}",
    "do|explain {t} to a child", "ask|what is {t}", "ask|who invented {t}", "ask|why is {t} important", "do|write an essay about {t}", "do|summarize the latest news about {t}", "ask|what is the latest news", "do|sing a song about {t}",
    "do|translate 'good {n}' into {l}", "do|translate this sentence into {l}: I like {n}", "ask|how do you say {n} in {l}", "ask|what should I cook with {n}", "do|give me a recipe for {n} soup", "ask|how do I bake {n} bread",
    "ask|what medicine should I take for a headache", "ask|is it dangerous to eat {n}", "ask|what are the symptoms of the flu", "ask|should I see a doctor about my {n}", "do|write a Python function that sorts {n}s", "do|write code for a {n} website",
    "do|fix the bug in my {n} program", "do|write an SQL query for {n}s", "do|implement a linked list in C++", "do|create a React component for {n}", "ask|who is the president of {c}", "ask|what is the capital of {c}", "ask|when did {c} become independent",
    "ask|who won the football match yesterday", "do|recommend a book about {t}", "do|recommend a good movie", "do|suggest a name for my {n}", "do|plan a trip to {c}", "ask|where should I go on holiday in {c}", "ask|what is the meaning of life", "ask|do you love me",
    "ask|are you human", "ask|how are you", "ask|how are you today", "as|Hello", "as|Hi", "as|hi there", "as|Hello!", "as|Good morning", "as|Good evening!", "as|Hey", "as|Thanks", "as|Thank you!", "as|Goodbye", "as|ok", "as|I am bored.", "as|I feel sad today.",
    "as|My name is {p}.", "as|I like {n}.", "as|Nice to meet you.", "ask|what's up", "do|draw a picture of a {n}", "do|generate an image of a {n}", "do|write a love letter to {p}", "do|write a birthday card for {p}", "do|write a cover letter for a {j}", "do|give me advice about {t}",
    "ask|how can I become a {j}", "ask|how do I get better at {t}", "ask|which is better, {n} or {o}", "ask|do you prefer {n} or {o}", "ask|what color is a {n}", "ask|why is the sky blue", "ask|why do {n}s exist", "ask|how does a {n} work", "ask|where can I buy a {n}",
    "ask|who wrote {t}", "do|write a haiku about {t}", "do|write a slogan for a {n} shop", "do|compose a tweet about {t}", "do|describe a {n}", "do|describe {c}", "do|tell me about {t}", "do|tell me about {c}", "do|tell me something interesting", "do|tell me a fun fact about {n}s",
    "ask|should I invest in {n} stocks", "ask|can you predict the future", "ask|what will happen next year", "do|give legal advice about my {n}", "ask|is {c} a nice country", "ask|how do I fix a broken {n}", "do|paraphrase this: the {n} is in the {o}", "do|proofread my text about {t}",
    "do|rewrite this politely: give me the {n}", "do|pretend you are a {j}", "do|play a game with me", "do|act as a {j}", "ask|what is the best {n}", "do|name three kinds of {n}", "ask|what rhymes with {n}", "ask|what does {n} mean", "the|the definition of {n}", "the|the history of {c}",
    "the|the synonyms of {n}", "do|make a shopping list for {n} soup", "do|help me with my homework about {t}", "ask|who are you", "ask|what can you do", "ask|what are you", "do|debate me on {t}", "ask|did humans really land on the moon", "do|analyze the poem about {t}", "do|brainstorm ideas for {t}",
    "do|draft a letter about {t}", "do|draft an apology to {p}", "do|sketch the plot of a film about {t}", "do|make up a story about {p}", "do|invent a hero called {p}", "do|argue against {t}", "do|argue for {t}", "do|list the pros and cons of {t}", "do|suggest a gift for {p}",
    "do|teach me to cook {n}", "do|teach me how to dance", "ask|are {n}s real", "ask|are {n}s dangerous", "ask|is {t} a good idea", "ask|what causes {t}", "ask|how are {n}s made", "ask|how is {n} produced", "ask|what should I wear to a party in {c}", "ask|which {n} should I buy", "ask|which party should I vote for",
    "ask|how was your day", "do|imagine a world without {n}s", "do|review the film about {t}", "do|recommend three songs", "do|give me tips for {t}", "ask|what happened in {c} in the war", "ask|why did {t} end", "do|create a riddle about a {n}", "do|write a toast for {p}", "do|complain about the {n} for me", "do|write dialogue between {p} and a {n}",
    "do|interpret my dream about a {n}", "ask|what are the causes of {t}", "do|cheer me up", "ask|do ghosts exist", "ask|is there life on other planets", "ask|what is your favorite {n}", "do|design a logo for a {n} shop", "ask|how do I learn the {n}", "ask|how long do {n}s live", "do|outline a lecture on {t}", "as|{t}?", "as|I need advice about {t}.",
    "ask|how old is the universe", "ask|can dogs eat {n}s", "ask|what are the rules of chess", "do|write a limerick about {p}", "do|roast my friend {p}", "ask|what's the best phone", "do|motivate me", "do|give me a workout plan", "do|write a speech for {p}'s wedding", "ask|how tall is Mount Everest",
]  # fmt: skip


def generate(g: Source) -> Conversation:
    kind, body = g.template(REQUESTS).split("|", 1)
    noun = g.part(words.NOUNS) if g.chance(0.85) else g.pseudo()
    values = {"t": g.part(words.TOPICS), "n": noun, "o": g.part(words.NOUNS), "l": g.part(words.LANGUAGES), "c": g.part(words.COUNTRIES), "p": g.first_name(), "j": g.part(words.JOBS)}
    for key, value in values.items():
        body = body.replace("{" + key + "}", value)
    thought = think(
        g,
        "This is not one of my tasks.",
        "This is not one of my tasks, so I will say what I can do.",
        "The user asks for something else. No tool fits. I will say what I can do.",
    )
    return Conversation(phrase(g, kind, body), [Turn(thought, final=ABILITIES)])
