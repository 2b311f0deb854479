"""What documents are about: kinds of subjects, what is told of them, and how people ask for it.

A topic has ways to name its subject and facts; a fact has the kind of its value, sentences that tell it and questions for it. `{e}` is the
subject, `{v}` the value. Sentences that do not name the subject stand in a document that does.
"""

TOPICS = {
    "tunnel|tower|lighthouse|dam|canal|pier|wall": (["the {kind} of {city}", "the {city} {kind}", "{Name} {Kind}"], [
        ("metres", ["The {kind} has a length of {v} metres", "From end to end it measures {v} metres", "Its full length is {v} m"], ["how many metres does {e} measure", "what length does {e} have", "how far does {e} reach from end to end", "what is the full length of {e}"]),
        ("metres", ["It rises {v} metres above the ground", "Its height is {v} metres", "It stands {v} metres tall"], ["how high is {e}", "how tall is {e}", "what is the height of {e}"]),
        ("year", ["It was finished in {v}", "It was built in {v}", "Construction ended in {v}", "It has been standing since {v}", "It was completed in {v}"], ["when was {e} built", "in which year was {e} finished", "since when does {e} exist", "when was {e} completed", "what year is {e} from"]),
        ("person", ["It was designed by {v}", "The architect was {v}", "The plans were drawn by {v}"], ["who designed {e}", "who was the architect of {e}", "who drew the plans of {e}"]),
        ("count", ["About {v} cars use it every day", "Every day {v} people cross it", "{v} visitors come each day"], ["how many use {e} every day", "how many people or cars does {e} see a day"]),
        ("money", ["It cost {v} million euros", "Building it took {v} million euros", "The costs came to {v} million euros"], ["how much did {e} cost", "what were the costs of {e}", "how expensive was {e}"]),
    ]),
    "museum|library|theatre|swimming pool|zoo|gallery|castle|botanical garden|cinema|archive": (["the {kind} of {city}", "the {city} {kind}", "the {Name} {Kind}", "{Name} {Kind}"], [
        ("clock", ["It opens at {v}", "The doors open at {v} in the morning", "Opening time is {v}", "Visitors are let in from {v} on"], ["when does {e} open", "at what time does {e} open", "what are the opening times of {e}", "from when on can I visit {e}"]),
        ("clock", ["It closes at {v}", "Closing time is {v}", "Everybody has to leave by {v}", "The doors shut at {v}"], ["when does {e} close", "at what time does {e} shut", "until when is {e} open", "how long can I stay in {e}"]),
        ("price", ["A ticket costs {v} euros", "Admission is {v} euros", "Adults pay {v} euros", "The entrance fee is {v} euros"], ["how much is a ticket for {e}", "what does admission to {e} cost", "what is the entrance fee of {e}", "what do adults pay at {e}", "how much does it cost to visit {e}"]),
        ("weekday", ["It is closed on {v}s", "On {v}s the house is closed", "There are no visits on {v}s"], ["on which day is {e} closed", "when is {e} not open", "which weekday is {e} closed"]),
        ("person", ["The director is {v}", "{v} is the director", "It is run by {v}", "The house is headed by {v}"], ["who is the director of {e}", "who runs {e}", "who heads {e}", "who is in charge of {e}"]),
        ("count", ["The collection has {v} pieces", "It shows {v} objects", "There are {v} items in the collection"], ["how many pieces does {e} have", "how large is the collection of {e}", "how many objects does {e} show"]),
        ("phone", ["The telephone number is {v}", "Call {v} to book a tour", "Reach us by phone at {v}"], ["what is the phone number of {e}", "how can I call {e}", "which number do I call for {e}"]),
        ("street", ["You find it at {v}", "The address is {v}", "It stands at {v}"], ["where is {e}", "what is the address of {e}", "where do I find {e}"]),
    ]),
    "company|bakery|shop|workshop|farm|brewery|agency|factory|clinic|studio": (["{company}", "{company}", "the {kind} {Name}", "{Name} {Kind}"], [
        ("person", ["The boss is {v}", "{v} runs the business", "The company is led by {v}", "{v} is the managing director"], ["who is the boss of {e}", "who leads {e}", "who is at the top of {e}", "who runs {e}"]),
        ("count", ["It employs {v} people", "The staff is {v} people", "{v} people work there", "There are {v} employees"], ["how many people work at {e}", "how many employees does {e} have", "how large is the staff of {e}", "how many people does {e} employ"]),
        ("year", ["It was founded in {v}", "The business was started in {v}", "It has existed since {v}", "The founding year is {v}"], ["when was {e} founded", "in which year did {e} start", "since when does {e} exist", "how old is {e}"]),
        ("city", ["The head office is in {v}", "It has its headquarters in {v}", "The main office is located in {v}", "It is based in {v}"], ["where is the head office of {e}", "in which city is {e} based", "where are the headquarters of {e}", "where is {e} located"]),
        ("money", ["Sales last year were {v} million euros", "It made {v} million euros last year", "The turnover was {v} million euros"], ["what were the sales of {e}", "how much did {e} make last year", "what is the turnover of {e}"]),
        ("email", ["Write to {v}", "The e-mail address is {v}", "Questions go to {v}"], ["what is the email address of {e}", "where can I write to {e}", "how do I contact {e} by mail"]),
        ("thing", ["Its best known product is the {v}", "It is known for its {v}", "Most customers buy the {v}"], ["what is {e} known for", "what is the best known product of {e}", "what do most customers of {e} buy"]),
    ]),
    "return policy|guarantee|delivery|order|shipping": (["our {kind}", "the {kind} rules", "{kind} at {company}", "the {kind} of {company}"], [
        ("days", ["Goods can be returned within {v} days", "Customers have {v} days to send goods back", "Returns are accepted for {v} days"], ["how many days may customers take to return goods", "within how many days can goods be returned", "how long are returns accepted", "until when can I send something back"]),
        ("days", ["Delivery takes {v} days", "Parcels arrive after {v} days", "We deliver within {v} days"], ["how long does delivery take", "after how many days do parcels arrive", "how fast do they deliver"]),
        ("years", ["The guarantee lasts {v} years", "All devices have a guarantee of {v} years", "The warranty period is {v} years"], ["how long is the guarantee", "how many years does the warranty last", "for how long do devices have a guarantee"]),
        ("price", ["Shipping costs {v} euros", "The postage is {v} euros", "We charge {v} euros for shipping"], ["what does shipping cost", "how much is the postage", "how much do they charge for shipping"]),
        ("price", ["Orders over {v} euros are delivered free", "From {v} euros on there is no shipping fee"], ["from which amount on is delivery free", "above what sum is shipping free", "when do I pay no shipping fee"]),
        ("email", ["Complaints go to {v}", "Write complaints to {v}"], ["where do complaints go", "to which address do I send a complaint"]),
    ]),
    "staff|team|project|department|committee|club|band|crew": (["the {Name} {kind}", "the {kind} of {company}", "{Kind} {Name}", "the {kind} {Name}"], [
        ("person", ["The leader is {v}", "{v} leads the group", "It is headed by {v}", "{v} is the head"], ["who leads {e}", "who is the head of {e}", "who is the leader of {e}", "who heads {e}"]),
        ("person", ["Money matters are handled by {v}", "The treasurer is {v}", "{v} keeps the books"], ["who is the treasurer of {e}", "who handles the money of {e}", "who keeps the books of {e}"]),
        ("weekday", ["Meetings are on {v}s", "They meet every {v}", "The weekly meeting is on {v}"], ["when does {e} meet", "on which day are the meetings of {e}", "which weekday does {e} meet"]),
        ("room", ["They meet in room {v}", "The meeting room is {v}", "Meetings take place in room {v}"], ["in which room does {e} meet", "where does {e} meet", "what is the meeting room of {e}"]),
        ("count", ["It has {v} members", "There are {v} members", "{v} people belong to it"], ["how many members does {e} have", "how many people belong to {e}", "how large is {e}"]),
        ("price", ["The fee is {v} euros a year", "Members pay {v} euros a year", "Membership costs {v} euros a year"], ["what is the fee of {e}", "how much do members of {e} pay", "what does membership in {e} cost"]),
        ("day", ["The deadline is {v}", "Everything has to be done by {v}", "Work ends on {v}"], ["what is the deadline of {e}", "by when must {e} be done", "when does the work of {e} end"]),
    ]),
    "festival|concert|conference|course|exhibition|fair|race|wedding|meeting|lecture": (["the {Name} {kind}", "the {kind} in {city}", "the {kind} of {city}", "{Name} {Kind}"], [
        ("day", ["It begins on {v}", "The first day is {v}", "It takes place on {v}", "The date is {v}"], ["when is {e}", "on which date does {e} begin", "what is the date of {e}", "when does {e} take place"]),
        ("clock", ["It starts at {v}", "The program begins at {v}", "We start at {v} sharp"], ["at what time does {e} start", "when does {e} begin", "what time is {e}"]),
        ("place", ["It is held in the {v}", "The place is the {v}", "Everybody comes to the {v}"], ["where is {e} held", "where does {e} take place", "what is the place of {e}"]),
        ("price", ["Tickets are {v} euros", "A ticket costs {v} euros", "The price is {v} euros for each person"], ["how much are tickets for {e}", "what does {e} cost", "what is the price of a ticket for {e}"]),
        ("person", ["The main speaker is {v}", "{v} gives the opening talk", "It is opened by {v}"], ["who is the main speaker of {e}", "who opens {e}", "who gives the opening talk at {e}"]),
        ("count", ["{v} guests are expected", "There are {v} seats", "It has room for {v} people"], ["how many people are expected at {e}", "how many seats does {e} have", "how many guests can come to {e}"]),
        ("day", ["You have to register by {v}", "Registration ends on {v}", "Sign up until {v}"], ["until when can I register for {e}", "when does registration for {e} end", "what is the last day to sign up for {e}"]),
    ]),
    "machine|printer|pump|coffee maker|washing machine|drill|camera|router|heater|mower": (["the {Name} {kind}", "the {kind} {code}", "the {code}", "{Kind} {code}"], [
        ("watts", ["It needs {v} watts", "The power is {v} watts", "Its power consumption is {v} watts"], ["how many watts does {e} need", "what is the power of {e}", "how much power does {e} use"]),
        ("kilos", ["It weighs {v} kg", "The weight is {v} kg", "With everything it weighs {v} kg"], ["how heavy is {e}", "what is the weight of {e}", "how much does {e} weigh"]),
        ("months", ["Change the filter every {v} months", "The filter lasts {v} months", "A new filter is needed after {v} months"], ["how often must the filter of {e} be changed", "how long does the filter of {e} last", "when does {e} need a new filter"]),
        ("code", ["The spare part number is {v}", "Order spare parts under {v}", "Use the spare part {v}"], ["what is the spare part number of {e}", "under which number do I order spare parts for {e}", "which spare part does {e} need"]),
        ("code", ["Error {v} means that it is blocked", "If it is blocked it shows {v}", "A blocked one shows the code {v}"], ["which code does {e} show when it is blocked", "what error means that {e} is blocked", "what does {e} show if it is blocked"]),
        ("degrees", ["It works up to {v} degrees", "The highest temperature is {v} degrees", "Never heat it above {v} degrees"], ["up to which temperature does {e} work", "what is the highest temperature for {e}", "how hot may {e} become"]),
        ("price", ["It costs {v} euros", "The price is {v} euros", "It sells for {v} euros"], ["how much does {e} cost", "what is the price of {e}", "what do I pay for {e}"]),
    ]),
    "warning|notice|defect": (["the {thing}", "the {kind} about the {thing}"], [
        ("code", ["Pieces of the batch {v} are affected", "Only the batch {v} is affected", "The bad batch is {v}"], ["what batch is affected by {e}", "which pieces are affected by {e}", "which is the bad batch of {e}"]),
        ("day", ["It was sold until {v}", "The last ones were sold on {v}", "Sales stopped on {v}"], ["until when was {e} sold", "when did sales of {e} stop", "when were the last pieces of {e} sold"]),
        ("phone", ["Call {v} for a new one", "The hotline is {v}", "Owners should ring {v}"], ["what is the hotline for {e}", "which number should owners of {e} call", "whom do I ring about {e}"]),
        ("part", ["The {v} may break", "The {v} can come off", "There is a fault in the {v}"], ["which part of {e} may break", "what is wrong with {e}", "where is the fault of {e}"]),
    ]),
    "airport|station|car park|campsite|ferry|bus depot": (["the {kind} of {city}", "{city} {kind}", "the {kind} in {city}"], [
        ("count", ["There are {v} places", "It has room for {v}", "Its capacity is {v}"], ["how many places does {e} have", "what is the capacity of {e}", "how many fit into {e}", "how large is {e}"]),
        ("person", ["The person in charge is {v}", "{v} is in charge", "It is supervised by {v}"], ["who is in charge of {e}", "who supervises {e}", "who is responsible for {e}"]),
        ("price", ["One night costs {v} euros", "The fee is {v} euros a day", "A day costs {v} euros"], ["what does a day at {e} cost", "how much is the fee of {e}", "how much is it to stay at {e}"]),
        ("clock", ["The last departure is at {v}", "The last one leaves at {v}", "Nothing leaves after {v}"], ["when is the last departure from {e}", "at what time does the last one leave from {e}", "until when do they leave from {e}"]),
        ("minutes", ["The way to the centre takes {v} minutes", "The centre is {v} minutes away", "A bus needs {v} minutes to the centre"], ["how long does it take from {e} to the centre", "how far is the centre from {e}", "how many minutes is {e} from the centre"]),
    ]),
    "recipe|cake|soup|bread|sauce|salad": (["the {Name} {kind}", "{Name} {kind}", "the {kind} {Name}"], [
        ("grams", ["It needs {v} grams of flour", "Take {v} grams of flour", "Weigh {v} g of flour"], ["how much flour does {e} need", "how many grams of flour go into {e}", "what amount of flour do I take for {e}"]),
        ("minutes", ["Bake it for {v} minutes", "It stays in the oven for {v} minutes", "The baking time is {v} minutes"], ["how long does {e} bake", "how many minutes must {e} stay in the oven", "what is the baking time of {e}"]),
        ("degrees", ["Heat the oven to {v} degrees", "The oven should have {v} degrees", "It bakes at {v} degrees"], ["how hot must the oven be for {e}", "at what temperature does {e} bake", "to how many degrees do I heat the oven for {e}"]),
        ("small", ["It serves {v} people", "This is enough for {v} people", "It makes {v} portions"], ["for how many people is {e}", "how many does {e} serve", "how many portions does {e} make"]),
        ("part", ["The secret is the {v}", "Do not forget the {v}", "At the end add the {v}"], ["what is the secret of {e}", "what must not be forgotten in {e}", "what is added at the end of {e}"]),
    ]),
    "contract|lease|loan|insurance|invoice|subscription": (["the {kind} {code}", "the {kind} with {company}", "{Kind} {code}", "the {kind} of {person}"], [
        ("price", ["The monthly payment is {v} euros", "{v} euros are due each month", "The rent is {v} euros a month"], ["what is the monthly payment of {e}", "how much is due each month under {e}", "what do I pay a month for {e}"]),
        ("day", ["It ends on {v}", "The last day is {v}", "It runs until {v}", "It expires on {v}"], ["when does {e} end", "until when does {e} run", "what is the end date of {e}", "when does {e} expire"]),
        ("day", ["It was signed on {v}", "The signature is from {v}", "Both sides signed on {v}"], ["when was {e} signed", "on which date was {e} signed"]),
        ("months", ["The notice period is {v} months", "It can be cancelled with {v} months of notice"], ["what is the notice period of {e}", "with how many months of notice can {e} be cancelled"]),
        ("person", ["The tenant is {v}", "The contract partner is {v}", "It was signed by {v}"], ["who signed {e}", "who is the partner in {e}", "with whom was {e} made"]),
        ("code", ["The reference is {v}", "Please quote {v} in all letters", "The file number is {v}"], ["what is the reference of {e}", "what is the file number of {e}", "which number do I quote for {e}"]),
    ]),
    "village|town|island|region|valley|lake|river|mountain|forest": (["{city}", "{city}", "the {kind} {city}", "{city} {kind}"], [
        ("count", ["It has {v} inhabitants", "{v} people live there", "The population is {v}"], ["how many inhabitants does {e} have", "how many people live in {e}", "what is the population of {e}"]),
        ("metres", ["It lies {v} metres above the sea", "The altitude is {v} metres", "The highest point is at {v} metres"], ["how high is {e}", "what is the altitude of {e}", "how far above the sea is {e}"]),
        ("person", ["The mayor is {v}", "{v} is the mayor", "Since the election {v} has been mayor"], ["who is the mayor of {e}", "who governs {e}", "what is the name of the mayor of {e}"]),
        ("year", ["It was first mentioned in {v}", "The first records are from {v}", "It was settled in {v}"], ["when was {e} first mentioned", "from when are the first records of {e}", "when was {e} settled"]),
        ("weekday", ["Market day is {v}", "There is a market every {v}", "On {v} there is a market"], ["when is market day in {e}", "on which day is the market of {e}", "which weekday is market day in {e}"]),
        ("thing", ["It is famous for its {v}s", "Visitors come for the {v}s", "The place is known for {v}s"], ["what is {e} famous for", "why do visitors come to {e}", "what is {e} known for"]),
    ]),
    "person|employee|author|painter|captain|doctor": (["{person}", "{person}"], [
        ("year", ["{e} was born in {v}", "The year of birth is {v}"], ["when was {e} born", "in which year was {e} born", "what is the birth year of {e}"]),
        ("city", ["{e} lives in {v}", "The home of {e} is {v}", "{e} moved to {v}"], ["where does {e} live", "in which city does {e} live", "what is the home town of {e}"]),
        ("job", ["{e} works as a {v}", "By profession {e} is a {v}", "{e} is a trained {v}"], ["what does {e} do for a living", "what is the profession of {e}", "what is the job of {e}"]),
        ("phone", ["The phone number of {e} is {v}", "{e} can be called at {v}", "Ring {e} at {v}"], ["what is the phone number of {e}", "how can I call {e}", "how do I reach {e} by phone"]),
        ("small", ["{e} has {v} children", "There are {v} children in the family"], ["how many children does {e} have"]),
        ("color", ["The favourite colour of {e} is {v}", "{e} likes {v} best"], ["what is the favourite colour of {e}", "which colour does {e} like best"]),
        ("room", ["{e} sits in room {v}", "The office of {e} is room {v}", "You find {e} in room {v}"], ["in which room is {e}", "where does {e} sit", "what is the office of {e}"]),
    ]),
}  # fmt: skip

