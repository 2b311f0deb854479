"""Sentences about one happening, with several values in one clause: journeys, sales, matches, findings and the like.

A scene names its record, its slots (what makes a value, and the property names it may have) and its sentences.
"""

import re

from families import clauses, happenings, words
from families.base import Source
from families.fields import KINDS, Telling, Value, clock, decorated, email, flag, of_number, of_text, phone, thing
from families.slots import SLOTS

MONEY = ["{} dollars", "{} euros", "${}", "{}", "€{}", "{} pounds", "{} USD", "{} EUR"]


def _count(low: int, high: int):
    return of_number(lambda g: g.int(low, high))


def _money(g: Source) -> Value:
    number = g.int(2, 10 ** g.int(1, 4)) if g.chance(0.3) else round(g.int(101, 10 ** g.int(3, 6)) / 100, 2)
    return Value(g.pick(MONEY).replace("{}", str(number)), number)


def _object(g: Source) -> str:
    kind = g.rng.random()
    return g.listed_or_like(words.NOUNS, "noun") if kind < 0.75 else g.part(words.PRODUCTS) if kind < 0.85 else thing(g)


def _firm(g: Source) -> str:
    kind = g.rng.random()
    if kind < 0.3:
        return g.part(words.COMPANIES)
    tail = g.pick(["Travel", "Motors", "Foods", "Books", "Partners", "Group", "Tools", "Bakery", "Labs", "Logistics", "Press", "Works", "Studio", "Trading"])
    head = (g.like("noun") if g.chance(0.6) else g.pseudo()).capitalize()
    return f"{head} {tail}" if kind < 0.85 else head


def _job(g: Source) -> str:
    if g.chance(0.85):
        return g.listed_or_like(words.JOBS, "job")
    return g.pseudo() + g.pick(["er", "ist", "or", "ian", "smith", ""])


MAKERS = {
    "who": ("string", of_text(lambda g: g.full_name() if g.chance(0.7) else g.first_name())),
    "first": ("string", of_text(lambda g: g.first_name())),
    "city": ("string", of_text(lambda g: g.city())),
    "last": ("string", of_text(lambda g: g.surname())),
    "firm": ("string", of_text(_firm)),
    "thing": ("string", of_text(_object)),
    "look": ("string", of_text(lambda g: g.listed_or_like(words.ADJECTIVES, "adjective"))),
    "tint": ("string", of_text(lambda g: g.listed_or_like(words.COLORS, "noun"))),
    "job": ("string", of_text(_job)),
    "code": ("string", of_text(lambda g: g.code())),
    "title": ("string", of_text(lambda g: " ".join(g.word() for _ in range(g.int(1, 3))).title())),
    "time": ("string", of_text(clock)),
    "mail": ("string", of_text(email)),
    "phone": ("string", of_text(phone)),
    "date": ("string", KINDS["date"].make),
    "age": ("integer", _count(1, 99)),
    "few": ("integer", _count(2, 20)),
    "many": ("integer", _count(2, 9999)),
    "year": ("integer", _count(1700, 2030)),
    "money": ("number", _money),
    "size": ("number", lambda g: Value(text := g.decimal(2), float(text))),
    "paid": ("boolean", flag(["has been paid", "is paid", "was paid", "has already been settled"], ["has not been paid", "is still open", "is unpaid", "has not been settled", "was not paid"])),
    "open": ("boolean", flag(["is open", "is still available", "can be booked"], ["is closed", "is no longer available", "is not available", "cannot be booked"])),
    "isavailable": ("boolean", flag(["is in stock", "is available", "can be ordered"], ["is sold out", "is out of stock", "cannot be ordered"])),
    "ismarried": ("boolean", flag(["is married", "has a wedding ring"], ["is not married", "is single", "has never been married"])),
    "ismember": ("boolean", flag(["is a member", "belongs to the club"], ["is not a member", "does not belong to the club", "is no member"])),
    "ispaid": ("boolean", flag(["is paid", "has been paid"], ["is not paid yet", "is still unpaid", "has not been paid"])),
    "passed": ("boolean", flag(["passed", "has passed"], ["failed", "did not pass", "has not passed"])),
}  # fmt: skip

