"""More of what people ask that is none of the model's tasks: the same genres and the same form as `outside_requests.py`.

Here the verbs and things of daily life are many, so that a request is known by not being a task rather than by its words.
"""

DAILY_PARTS = {
    "trouble": "rattles|leaks|hums|stinks|wobbles|is stuck|will not open|will not close|makes a strange noise|fell apart|got wet|is covered in mold|keeps falling over|has a crack|lost its shine|drips|smokes|shakes|is too tight|is full of dust|stopped working|turned green|shrank in the wash|feels sticky|came loose|creaks|jams all the time|is bent",
    "tend": "wash|polish|oil|store|sharpen|tune|glue|paint|tidy|wrap|repaint|iron|dry|move|decorate|hide|sell|test|choose|hold|hang up|sand|assemble|take apart|insulate|carry|mend|varnish|pack|inspect|lend|photograph",
    "ache": "hurts|itches|is swollen|feels numb|burns|aches at night|has gone stiff|is bleeding|twitches|tingles",
    "fear": "flying|heights|spiders|exams|the dark|dentists|crowds|lifts|deep water|thunder|needles|strangers|failure|public speeches|dogs",
    "habit": "smoking|biting my nails|snoring|being late|eating sweets|worrying|shouting|shopping too much|staring at my phone|swearing|forgetting names|sleeping in|slouching|procrastinating|interrupting people",
    "text": "memo|notice|obituary|cover letter|recommendation|testimonial|reference|sales pitch|refund request|petition|script|dedication|epilogue|motto|headline|product page|newsletter|diary entry|travel guide|manifesto|crossword clue|menu text|bedtime prayer|greeting|welcome speech|voicemail greeting|disclaimer",
    "style": "in the voice of {who}|in plain words|as if I were five|in a warm tone|for a {j}|with a happy ending|without any jargon|in a formal tone|with some humour|so that {p} likes it|for beginners|in two paragraphs|with a twist",
    "quality": "reliable|dangerous|popular|expensive|safe|healthy|useful|rare|difficult|old fashioned|noisy|durable|fragile|addictive|valuable|overrated|harmful|fashionable|poisonous|edible|waterproof|recyclable|haunted",
    "moment": "in winter|in spring|at night|on Sundays|during the holidays|in the rain|at the weekend|after dark|in my free time|before breakfast|in autumn|on a rainy day|with children|all alone|as a beginner",
    "some": "some|a few|a couple of|several|two|three|four|five|six|a handful of|ten|many",
    "sight": "view|sunset|market|street|garden|kitchen|forest|smell|silence|crowd|old town|rooftop|beach|morning|festival|railway station|harbour",
    "myth": "aliens|vampires|mermaids|unicorns|angels|witches|werewolves|miracles|zombies|fairies|soulmates|trolls|the yeti|magic|telepathy|curses|time machines",
}  # fmt: skip

