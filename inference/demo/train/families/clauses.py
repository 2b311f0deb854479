"""Sentences about the happenings of `scenes.py`, put together from what can be said of each value: in front of the subject,
beside it, or by a verb. So a value stands in any place and after any other one.

A voice begins with the record's first name and its subjects. Each further line is `slot; in front | …; beside | …; verb | …`.
What the subject names is not said again.
"""

import re
from dataclasses import dataclass

from families.base import Source, capital

VOICES = """
= person {who}
age; At {}|At the age of {}|Only {} years old|With {} candles on the cake|Turning {} this week|Already {}|After {} years of life|Not older than {}; , {},|, aged {},| ({})|, {} years old,|, now {},|, who is {},; is {}|is {} years old|turned {}|has reached {} years|will be {} soon|looks younger than {}
city; In {}|Here in {}|From {}|At home in {}|Near {}|Back in {}|Just outside {}|In the streets of {}; of {}| from {}| in {}|, {},| ({})|, born in {},|, who lives in {},; lives in {}|comes from {}|has a house in {}|moved to {}|is known all over {}|pays taxes in {}|grew up in {}
job; As a {}|Like any {}|Trained as a {}|A {} by trade|Proud to be a {}|Tired of being a {}|A {} since school; , a {},|, the {},| ({})|, {},|, a {} by trade,|, who is a {},; is a {}|works as a {}|earns a living as a {}|was trained as a {}|wants to stay a {}|became a {}
= company {firm}
city; In {}|From {}|Here in {}|Based in {}|At home in {}|In the middle of {}|Just outside {}; of {}| in {}| from {}| ({})|, {},|, a firm of {},|, with its seat in {},; is based in {}|has its seat in {}|works from {}|sits in {}|rents a hall in {}|belongs to {}
many; With {} employees|With a staff of {}|With {} workers|With {} people on the payroll|Employing {} people|Thanks to its {} employees|Counting {} employees|With only {} hands|{} people strong|Having hired {} people|Despite its {} employees|With as many as {} jobs; , {} employees,| ({} employees)|, {} people strong,|, with {} workers,|, a team of {},|, which employs {},; employs {}|has {} employees|has a staff of {}|gives work to {} people|counts {} workers|keeps {} people busy|grew to {} employees|pays {} people
year; Founded in {}|Since {}|Established in {}|Opened in {}|In business since {}|Begun in {}|Born in {}|Started back in {}|A child of the year {}; , founded {},|, founded in {},| (since {})|, established {},|, opened in {},|, begun in {},; was founded in {}|was set up in {}|opened in {}|has existed since {}|goes back to {}|began in {}|has been at work since {}|has paid wages since {}|celebrates {} as its first year
= product A {thing}|The {thing}|Our {thing}|{thing}|One {thing}|This {thing}|A {tint} {thing}|The {tint} {thing}|Our {tint} {thing}|{tint} {thing}|That {tint} {thing}
tint; In {}|Painted {}|All in {}|Coloured {}|Finished in {}; in {}|, {},| ({})|, painted {},|, all {},; is {}|comes in {}|shines in {}|is painted {}|was made in {}
money; For {}|At {}|For only {}|Priced at {}|At a price of {}|Reduced to {}; for {}| at {}| ({})|, {},|, priced at {},; costs {}|sells for {}|goes for {}|is yours for {}|can be had for {}|is priced at {}
many; With {} in stock|With {} left|Kept in stock {} times|With {} pieces on the shelf|After counting {} of them; , {} in stock,| ({} left)|, {} pieces,|, of which we have {},; is in stock {} times|is left {} times|fills the shelf, {} of them|is there, {} pieces|waits for buyers, {} in all
= trip {who}
city; From {}|Out of {}|Leaving {}|Starting in {}|Tired of {}|At the station of {}; from {}| of {}|, starting in {},|, still in {},; leaves {}|starts in {}|gets on in {}|says goodbye to {}|sets out from {}
city2; To {}|Into {}|Bound for {}|Towards {}|On the way to {}|For a weekend in {}|To get to {}; , bound for {},|, on the way to {},; goes to {}|travels to {}|wants to see {}|gets off in {}|has tickets to {}|is going to {}|arrives in {}
few; With {} tickets|With {} people|For {} people|In a group of {}|With {} seats|For a party of {}|With {} places; with {} people|, one of {},|, a group of {},| and company ({}); takes {} seats|needs {} places|paid for {}|bought {} tickets|has {} seats|brings {} people|books {} berths|keeps {} places
= trip A trip|The trip|A journey|The ride|A tour|A ticket|The crossing|A flight|This bus ride|Our boat|A cruise|The night train
city; From {}|Out of {}|Starting in {}; from {}| out of {}|, from {},|, which begins in {},; begins in {}|starts in {}|leaves {}|departs from {}
city2; To {}|Bound for {}|Towards {}|Into {}; to {}| into {}| bound for {}| towards {}|, destination {},; ends in {}|goes to {}|leads to {}|arrives in {}
who; For {}|On behalf of {}|As ordered by {}|In the name of {}|As {} wished|At the wish of {}; by {}| of {}| for {}| with {}|, paid by {},|, the idea of {},; was booked by {}|was paid by {}|was ordered by {}|is for {}|was a gift to {}|was planned by {}|was wanted by {}|was cancelled by {}
few; For {} people|With {} people|For a group of {}; for {}| for {} people| with {} seats|, {} persons,| ({} persons); is for {} people|has {} seats taken|takes {} people|was for {} friends|counts {} guests|is good for {}
= invoice Invoice|Bill|The invoice|Our bill|The bill|Receipt|Number|Account|Statement|Reference|Document|Paper|File|Claim|Order
code; ; {}| {}| {}| no. {}| {},| number {}| #{}| with the number {}; has the number {}|carries the number {}|is filed under {}
who; For {}|Sent to {}|For our customer {}|As {} knows|Regarding {}; for {}| to {}| of {}| ({})|, {},|, sent to {},|, which {} got,; went to {}|is for {}|was sent to {}|names {}|was written for {}
money; Over {}|At {}|With a total of {}|Amounting to {}|For {}; over {}| of {}| for {}| at {}| ({})|, {},|, a total of {},; is over {}|amounts to {}|comes to {}|asks for {}|has a total of {}|says {}
paid; ; ; {}|{}|{}
= invoice {who}
code; Under {}|Because of {}|For bill {}|On invoice {}|With {}|Regarding {}; ({})|, {},|, bill {},; got {}|received {}|has the bill {}|asked about {}|was sent {}
money; For {}|With {} on the bill|At {}|Billed {}; ({})|, {},; owes {}|was charged {}|was billed {}|has a bill of {}
paid; ; ; got a bill that {}|has an invoice that {}
= report A {thing}|The {thing}|One {thing}|This {thing}|A {look} {thing}|The {look} {thing}|One {look} {thing}|My {look} {thing}|That {look} {thing}|Somebody's {look} {thing}|A rather {look} {thing}
look; ; , a {} one,| ({})|, {},|, rather {},; is {}|looks {}|is described as {}|is of a {} kind
city; In {}|Near {}|At the station of {}|In a park of {}|On a bench in {}|On the road to {}|Somewhere in {}; in {}| from {}| of {}|, {},|, seen in {},; was found in {}|turned up in {}|was lost in {}|was left in {}|was stolen in {}|lay on a street of {}|disappeared in {}|was handed in at {}
date; On {}|Since {}|Late on {}|In the night of {}|On the morning of {}|Before noon on {}; , {},| ({})|, on {},; was seen on {}|was noted on {}|has been missing since {}|came to us on {}|was gone on {}
= score {who}
many; With {} points|With {} goals|After {} points|At {} points|For {} points|On {} points|Thanks to {} points|{} points ahead; , {} points,| ({})| with {} points|, with {},; scored {} points|made {} points|scored {} goals|reached {}|got {} points|took {} points|ended on {}|collected {} points|finished with {}|scored {}
city; In {}|At {}|In the hall of {}|On the field of {}|Before the crowd of {}|At the cup of {}|In the match at {}|Playing in {}; in {}| at {}| ({})|, {},|, who played in {},; played in {}|won in {}|was the best in {}|lost in {}|reached the final in {}|appeared at {}|scored in the final of {}
= event {title}
city; In {}|Here in {}|At {}|In the old town of {}; in {}| of {}|, {},| ({}); takes place in {}|comes to {}|is held in {}|can be seen in {}|opens in {}
date; On {}|Save the day: {}|As from {}|The evening of {}; on {}|, {},| ({}); is on {}|starts on {}|was set for {}|falls on {}
time; At {}|From {}|As early as {}|After {}; at {}| ({})|, {},; begins at {}|starts at {}|opens its doors at {}|is planned for {}
= reservation {who}
few; For {} nights|With {} nights|After {} nights|Over {} nights; , {} nights,| ({} nights)|, here for {} nights,; stays {} nights|sleeps {} nights|booked {} nights|pays for {} nights|wants a room for {} nights
date; From {}|On {}|As from {}|Starting {}|From {} on; , from {},| ({})|, due on {},; arrives on {}|checks in on {}|comes on {}|gets the key on {}
city; In {}|At our house in {}|In the hotel of {}|Near {}; in {}|, {},|, our guest in {},; has a room in {}|stays in {}|chose the hotel in {}|wants to be in {}|checks into a hotel in {}
= order {who}
few; With {} pieces|After {} of them|For {} pieces|In {} boxes; , {} pieces,| ({}); takes {}|wants {} pieces|ordered {}|needs {}|asked for {} of them
thing; Besides a {}|Instead of a {}|For the {}|In love with the {}|Looking for a {}; , who wants a {},|, friend of the {},; ordered the {}|bought a {}|chose the {}|asked for the {}|pays for a {}
money; For {}|With {} to pay|At a price of {}|Having paid {}; , {},| ({})|, {} poorer,; pays {}|was charged {}|spent {}|owes us {}|got a bill of {}
= contact {who}
firm; At {}|For {}|From {}|In the office of {}|On behalf of {}; of {}| from {}| at {}| ({})|, {},|, who works for {},; works for {}|is with {}|speaks for {}|sits at {}|has joined {}
mail; Under {}|By mail to {}|Via {}|Writing from {}; , {},| ({})| <{}>; answers at {}|reads {}|can be mailed at {}|has the address {}|writes from {}
phone; Under {}|On {}|By phone at {}|Calling from {}; , {},| ({})|, phone {},; answers {}|can be called at {}|has the number {}|is reached at {}
= pet {first}
thing; As a {}|Like every {}|For a {}; , a {},| ({})|, the {},|, our {},; is a {}|is said to be a {}|looks like a {}
age; At {}|{} years old|At the age of {}|Now {}; , {},|, aged {},| ({}); is {}|is {} years old|turned {}
who; With {}|At the house of {}|Thanks to {}|Bought by {}; of {}|, which {} keeps,|, owned by {},; belongs to {}|lives with {}|is fed by {}|was found by {}
= book {title}
who; By {}|Written by {}|As {} says|For {}; by {}| of {}| ({})|, by {},; is by {}|was written by {}|made {} famous|came from the pen of {}
year; In {}|Published in {}|Since {}|Printed in {}; ({})|, {},| of {}|, from {},; came out in {}|appeared in {}|was printed in {}|dates from {}
many; With {} pages|On {} pages|After {} pages|At {} pages; , {} pages,| ({} pages)| with {} pages; has {} pages|fills {} pages|is {} pages long|runs to {} pages
= house A flat|The house|A villa|An apartment|This home|A cottage|The property
city; In {}|Near {}|Outside {}|In the heart of {}; in {}| near {}|, {},| ({}); is in {}|stands in {}|can be found in {}|lies near {}
few; With {} rooms|Offering {} rooms|Split into {} rooms; with {} rooms|, {} rooms,| of {} rooms; has {} rooms|offers {} rooms|comes with {} rooms
many; With {} square meters|On {} m²|With an area of {} square meters; of {} square meters|, {} m²,| with {} square meters; measures {} square meters|has {} m²|covers {} square meters
money; For {}|At {}|For a price of {}; for {}| at {}|, {},; costs {}|sells for {}|is offered at {}|goes for {}
= parcel {code}
city; From {}|Out of {}|Packed in {}|Sent from {}; from {}|, from {},; left {}|comes from {}|was sent from {}|was packed in {}
city2; To {}|Bound for {}|For {}|On the way to {}; to {}|, bound for {},; goes to {}|is on its way to {}|is awaited in {}|should reach {}
size; With {} kg|At {} kg|Weighing {} kg; ({} kg)|, {} kg,| of {} kg; weighs {} kg|brings {} kg to the scales|has {} kg
date; On {}|By {}|Due {}|Before {}; , due {},| ({}); arrives on {}|is due on {}|will be there on {}|is expected by {}
= exam {who}
title; In {}|After the test in {}|In the subject {}|For {}; in {}|, in {},| ({}); took {}|sat the exam in {}|was tested in {}|learned {}
few; With {} points|At {} points|On {} points; , {} points,| ({})| with {} points; got {} points|has {} points|reached {} points
passed; ; ; {}|{}
= car {firm}
tint; Painted {}|In {}|All {}; in {}|, {},| ({}); is {}|was painted {}|comes in {}
year; Built in {}|From {}|Of the year {}; of {}|, {},| from {}| ({}); was built in {}|is from {}|was bought in {}
many; After {} km|With {} km|With {} kilometers on the clock; with {} km|, {} km,; has run {} km|shows {} km|has {} kilometers behind it
open; ; ; {}|{}
"""