SCENES = [
    (["person", "profile", "resident", "record"], {"who": ["name", "full_name", "person"], "age": ["age", "years"], "city": ["town", "city", "home", "residence"], "job": ["profession", "job", "occupation", "trade", "work"]},
     ["{who}, {age}, is a {job} in {city}.", "{city} has a good {job}: {who}, who is {age}.", "My cousin {who} turned {age} and still works as a {job} in {city}.",
      "Name {who}, age {age}, job {job}, home {city}.", "In {city} we met {who}, {age}, {job} by trade.", "Ask for {who} in {city}, a {job} of {age} years.",
      "{age} years ago {who} was born; today {city} knows {who} as a {job}.", "Our new neighbour {who} came from {city}; the {job} is {age}.",
      "{who} ({age}) earns a living as a {job} near {city}.", "A {job} named {who} has lived in {city} for years and just turned {age}.",
      "At the age of {age}, {who} of {city} became a {job}.", "{city} is home to {who}, {age} years of age, {job} by profession.",
      "This is {who}: {age} years old, {job}, resident of {city}.", "They interviewed the {job} {who} from {city}, who is {age} now.",
      "The {age}-year-old {job} {who} lives in {city}.",
      "Introducing {who}: {job}, {age}, at home in {city}.", "Say hello to {who}, our {job} from {city}, {age} this year.", "Welcome {who}! The {job} of {age} years joins us from {city}.", "Congratulations to {who}, who turns {age} today and is the best {job} in {city}.", "{who} is {age}. The {job} has a house in {city}.", "Somebody from {city}, {who}, aged {age}, wants to become a {job}.", "{who} grew up in {city}, learned to be a {job} and is {age} now.", "Do you remember {who}, the {job}? That was in {city}, and {age} is no age.", "{who}, {job} ({city}), {age} years", "Our man in {city} is called {who}; he is {age} and a {job}.", "I am {who}, I am {age}, I live in {city} and I am a {job}.", "As a {job} of {age} years, {who} feels at home in {city}.", "See {who}, the {job} of {city}, who is {age}.", "Greet {who} of {city}, {job}, {age} years old.", "Hire {who}! At {age} the best {job} in {city}.", "Call {who}, our {job} in {city}, {age} years young.", "Picture {who}, {age}, who came to {city} as a {job}.", "Trust {who}: a {job} since childhood, {age} by now, from {city}.", "Trainee {who}, {age}, wants to be a {job} in {city}.", "Neighbour {who} ({age}) left {city} to work as a {job}."]),
    (["product", "item", "offer", "article", "listing"], {"thing": ["item", "product", "name", "article"], "tint": ["color", "colour", "finish"], "money": ["price", "cost", "unit_price"], "many": ["quantity", "stock", "count", "available"]},
     ["The shop sells a {tint} {thing} for {money} and has {many} left.", "For {money} you get one {tint} {thing}; we still have {many}.",
      "{thing}, {tint}, {money}, {many} left", "Only {many} of the {thing} remain. They are {tint} and cost {money}.",
      "On sale: {thing} in {tint} at {money} ({many} in stock).", "{many} units of the {thing}, {tint}, at {money} a piece.",
      "You can get the {thing} in {tint} for {money}; {many} remain.", "New: the {thing}. Colour: {tint}. Price: {money}. In the warehouse: {many}.",
      "There are {many} of the {tint} {thing} on the shelf, each costs {money}.", "A {thing} painted {tint} sells at {money}, and we hold {many}.",
      "We ordered {many} of the {thing} in {tint}, {money} apiece.",
      "Our {tint} {thing} costs {money}; {many} pieces are in the store.", "{money} buys a {thing}. It is {tint}. There are {many} of them.", "Get your {tint} {thing} now, {money}, last {many}!", "The {thing} ({tint}) is {money}, stock {many}.", "{thing}: {many} pieces, {tint}, each at {money}.", "A {tint} {thing} goes for {money}, and {many} wait for a buyer.", "Stock list: {many} x {thing} {tint} at {money}.", "The catalog shows a {thing} in {tint} for {money}, quantity {many}.", "{tint} {thing}, {many} in all, {money} per piece.", "We offer a {thing}; price {money}, colour {tint}, number on hand {many}.", "To be sold: {thing}, finish {tint}, {money}, {many} pieces.", "For you: {many} of the {thing}, {tint} ones, {money} each.", "Clearance: {thing}, shade {tint}, now {money}, {many} to go.", "In the window: a {thing}, {tint}, {money}. Behind it {many} more."]),
    (["trip", "journey", "booking", "ride", "ticket"], {"who": ["traveller", "passenger", "name", "customer", "traveler"], "city": ["origin", "from", "start", "departure_city"], "city2": ["destination", "to", "arrival_city", "target"], "few": ["seats", "people", "passengers", "tickets"]},
     ["{who} travels from {city} to {city2} with {few} people.", "Passenger {who}: {city} to {city2}, {few} persons.",
      "To {city2} with {few} people goes {who}, who starts in {city}.", "{who} gets on the train in {city} and off in {city2}; {few} tickets.",
      "Leaving {city}: {who}, group of {few}, bound for {city2}.", "From {city} to {city2}: {few} tickets for {who}.",
      "{who} reserved {few} places on the bus between {city} and {city2}.", "The flight that {who} chose leaves {city} for {city2} and is for {few} persons.",
      "{few} seats from {city} to {city2} were booked by {who}.", "On the train to {city2} from {city}, {who} has {few} seats.",
      "{who} and others, {few} in all, will go from {city} to {city2}.", "A journey starts in {city} and ends in {city2}; {who} paid for {few}.",
      "{who} takes {few} people along from {city} to {city2}.", "{few} passengers with {who} cross from {city} to {city2}.", "Please keep {few} places from {city} to {city2} for {who}.", "{city} to {city2}, {few} persons, name: {who}.", "Tomorrow {who} sets out from {city} for {city2}, {few} people in the car.", "A group of {few} under {who} leaves {city}; its goal is {city2}.", "{who} wants to see {city2} and needs {few} tickets from {city}.", "We fly {who} and company ({few}) out of {city} and into {city2}.", "The bus from {city} arrives in {city2} with {who} and {few} seats taken.", "{who} bought {few} tickets, {city} to {city2}.", "The tour from {city} to {city2} was paid by {who} for {few} friends.", "A bus between {city} and {city2} was ordered by {who} for {few} guests.", "A cruise out of {city}, bound for {city2}, was chosen by {who} for {few} relatives.", "Passage from {city} to {city2} for {few} adults was requested by {who}.", "The crossing from {city} to {city2}, {few} cabins, was arranged by {who}.", "{who} got {few} berths on the boat from {city} to {city2}.", "{who} rented {few} bikes for the ride from {city} to {city2}."]),
    (["company", "firm", "business", "employer"], {"firm": ["company", "name", "firm", "business"], "city": ["city", "headquarters", "location", "seat"], "many": ["employees", "staff", "workers", "headcount"], "year": ["founded", "since", "year", "established"]},
     ["{firm} started in {city} in {year} and has {many} workers today.", "{firm} ({city}, {year}) employs {many}.",
      "With {many} workers, {firm} is big in {city}, where it began in {year}.", "Founded in {year}, {firm} pays {many} people in {city}.",
      "Since {year}, {firm} has been based in {city}; its staff is {many}.", "The company {firm}, established {year}, employs {many} people in {city}.",
      "{many} people work for {firm} in {city}, which opened in {year}.", "In {year} two friends created {firm} in {city}, now {many} strong.",
      "{city} is where {firm} has its seat: {many} employees, founded {year}.", "From {city} comes {firm}, in business since {year}, with a staff of {many}.",
      "{firm} is a company in {city} with {many} people, begun in {year}.", "{year} was the first year of {firm}, which keeps {many} busy in {city}.", "{firm} of {city} feeds {many} families since {year}.", "In {city}, {firm} has stood since {year} and counts {many} heads.", "{many} men and women make {firm} in {city} what it is; it all began in {year}.", "The owners of {firm} opened in {city} in {year}; {many} work there.", "{firm}, {city}: opened {year}, {many} jobs.", "Going back to {year}, {firm} runs its business from {city} and has {many} on the payroll.", "Ever since {year}, {firm} of {city} has kept {many} on its payroll.", "Thanks to {many} workers, {firm} of {city} still exists after its start in {year}.", "Despite only {many} people, {firm} from {city}, begun in {year}, prospers.", "Under pressure, {firm} of {city}, opened in {year}, cut its staff to {many}.", "Having {many} on its list, {firm} of {city} has paid wages since {year}.", "By now {many} strong, {firm} of {city} was begun in {year}.", "Nobody pays {many} people as {firm} from {city} has done since {year}.", "Its {many} workers made {firm} in {city} famous after {year}.", "{firm} was opened in {city} in {year} and has a crew of {many}.", "{firm} of {city} was set up in {year}; {many} people are with it."]),
    (["invoice", "bill", "payment", "receipt"], {"code": ["number", "id", "invoice_number", "reference"], "who": ["customer", "client", "payer", "name"], "money": ["total", "amount", "sum", "due"], "paid": ["paid", "settled", "is_paid"]},
     ["Bill {code} of {who}, {money}, {paid}.", "The sum of {money} on {code} for {who} {paid}.", "{who}: {code}, {money}. The bill {paid}.",
      "We sent {code} to {who}. It is over {money} and {paid}.", "{who} got invoice {code} with a total of {money}, which {paid}.",
      "The invoice {code} to {who} amounts to {money}; it {paid}.", "Number {code}: {who} owes {money}. This {paid}.",
      "{money} were charged to {who} under {code}, and the bill {paid}.", "Our bill {code} over {money} for {who} {paid}.",
      "Invoice no. {code} ({who}, {money}) {paid}.",
      "{money} from {who} for {code}: the invoice {paid}.", "The bill for {who} with the number {code} is {money} and {paid}.", "{who} received {code}. Amount: {money}. It {paid}.", "Our records say that {code}, {money}, customer {who}, {paid}.", "Payment of {money} by {who}, bill {code}: it {paid}.", "The {money} of bill {code} which {who} owes us {paid}.", "{code} | {who} | {money} | {paid}", "Regarding {code}: {who} was billed {money}. The amount {paid}.", "A bill of {money}, {code}, went to {who} and {paid}.", "Reminder {code} went to {who}: {money}, and it {paid}.", "Receipt {code} ({money}, {who}) {paid}.", "Account {code} of {who} over {money} {paid}.", "Statement {code} for {who}, {money}, {paid}.", "Document {code}, sent to {who}, asks for {money} and {paid}.", "Claim {code} by {who} over {money} {paid}.", "File {code}: the {money} of {who} {paid}."]),
    (["report", "finding", "entry", "notice", "case"], {"thing": ["object", "item", "thing", "what"], "look": ["style", "kind", "look", "feature"], "city": ["place", "where", "location", "city"], "date": ["date", "day", "when"]},
     ["Somebody left a {look} {thing} in {city} on {date}.", "Missing since {date}: a {look} {thing}, last seen in {city}.",
      "In {city} a {look} {thing} turned up on {date}.", "On {date}, the police in {city} picked up a {look} {thing}.",
      "{date}, {city}: one {look} {thing} was handed in.", "The {look} {thing} disappeared in {city} on {date}.",
      "A tourist in {city} bought a {look} {thing} on {date}.", "We noted on {date} that a {look} {thing} lay near the station of {city}.",
      "Found on {date}: one {look} {thing}, in {city}.", "{city}, on {date}: a boy handed in a {look} {thing}.", "On {date} a {look} {thing} was stolen in {city}.", "A walker in {city} saw a {look} {thing} on {date}.", "Who lost a {look} {thing} in {city} on {date}?", "The {thing}, a {look} one, has been here since {date}; it comes from {city}.", "Since {date} a {look} {thing} waits for its owner in {city}.", "They dug up a {look} {thing} near {city} on {date}.", "A {look} {thing} was left on a bench in {city}; date {date}.", "A {look} {thing} was spotted in {city} on {date}.", "A {look} {thing} was forgotten on a tram of {city} on {date}.", "One {look} {thing} was reported missing in {city} on {date}.", "Somebody of {city} misses a {look} {thing} since {date}.", "A {look} {thing} fell from a roof in {city} on {date}.", "A visitor forgot a {look} {thing} in {city} on {date}."]),
    (["score", "result", "match", "game"], {"who": ["player", "name", "winner", "athlete"], "many": ["points", "score", "goals"], "city": ["venue", "place", "city", "arena"]},
     ["In {city}, {who} reached {many} points.", "{who} left {city} with {many} points.", "{city}: {many} for {who}.",
      "It was in {city} that {who} got {many} points.", "{who} made {many} points in the match at {city}.", "With {many} points {who} won the game in {city}.",
      "The crowd of {city} saw {who} collect {many} points.", "{many} points for {who} at the finals in {city}!", "At {city} the score of {who} was {many}.",
      "Nobody in {city} beat the {many} points of {who}.",
      "{who} got {many} points in {city}.", "{who} was best in {city}, with {many} points.", "{who} finished at {city} with {many}.", "Points for {who}: {many}, at {city}.", "{who}, {many} points, {city}", "{who} stood on the field of {city} and made {many} points.", "The {many} points that {who} took in {city} were a record.", "At the match of {city}, {who} had {many}.", "{who} played in {city} last night and ended on {many} points.", "{who} won {many} points when they played in {city}.", "They cheered {who} in {city}: {many} points!", "Thanks to {who}, who made {many} points, {city} was a feast.", "{who} earned {many} points at the cup of {city}.", "{who} collected {many} points in the semifinal of {city}.", "{who} lost in {city} in spite of {many} points.", "{who} threw {many} points in a row at {city}."]),
    (["event", "concert", "show", "meeting"], {"title": ["title", "name", "event"], "city": ["city", "place", "venue"], "date": ["date", "day"], "time": ["time", "start", "starts_at"]},
     ["{title} takes place in {city} on {date} at {time}.", "{date}, {time}, {city}: {title}.", "At {time} on {date}, {title} opens in {city}.",
      "{city} invites you to {title}, {date}, {time}.", "Do not miss {title} in {city}; it is on {date} from {time}.", "On {date} at {time}, {city} hosts {title}.",
      "Come to {city} on {date}! {title} starts at {time}.", "The show {title} begins at {time} on {date} in {city}.",
      "Doors open at {time} for {title} ({city}, {date})."]),
    (["reservation", "booking", "stay"], {"who": ["guest", "name", "customer"], "few": ["nights", "days", "duration", "length"], "date": ["arrival", "date", "check_in", "from"], "city": ["city", "hotel_city", "place"]},
     ["{who} will arrive on {date} in {city} for {few} nights.", "{city}, {few} nights from {date}: {who}.",
      "{who} checks in on {date} and sleeps {few} nights in {city}.", "For {few} nights {who} is in {city}, first night {date}.",
      "From {date} {who} has a bed in {city} for {few} nights.", "A room in {city} for {few} nights from {date}, please, in the name of {who}.",
      "Hotel in {city}: {who}, {few} nights, arrival {date}.", "Starting {date}, {who} stays {few} days in {city}."]),
    (["order", "purchase", "sale"], {"who": ["customer", "buyer", "name", "client"], "few": ["quantity", "count", "pieces"], "thing": ["product", "item", "article"], "money": ["total", "price", "amount"]},
     ["{who} ordered {few} of the {thing} for {money}.", "{few} x {thing} for {who}, {money}.", "{who} needs {few} {thing} and pays {money} for all.",
      "The {thing} was ordered {few} times by {who}, which makes {money}.", "We send {who} {few} {thing} and a bill of {money}.",
      "{few} pieces of {thing} go to {who}, who pays {money}.", "{who} bought {few} {thing} and was charged {money}.",
      "Sold to {who}: {few} x {thing}, {money} in total.", "For {money}, {who} takes {few} of our {thing}."]),
    (["contact", "card", "person"], {"who": ["name", "contact", "person"], "firm": ["company", "employer", "organization"], "mail": ["email", "mail", "email_address"], "phone": ["phone", "telephone", "phone_number"]},
     ["{who} of {firm} can be reached at {mail} or {phone}.", "{firm}, {who}, {phone}, {mail}", "Phone {phone} or mail {mail} if you need {who} from {firm}.",
      "{phone} is the number of {who} at {firm}, the address is {mail}.", "At {firm} you want {who}: {mail} / {phone}.",
      "Write to {who} ({firm}) at {mail}, or call {phone}.", "My contact at {firm} is {who}, {mail}, phone {phone}.",
      "{who} works for {firm}. Mail: {mail}. Phone: {phone}."]),
    (["parcel", "shipment", "delivery"], {"code": ["tracking", "id", "number", "code"], "city": ["origin", "from", "sender_city"], "city2": ["destination", "to", "receiver_city"], "size": ["weight", "kg", "mass"], "date": ["date", "arrival", "due"]},
     ["Parcel {code} of {size} kg goes from {city} to {city2} and arrives on {date}.", "{city2} gets {code} on {date}: {size} kg from {city}.",
      "From {city}, {size} kg under {code} go to {city2}, due {date}.", "{code} ({size} kg) was packed in {city} and should reach {city2} by {date}.",
      "The shipment {code} left {city} for {city2}, weighs {size} kg and is due on {date}.",
      "On {date}, {city2} expects the package {code} from {city} ({size} kg).", "{code}: {city} to {city2}, {size} kg, {date}."]),
    (["house", "property", "flat", "listing"], {"city": ["city", "location", "town"], "few": ["rooms", "bedrooms"], "many": ["area", "square_meters", "size"], "money": ["price", "rent", "cost"]},
     ["A flat in {city} with {few} rooms and {many} square meters costs {money}.", "{city}: {few} rooms, {many} m², {money}.",
      "For {money} you get {few} rooms and {many} square meters in {city}.", "In {city} somebody offers {few} rooms ({many} square meters) at {money}.",
      "{many} square meters in {city}, split into {few} rooms, at {money}.", "For rent in {city}: {few} rooms, {many} square meters, {money}.",
      "The house has {few} rooms on {many} square meters; it is in {city} and sells for {money}."]),
    (["exam", "test", "student"], {"who": ["student", "name", "candidate"], "title": ["subject", "course", "exam"], "few": ["grade", "points", "score"], "passed": ["passed", "success"]},
     ["{who} {passed} the exam in {title} with {few} points.", "{few} points in {title}: {who} {passed}.", "{title}: {who} {passed}, {few} points.",
      "After the test in {title} it is clear that {who} {passed} ({few} points).", "In {title}, {who} {passed}: {few} points.",
      "With {few} points {who} {passed} {title}."]),
    (["car", "vehicle", "rental"], {"firm": ["brand", "make", "maker"], "tint": ["color", "colour", "paint"], "year": ["year", "built", "model_year"], "many": ["mileage", "kilometers", "km"], "open": ["available", "in_stock"]},
     ["The {tint} car by {firm} was built in {year}, has run {many} km and {open}.", "{firm}, {year}, {tint}, {many} km: the car {open}.",
      "Built in {year} by {firm}, {tint} all over, {many} km, it {open}.", "After {many} km the {tint} {firm} of {year} {open}.",
      "A {firm} from {year} in {tint} with {many} kilometers {open}.", "Our {year} {firm}, painted {tint}, {many} km, {open}."]),
    (["pet", "animal", "patient"], {"first": ["name", "pet", "called"], "thing": ["species", "kind", "animal"], "age": ["age", "years"], "who": ["owner", "keeper", "person"]},
     ["{first} is a {thing} of {age} years that belongs to {who}.", "{who} owns a {thing} named {first}, {age} years of age.",
      "{first} ({thing}, {age}) lives with {who}.", "At {age}, the {thing} {first} still runs around the house of {who}.",
      "{who} brought the {thing} {first}, aged {age}.", "The {age} year old {thing} of {who} is called {first}."]),
    (["book", "publication", "work"], {"title": ["title", "book", "name"], "who": ["author", "writer"], "year": ["year", "published"], "many": ["pages", "length"]},
     ["{title} by {who} came out in {year} and has {many} pages.", "{many} pages long is {title}, which {who} wrote in {year}.",
      "{title}, {who}, {year}, {many} pages", "The library has {title}, {many} pages, by {who}, from {year}.", "{who} wrote {title} ({year}, {many} pages).",
      "In {year}, {who} published {title}, a book of {many} pages."]),
]  # fmt: skip