DAILY = {
    "verse": [
        "do|set {t} to music", "do|hum me a tune about {n}s", "ask|can you freestyle about {C}", "as|Two lines about my {n}, with a rhyme.", "do|dedicate a {verse} to my {kin}",
        "do|recite something by {who}", "ask|how would {who} rhyme about {t}", "do|complete this rhyme: my {n} is {adj}, my {o} is", "as|A {verse} for {p}, {adj} and warm.",
    ],
    "tale": [
        "do|spin a yarn about {a}", "do|let {p} and {p2} discover {a}", "do|describe the {sight} of {C} like a novelist", "do|sketch the {sight} of a city called {C}", "do|give {p} a secret past",
        "do|describe a {adj} {n} so that I can see it", "do|picture {a} in words", "do|narrate a day in the life of a {j}", "ask|how might the tale of {p} and the {n} end", "do|write a scene in a {n} shop",
        "do|portray {p}, the {adj} {j}", "as|A spooky one about {a}, please!", "do|create a character who is a {adj} {j}", "do|dream up a planet full of {n}s", "do|evoke the {sight} of {C} {moment}",
        "do|tell the legend of the {adj} {n}", "do|explain to {p} what a {n} looks like", "do|describe {a} to someone who cannot see",
    ],
    "piece": [
        "do|{write} a {text} about {t}", "do|{write} a {text} for {p}, {style}", "do|{write} a {text} on behalf of {f}", "do|word a {text} for the {n} club", "do|phrase a {text} to the {j}", "do|prepare a {text} about {a}",
        "do|formulate a {text} {style}", "do|jot down {some} thoughts on {t}", "do|help me word a {text}", "as|Need a {text} for my {n} business.", "do|prepare {some} talking points about {t}",
        "do|turn these ideas into a {text}: {n}, {o}, {t}", "do|{write} {some} slogans for a {adj} {n}", "do|advertise my {k}", "do|praise the {adj} {n} in a {text}", "do|pitch {a} to investors",
        "do|put my thoughts on {t} in order", "do|give me {some} headlines about {t}", "do|make a {text} from my notes about {t}", "do|polish the {text} of {p}", "ask|how do I end a {text}",
    ],
    "letter": [
        "do|{write} a {text} to the {j}", "do|{write} a {text} for {p}, who is a {j}", "do|{write} a {text} about my broken {n}", "do|{write} a {text} because my {n} {trouble}", "do|reply to {p} that I cannot come",
        "do|tell {f} that their {n} {trouble}", "do|grumble to {f} about the {adj} {n}", "do|ask {p} out for me", "do|congratulate {p} on the new {n}", "do|console {p}, the {n} is gone",
        "do|answer this email from {f}", "do|wish {p} a good trip to {C}", "do|turn down the offer of {f}", "do|ask my {kin} for the {n} back", "do|thank {P} for the {adj} {n}",
        "as|My {n} {trouble}. Write to {f} for me.", "do|recommend {p} as a {j}", "do|put in a good word for {P}", "do|invite {p} and {p2} to my {party}",
    ],
    "quip": [
        "do|crack a {quip} about my {n}", "do|give me {some} {quip}s", "do|say something witty about {C}", "do|tease {p} a bit", "do|tickle me with words", "ask|what do you call a {adj} {n}", "ask|got any {quip}s about {j}s",
        "ask|which {quip} makes everybody laugh", "as|What is {adj} and looks like a {n}?",
    ],
    "explain": [
        "ask|what are {n}s good for", "ask|what exactly is a {n}", "ask|why do {n}s get {adj}", "ask|where do {n}s come from", "ask|who needs {n}s anyway", "ask|what happens inside a {device}", "ask|are {n}s {quality}", "ask|is a {n} {quality}",
        "ask|can a {n} be {quality}", "ask|why are {n}s so {quality}", "ask|how is a {n} different from a {o}", "ask|which is heavier, a {n} or a {o}", "do|enlighten me about {n}s", "do|give me {some} facts about {n}s",
        "do|give {some} reasons for {t}", "do|sum up {t} {style}", "do|explain {t} {style}", "ask|what do experts think about {t}", "ask|how would you introduce {t} to a {j}", "do|name {some} causes of {t}", "ask|does {t} matter",
        "ask|is it true that {n}s can be {adj}", "ask|what is inside a {n}", "ask|how did people manage without {n}s", "do|show me how {n}s are made",
    ],
    "nature": [
        "ask|are {n}s edible", "ask|do {animal}s get along with {animal2}s", "ask|my {animal} looks ill, why", "as|My {animal} scratches all the time.", "ask|what does it mean when a {animal} is {adj}", "ask|how do I train my {animal}",
        "ask|where can I see wild {animal}s", "ask|what is the lifespan of a {animal}", "ask|is the {animal} endangered", "ask|what happens when {star} gets closer", "ask|how do {animal}s survive {moment}", "ask|why does my {animal} stare at me",
        "ask|which {animal} makes a good pet", "as|A {animal} got into my {n}. Help!", "ask|how do I keep {animal}s out of the {n}",
    ],
    "people": [
        "ask|what made {who} so great", "ask|was {who} {adj}", "ask|whom did {who} love", "ask|which {j} earned the most ever", "ask|who directed the most films", "ask|who holds the record in {sport}", "ask|who was the first {j}",
        "ask|which {j} is the most famous", "ask|has a {j} ever been president of {c}", "ask|what do {j}s do all day", "ask|do {j}s have to study", "ask|what should I ask a {j}", "ask|is {P} a good {j}",
    ],
    "history": [
        "ask|who owned the first {n}", "ask|when did people start to use {n}s", "ask|how was life {moment} in {era}", "ask|what brought {era} to an end", "ask|which king ruled {c} longest", "ask|how did {C} get its name",
        "ask|what is {C} famous for", "do|name {some} events of {year}", "ask|did {n}s exist in {era}", "ask|why was {C} built", "ask|were there {n}s in {c} in {year}", "ask|who won the war of {year}", "ask|who invented the {n}",
    ],
    "opinion": [
        "ask|are {myth} real", "ask|do {myth} exist", "ask|have you ever seen {myth}", "ask|do you believe in {myth}", "ask|is there any proof of {myth}", "ask|could {myth} live in {C}", "ask|would you keep a {n}", "ask|is a {adj} {n} better than a {o}",
        "ask|what is wrong with {n}s", "ask|which one looks better, the {n} or the {o}", "ask|am I {adj}", "ask|is {p} right about {t}", "ask|should I forgive {p}", "ask|should I trust {f}", "ask|which {n} would you choose", "do|rate my {n}",
        "do|name {some} arguments for {t}", "do|convince me that {n}s are {quality}", "ask|which {sport} club deserves to win", "ask|which film deserves a prize", "ask|what is more {quality}, a {n} or a {o}", "do|give me your take on {adj} {n}s",
    ],
    "idea": [
        "ask|why do we dream of {n}s", "ask|is {idea} just a word", "ask|where does {idea} come from", "ask|can money buy {idea}", "ask|do {animal}s know {idea}", "ask|what is left after {idea}", "as|Life is {adj}. Discuss.",
    ],
    "tips": [
        "do|give me {some} ideas for {hobby} {moment}", "do|give me {some} reasons to visit {C}", "do|list {some} uses for a {n}", "do|suggest {some} names for a {adj} {animal}", "do|name {some} good {thing}s", "do|pick a {thing} for tonight",
        "ask|which {thing} got the best reviews", "ask|which {thing} did critics like most", "ask|which {n} lasts longest", "ask|is the {adj} {n} by {f} worth it", "ask|what can I give a {j} who has everything", "ask|where do I find a {adj} {n}",
        "ask|should I rent or buy a {n}", "as|A present for {p}, who loves {n}s?", "ask|what would look good beside my {n}",
        "ask|how do I choose a {n}", "do|find me a {adj} hobby", "do|help me pick a {n}",
    ],
    "advice": [
       
        "ask|how do I {tend} a {n}", "ask|how should I {tend} my {n}", "ask|how often should one {tend} a {n}", "ask|what do I need to {tend} a {n}", "ask|who can {tend} my {n}", "ask|can I {tend} a {n} {moment}", "do|show me how to {tend} a {adj} {n}",
        "ask|is it hard to {tend} a {n}", "ask|what is the right way to {tend} a {n}", "ask|how do I get rid of {n}s", "ask|how do I stop {habit}", "ask|how can I stop {habit}", "do|help me stop {habit}", "as|I want to give up {habit}.",
        "ask|how do I get over {fear}", "as|I am afraid of {fear}.", "ask|how do people overcome {fear}", "ask|how do I calm down {moment}", "do|give me {some} tips on {hobby}", "do|share {some} tricks for {hobby} {moment}",
        "ask|what is a good way to start {hobby}", "ask|what is the {best} way to {skill}", "ask|what's the quickest way to {skill}", "ask|how long until I can {skill}", "ask|where do I learn to {skill}", "ask|should I {skill} {moment}",
        "ask|what do I say to {p} after the {party}", "as|{p} laughed at my {n}. Now I am {feel}.", "ask|what do I do if my {kin} is {feel}", "ask|how do I stay awake {moment}",
        "ask|how do I fall asleep {moment}", "ask|how can I recover from a long flight", "as|The neighbours are loud {moment}.", "ask|do I need a {n} for {hobby}", "ask|which {n} do I need for {hobby}",
        "ask|how do I remove a {n} from a {o}",
    ],
    "trouble": [
        "as|My {n} {trouble}.", "as|My {n} {trouble}. What can I do?", "as|The {n} {trouble}, any idea why?", "as|Our {adj} {n} {trouble}!", "as|Help, the {n} {trouble}.", "ask|why does my {n} make a noise", "ask|my {n} {trouble}, is that normal", "ask|how do I tell {p} that the {n} {trouble}", "ask|can you fix my {n}", "as|I dropped my {n} into the {o}.", "ask|who pays if my {n} {trouble}",
        "as|My {kin} sat on my {n} and now it {trouble}.", "ask|the {adj} {n} {trouble}, can it be saved", "as|Since yesterday the {n} {trouble}.", "ask|what does it mean if a {n} {trouble}", "do|help me, my {n} {trouble}", "ask|how do I fix a {n} that {trouble}",
    ],
    "health": [
        "as|My {body} {ache}.", "ask|my {body} {ache}, should I worry", "ask|why do I get a {ill} {moment}", "ask|what do I do against {fear}", "ask|how do I treat a {ill} {moment}", "ask|is {habit} bad for my {body}",
        "ask|can {n}s cure a {ill}", "ask|are {n}s good for the {body}", "ask|how do I get rid of a {ill}", "as|I swallowed a {n}!", "ask|what is good for the {body}", "ask|how do I keep fit {moment}", "as|{p} fell and the {body} {ache}.",
    ],
    "law": [
        "ask|am I allowed to {tend} a {n} in public", "ask|may I keep {a} on the balcony", "ask|can {p} inherit my {n}", "ask|is {habit} a crime in {c}", "ask|what is the penalty for a stolen {n}",
    ],
    "finance": [
        "ask|is a {adj} {n} a safe investment", "ask|how do I sell {some} {n}s at a profit", "ask|what would a {j} do with {num} dollars", "ask|are {n}s going to be worth more", "do|help me save for {a}", "ask|why is {C} so expensive",
    ],
    "trip": [
        "ask|is {C} nice {moment}", "ask|is {C} fun {moment}", "ask|would you go to {C} {moment}",
        "do|show me around {C}", "do|name {some} sights of {C}", "ask|what is {C} like {moment}", "ask|can one live well in {C}", "ask|is {C} a good place for {hobby}", "ask|what do people wear in {C} {moment}", "ask|how do I get to know people in {C}",
        "ask|is it worth going to {C} {moment}", "ask|what souvenir should I bring from {C}", "ask|do I need a {n} in {C}", "as|{C} {moment}: yes or no?", "do|describe the {sight} in {C}", "ask|which part of {C} is the {best}", "ask|is {c} {quality} for tourists",
    ],
    "kitchen": [
        "ask|how do I season {dish}", "ask|why is my {dish} so {adj}", "as|My {dish} is burnt.", "ask|what is the secret of good {dish}", "ask|can I make {dish} without {n}s", "ask|how long does {dish} keep", "ask|do {n}s belong into {dish}",
        "do|name {some} dishes with {n}s", "ask|how do I peel a {n}", "ask|what do I serve with {dish} {moment}", "as|Guests are coming and I only have {n}s.", "ask|how do I thicken {dish}",
    ],
    "party": [
        "ask|what do I bring to a {party}", "do|suggest {some} songs for a {party}", "ask|how do I decorate a {n} for a {party}", "ask|who should I ask to the {party}", "do|give me a theme for a {party}", "as|The {party} was a disaster.",
    ],
    "code": [
        "ask|why does {tech} complain about my {n}", "do|debug my {n} script", "do|explain this error: {q} not found", "do|set up {tech} on my laptop", "as|My {n} app crashes {moment}.", "ask|which is faster, {tech} or {tech2}", "do|build me an app for {n}s",
    ],
    "translation": [
        "ask|what do they call a {n} in {c}", "do|teach me {some} words of {l}", "ask|how is {l} written", "do|greet {p} in {l}", "ask|where do people speak {l}", "ask|is {q} a {l} word", "do|read this aloud in {l}: {s}",
    ],
    "words": [
        "do|give me {some} words for a {adj} {n}", "ask|is it correct to say {q}", "ask|what do you call someone who sells {n}s", "ask|why is it called a {n}", "do|describe {q} with other words", "ask|what is the difference between {q} and {q2}",
        "ask|what kind of word is {q}", "do|name {some} things that are {adj}", "do|make a pun with {q}",
    ],
    "arts": [
        "ask|who composed {work}", "ask|which film won the biggest prize in {year}", "ask|who played the {j} in {work}", "ask|what inspired {work}", "do|name {some} books about {n}s", "ask|is there a film about {a}", "ask|which singer sold the most records",
        "do|hum the melody of {work}", "ask|how should I hang {work} beside a {n}", "do|teach me to read notes", "ask|how do I tune a {n}", "ask|how do I practise the {n}",
    ],
    "sports": [
        "ask|which club won the cup in {year}", "ask|how do I warm up for {sport}", "ask|what is offside in {sport}", "ask|which shoes do I need for {sport}", "do|name {some} stars of {sport}", "ask|can I play {sport} {moment}", "ask|how long is a game of {sport}",
    ],
    "news": [
        "ask|what did the {j}s decide", "ask|is {p} the new head of {f}", "ask|why is everybody talking about {n}s", "ask|what is going on in {C}", "ask|who resigned today", "do|fill me in on {t}",
    ],
    "absent": [
        "do|paint me {a}", "do|sketch my {n}", "do|show me a photo of {a}", "do|sculpt {a}", "do|film {p} with the {n}", "do|animate {a}", "do|look at this {n}", "ask|is the {n} in the picture {adj}", "do|record a song for {p}",
        "ask|can you hear the {n}", "do|walk the {animal}",
    ],
    "model": [
        "ask|do you like being called {p}", "ask|are you {adj}", "ask|do you eat {n}s", "ask|have you been to {C}", "ask|can you {skill}", "ask|could you {tend} a {n}", "ask|do you get tired of {n}s", "ask|who pays you",
    ],
    "talk": [
        "as|Look at my new {n}!", "as|My {n} is so {adj}.", "as|I dreamed of {a}.", "as|{p} is a {adj} {j}.", "as|I ate {some} {n}s.", "as|What a {adj} {n}!", "as|I hate {n}s.", "as|We are moving to {C}.", "as|The {n} is on the {o}.", "as|{P} says hello.",
        "as|Yesterday my {n} broke.", "as|I have been a {j} for {num} years.", "as|Happy birthday!", "as|Excuse me?", "as|Are you there?", "as|That {n} again...", "as|{n}", "as|{a}", "as|{p}!", "as|{C}?", "as|{n}s and {o}s",
    ],
    "play": [
        "do|hide {a}", "do|pretend my {n} can talk", "do|let me guess a {n}", "do|give me a puzzle about {n}s", "do|be my {j} for a minute", "do|cast a spell on my {n}", "do|bet on a {animal}", "do|sing along with {p}",
    ],
    "near": [
        "ask|does my {n} count as a {o}", "do|reverse the {k} out of the garage", "do|sort my {n}s by how nice they are", "do|replace the {n} in my kitchen", "do|join the {n} club for me",
        "ask|how many {n}s fit into a {o}", "ask|how many {n}s does a {j} need", "ask|what is the average {n} like", "do|divide the {n}s fairly among {p} and {p2}", "ask|when is the {best} day to {tend} a {n}", "ask|which weekday is {quality}",
        "ask|in how many ways can a {n} be {quality}", "do|spell out what you think of {p}", "ask|how old is the oldest {n}", "ask|how high can a {n} jump", "do|take the {n} away", "ask|what is left of {era}", "do|cut the {n} in half", "do|extract the {n} from the {o}",
        "do|convert my {n} into a {o}", "do|turn my {n} into a {adj} {o}", "ask|what is so {adj} about {num}",
    ],
}  # fmt: skip