@dataclass
class Voice:
    subjects: list[str]
    said: dict[str, list[list[str]]]
    """By slot: in front of the subject, beside it, by a verb."""

    @property
    def slots(self) -> set[str]:
        return set(self.said) | set(named(self.subjects[0]))


def named(subject: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", subject)


def voices() -> dict[str, list[Voice]]:
    """The table above, by the record's first name."""
    found: dict[str, list[Voice]] = {}
    for block in VOICES.strip().removeprefix("= ").split("\n= "):
        head, *lines = block.splitlines()
        root, subjects = head.split(" ", 1)
        said = {}
        for line in lines:
            slot, *places = line.split(";")
            said[slot] = [[text.strip() for text in place.split("|") if text.strip()] for place in places]
        found.setdefault(root, []).append(Voice(subjects.split("|"), said))
    return found


def sentence(g: Source, voice: Voice) -> str:
    """A template in which each slot of the record stands once."""

    def filled(slot: str, place: int) -> str:
        return g.pick(voice.said[slot][place]).replace("{}", "{" + slot + "}")

    subject = g.pick(voice.subjects)
    waiting = g.shuffled([slot for slot in voice.said if slot not in named(subject)])
    verbs = [slot for slot in waiting if not any(voice.said[slot][:2])] or [waiting[-1]]
    waiting = [slot for slot in waiting if slot not in verbs]
    if waiting and voice.said[waiting[0]][0] and g.chance(0.5):
        opening = filled(waiting.pop(0), 0)
        subject = f"{opening}{g.pick([', ', ', ', ', ', ' '])}{subject if subject[0] == '{' else subject[0].lower() + subject[1:]}"
    room = g.int(0, 2)
    for slot in waiting:
        if room > 0 and voice.said[slot][1]:
            beside = filled(slot, 1)
            subject, room = subject.rstrip(",") + (beside if beside[0] == "," else f" {beside}"), room - 1
        else:
            verbs.append(slot)
    first, *rest = [filled(slot, 2) for slot in g.shuffled(verbs)]
    text = f"{subject} {first}"
    for left, verb in zip(range(len(rest), 0, -1), rest):
        if g.chance(0.2):
            text += f". {g.pick(['He', 'She', 'They'] if voice.subjects[0] in ('{who}', '{first}') else ['It', 'It also'])} {verb}"
        else:
            text += (g.pick([" and ", " and ", ", and "]) if left == 1 else ", ") + verb
    return capital(text) + g.pick([".", ".", ".", "", "!"])