LEADS = """Yesterday Today Apparently Now Then Once Perhaps Maybe Luckily Sadly Meanwhile Finally Suddenly Officially Reportedly Indeed Mr Mrs Ms Professor
Captain Aunt Uncle Grandpa Old Young Dear Poor Little Clever Even Only Just Here Today's Yesterday's Tomorrow Soon Still
Thank Ask Consider Remember Imagine Visit Follow Join Help Contact Invite Support Honour Recommend Introducing Featuring Presenting Behold
Praise Choose Watch Hear Find Admire Question Observe Notice Inform Warn Remind Pay Note Mind Love Bless Spare""".split()
"""Words with a capital letter that may stand before a name and do not belong to it."""
LED = re.compile(r"\{(?:who|first|firm|team)\d?\} ")

EVERYDAY = list(SCENES)
"""What records are most often about."""
SCENES += happenings.scenes()
VOICES = clauses.voices()


def value_of(g: Source, slot: str) -> tuple[str, Value]:
    """The JSON type and a value of a slot. A digit behind its kind only sets it apart."""
    kind = slot.rstrip("_0123456789")
    shape, make = MAKERS[kind] if kind in MAKERS and slot[-1] != "_" else SLOTS[kind]
    return shape, make(g)


def led(g: Source, sentence: str) -> str:
    """Sometimes with another capitalised word before the name that the sentence begins with."""
    return f"{g.pick(LEADS)} {sentence}" if LED.match(sentence) and g.chance(0.25) else sentence


def happening(g: Source) -> tuple[str, list[tuple[str, str]], Telling]:
    """A record name, (property, type) of each slot in the scene's order, and what tells it with ever new values."""
    while True:
        roots, slots, sentences = g.pick(EVERYDAY if g.chance(0.5) else SCENES)
        names = [decorated(g, name) if g.chance(0.6) else name for name in map(g.pick, slots.values())]
        if len(set(names)) == len(names):
            break

    voices = [voice for voice in VOICES.get(roots[0], []) if voice.slots == set(slots)]

    def tell() -> tuple[str, list[Value]]:
        while True:
            template = clauses.sentence(g, g.pick(voices)) if voices and g.chance(0.5) else g.template(sentences)
            text, values = led(g, template), [value_of(g, slot)[1] for slot in slots]
            for slot, value in zip(slots, values):
                text = text.replace("{" + slot + "}", value.shown)
            if len({value.shown for value in values}) == len(values):
                return text, values

    return g.pick(roots), [(name, value_of(g, slot)[0]) for name, slot in zip(names, slots)], tell