FILLER = """More details will follow.|Please read this page carefully.|This page was checked last month.|There is a map at the entrance.|Many people ask about this.|The text was written for new readers.
Changes are announced in time.|Nothing else has changed.|The weather was good that year.|A short history follows below.|Dogs are not allowed.|Photos can be found in the archive.|The old sign was removed.
Some of this is still under discussion.|Thanks to all who helped.|A printed copy is kept in the office.|The paint is new.|Everybody is welcome.|It is easy to find.|The view is worth a visit.
Keep this document in a safe place.|The list is not complete.|All figures are from the last report.|Younger readers may skip this part.|Ask at the desk if anything is unclear.|The roof was repaired in spring.
There are plans for the future.|A second edition is being prepared.|Parking is possible nearby.|The team is proud of it.|We had some trouble with the computer.|Tea and coffee are served.|Some parts are under repair.
The newspaper wrote about it.|Children like it a lot.|It was not always like this.|There was a long debate about the name.|A small shop sells postcards.|The numbers were rounded.|Nobody remembers who wrote the first version.""".replace("\n", "|").split("|")  # fmt: skip

PLACES = "town hall|old barn|main hall|city park|sports hall|market square|church|school yard|concert hall|library|big tent|court room|garden|boat house".split("|")
PARTS = "handle|lid|spring|switch|cable|screen|wheel|hinge|filter|battery|blade|seal|button|butter|salt|pepper|lemon juice|garlic|honey|cream|vinegar|vanilla|yeast".split("|")
HEADINGS = "Overview|Details|Facts|History|Contact|About|Information|Notes|Background|Summary|Practical things|Questions|At a glance|In short".split("|")
PLAIN = "code|colour|owner|size|number|name|reference|limit|status|level|date|price|speed|address|category|budget|rating|material|version|password hint|serial|length|quota|frequency|contact|shelf|route|gate|key|term".split("|")
"""Properties that are told and asked for by their own name."""

DEEDS = "paints|cleans|repairs|guards|feeds|builds|checks|prints|teaches|watches|waters|sells|paid for|made|drew|wrote about|counts|decorates|measures|carries|heats|locks|lights".split("|")
LENGTHS = ["metres", "feet", "centimetres", "m", "inches", "yards"]
MEASURES = [
    ("wide", "width", LENGTHS), ("deep", "depth", LENGTHS), ("high", "height", LENGTHS), ("tall", "height", LENGTHS), ("thick", "thickness", LENGTHS), ("broad", "breadth", LENGTHS),
    ("old", "age", ["years", "months", "days"]), ("heavy", "weight", ["kilos", "tons", "kilograms", "grams"]), ("strong", "strength", ["horsepower", "watts", "men"]), ("fast", "speed", ["kilometres an hour", "knots"]),
]  # fmt: skip
"""How it is asked for, what the property is called, and in which units it is told."""
USES = [("rent", "rented"), ("use", "used"), ("keep", "kept"), ("hire", "hired"), ("store", "stored"), ("try", "tried"), ("visit", "visited"), ("reserve", "reserved"), ("book", "booked"), ("park", "parked"), ("watch", "watched")]
BESIDES = "was painted last year|is well kept|stands in the sun|needs no care|is open to all|belongs to the town|has a new roof|can be seen from afar|makes no noise|was given as a present|carries a flag|is made of steel".split("|")
