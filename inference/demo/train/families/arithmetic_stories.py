"""Word problems: an expression and the story shapes that lead to it.

`<GET>` and the other capitals stand for lists of words, `<one|other>` is a choice. `{N}`, `{M}` are people, `{p}` things, `{q}` one
of them. Numbers stand in the order of the expression unless the story must name them otherwise.
"""

_WORDS = {
    "OWN": "has|owns|has collected|keeps|starts with|has saved up|is holding|bought",
    "GET": "gets|receives|buys|finds|picks up|is given|wins|earns|collects|adds|orders|gathers",
    "GOT": "got|received|bought|found|picked up|was given|won|collected|added|ordered",
    "LOSE": "gives away|loses|sells|uses|eats|drops|breaks|throws away|hands out|donates|lends|returns",
    "LOST": "gave away|lost|sold|used|dropped|broke|threw away|handed out|donated|lent out|returned",
    "BOX": "boxes|bags|crates|packs|baskets|cartons|trays|drawers|shelves|cases|jars|piles|rows|bins|pallets|containers|parcels|cupboards",
    "ONEBOX": "box|bag|crate|pack|basket|carton|tray|drawer|shelf|case|jar|pile|row|bin|pallet|container",
    "EACH": "each|apiece|in each|in every one|per piece|each one",
    "HOLDS": "holds|contains|has|fits|carries|takes|stores",
    "PLACE": "shop|store|warehouse|garden|box|basket|drawer|kitchen|garage|depot|bakery|school|library|office|factory|barn",
    "TOTAL": "in total|altogether|in all|together|overall|all in all|combined|all together",
    "NOW": "now|then|after that|in the end|afterwards|at the end",
    "LEFT": "are left|remain|are left over|are still there|are there still|stay|are there then",
    "MONEY": "dollars|euros|pounds|francs|dollars|euros",
    "KIDS": "children|friends|people|students|guests|workers|neighbors|teams|kids|players|families|cousins|pupils|colleagues",
    "DAYS": "days|weeks|months|hours|mornings|evenings|years|nights|shifts",
    "DAY": "a day|per day|every day|each day|daily",
    "SHARE": "shares|divides|splits|distributes|hands out|spreads",
    "PACK": "packed|put|placed|sorted|distributed|divided|stored",
    "GOODS": "coat|phone|book|chair|bike|lamp|shirt|ticket|meal|bag",
    "FIRST": "in the morning|on Monday|on the first day|in January|last week|at first|yesterday|before lunch|in spring",
    "SECOND": "in the afternoon|on Tuesday|on the second day|in February|this week|later|today|after lunch|in summer",
}

_SHAPES = {
    "{a} + {b}": [
        "{N} <OWN> {a} {p} and <GET> {b} <more|others|new ones|additional {p}>. How many {p} does {N} have <NOW>?", "{N} had {a} {p}. <Then|Later|Yesterday|Today> {N} <GOT> {b} <more|others|extra {p}>. How many {p} does {N} have <NOW>?", "How many {p} does {N} have <NOW> if {N} <OWN> {a} and <GET> {b} more?", "{N} <GOT> {a} {p} <FIRST> and {b} <SECOND>. How many {p} is that <TOTAL>?",
        "There are {a} {p} in <one|the first> <ONEBOX> and {b} in <the other|the second|another>. How many {p} are there <TOTAL>?", "{N} has {a} {p} and {M} has {b}<| {p}>. How many {p} do they have <TOTAL>?", "The <PLACE> had {a} {p}. A <delivery|truck|van> brings {b} <more|further ones>. How many {p} are <there|in stock> <NOW>?", "We sold {a} {p} <FIRST> and {b} <SECOND>. What is the total?",
        "One <GOODS> costs <${a}|{a} <MONEY>>, another <is|costs> <${b}|{b} <MONEY>>. What do <I pay for both|both cost|they cost together>?", "{N} drove {a} km <FIRST> and {b} km <SECOND>. How <far|many km> is that <TOTAL>?", "A <plant|child|tree> was {a} cm tall and grew {b} cm. How tall is it now?", "It was {a} degrees and got {b} degrees warmer. How warm is it now?", "{a} <boys|women|adults> and {b} <girls|men|children> <came|are here|took part|went on the trip>. How many people is that?",
        "My <account|wallet|purse> has {a} <MONEY>. I <deposit|add|put in> {b} more. What is the balance?", "<On Monday|In May> {a} people visited, <on Tuesday|in June> {b}. How many visited <TOTAL>?", "{N} <walked|ran|cycled|swam> {a} m and then {b} m more. What is the total distance?", "A recipe needs {a} g of flour and {b} g of sugar. How much does this weigh together?", "{N} gave {M} {a} {p}, and {M} already had {b}. How many has {M} now?", "The first part takes {a} minutes, the second {b} minutes. How long does it take <TOTAL>?",
    ],
    "{a} - {b}": [
        "{N} <OWN> {a} {p} and <LOSE> {b}<| of them>. How many {p} <LEFT>?", "{N} had {a} {p} and <LOST> {b}<| of them>. How many {p} <are left|remain|does {N} still have|does {N} have <NOW>>?", "How many {p} <LEFT> if {N} <OWN> {a} and <LOSE> {b}?", "There <are|were> {a} {p} in the <PLACE>. {b} <are taken|were taken|were sold|are sold|were stolen|rotted|are broken|were shipped>. How many <LEFT>?", "{N} has {a} {p}, {M} has {b}. How many <more|more {p}> does {N} have<| than {M}>?",
        "{N} has {a} {p} and {M} {b}. How many fewer does {M} have?", "I had {a} <MONEY> and <spent|paid|lost|gave away> {b}. How much <is left|do I have left|remains|do I still have>?", "I pay with {a} <MONEY> for something that costs {b}. How much change do I get?", "{N} wants {a} {p} and already has {b}. How many <are missing|more does {N} need|are still needed>?", "{N} is saving <up|> for a <GOODS> that costs {a}. {N} has {b}. How much <is missing|more is needed>?",
        "A <rope|board|ribbon|pipe|cable> is {a} cm long and {b} cm are cut off. How long is the rest?", "The trip is {a} km<| long>. {N} has <driven|done|walked> {b} km. How far is it still?", "A <tank|barrel|bottle|pool> <holds|contains|had> {a} liters. {b} liters <are used|flow out|leak|are gone>. How much is left?", "A <bus|train|plane|ship> has {a} passengers. {b} <get off|leave|get out>. How many <stay|remain|are still on board>?", "It was {a} degrees and got {b} degrees colder. How warm is it now?", "A <class|club|team|company> had {a} members and {b} left. How many members <are left|remain|are there now>?",
        "{N} is {a} years old, {M} is {b}. How much older is {N}?", "{N} is {a} cm tall and {M} is {b} cm. How much taller is {N}?", "A <GOODS> costs {a}, but in sale it is {b} cheaper. What does it cost in sale?", "Of {a} {p}, {b} are <red|broken|bad|sold|mine|green|old>. How many are not?", "{N} scored {a} points, {M} {b}. By how many points did {N} win?", "The <warehouse|store|shop> ships {b} of its {a} {p}. How many <LEFT>?", "{N} read {b} of {a} pages. How many pages are left?",
    ],
    "{a} * {b}": [
        "{N} <has|buys|fills|packs|carries|orders> {a} <BOX> <with|of> {b} {p} <EACH>. How many {p} <is that|are there|does {N} have> <TOTAL>?", "There are {a} <BOX> <with|and in each there are|, each with> {b} {p}. How many {p} are there <TOTAL>?", "How many {p} are in {a} <BOX> <if each <HOLDS> {b}|of {b} each|with {b} each|with {b} {p} <EACH>>?", "{a} <BOX> each hold {b} {p}. How many {p} <is that|are there> <TOTAL>?", "The <PLACE> has {a} <BOX>. Every <ONEBOX> <HOLDS> {b} {p}. How many {p} is that <TOTAL>?",
        "{N} <buys|orders|sells|needs> {a} {p} <at|for> <${b}|{b} <MONEY>> <each|apiece|a piece>. What <is the total|do they cost|does that cost|is the price>?", "What do {a} {p} cost <at|if one costs|when each costs> <${b}|{b} <MONEY>><| each>?", "{N} <makes|reads|paints|sells|bakes|needs|plants|uses|writes> {a} {p} <DAY>. How many is that in {b} <DAYS>?", "{N} <earns|saves|spends|gets|pays> {a} <MONEY> <a|per|every> <day|hour|week|month>. How much is that <after|in|over> {b} of them?", "A <car|train|bus|cyclist|ship|plane> <goes|travels|drives|moves> {a} km per hour. How far <does it get|is that> in {b} hours?",
        "A <class room|theater|hall|plane|bus|cinema> has {a} rows <of|with> {b} seats<| each>. How many seats are there?", "{a} <KIDS> <bring|get|have|carry|need|eat> {b} {p} <EACH>. How many {p} is that <TOTAL>?", "Each of {a} <KIDS> <brings|gets|has|pays|needs> {b} <{p}|<MONEY>>. How <many|much> is that <TOTAL>?", "A <wall|floor|garden|field> is {a} m <long|wide> and {b} m <high|deep|long>. What is its area?", "{N} <walks|runs|swims|cycles> {a} km <DAY>. How many km is that in {b} days?", "A <machine|printer|factory|worker|robot> makes {a} {p} <an hour|a day|per minute|per hour>. How many does it make in {b}?",
        "One <ONEBOX> weighs {a} kg. How much do {b} of them weigh?", "A <GOODS> costs {a} <MONEY>. How much do {b} of them cost?", "There are {a} floors with {b} <rooms|windows|flats|offices> each. How many is that?", "{N} has {a} {p}. {M} has {b} times as many. How many does {M} have?", "{a} <cars|spiders|tables|bikes|dogs|houses> have {b} <legs|wheels|parts|doors> each. How many is that <TOTAL>?", "A ticket costs {a}. What do {b} <people|visitors|adults> pay <TOTAL>?",
    ],
    "{a} / {b}": [
        "{N} <SHARE> {a} {p} <equally|evenly|fairly> <among|between> {b} <KIDS>. How many does each <get|receive|have>?", "{a} {p} are <PACK> <evenly|equally> <into|in> {b} <BOX>. How many {p} <are in each|does each <ONEBOX> hold|per <ONEBOX>>?", "How many {p} does each <get|receive> if {b} <KIDS> share {a}<| {p}> <equally|evenly>?", "{b} {p} cost {a} <MONEY>. <What does one cost|How much is one|What is the price of a single one|How much is one {q}>?", "A <bill|meal|taxi|dinner|rent|gift> of {a} <MONEY> is <shared|split|divided> <by|between|among> {b} <KIDS>. How much does each pay?",
        "{N} <drove|walked|cycled|sailed> {a} km in {b} hours. What was the <average|> speed?", "A <rope|board|ribbon|pipe|cable> of {a} cm is cut into {b} equal pieces. How long is each<| piece>?", "{N} <reads|paints|makes|bakes|sells> {a} {p} in {b} <DAYS>. How many is that <per day|each time|on average>?", "{N} earns {a} <MONEY> in {b} <hours|days|weeks>. How much is that per <hour|day|week>?", "{a} <students|people|players|guests> form {b} equal <teams|groups|rows|lines>. How many are in each?", "{N} wants to read {a} pages in {b} days. How many pages a day is that?",
        "It takes {a} minutes to make {b} {p}. How many minutes per {q} is that?", "A pack of {b} {p} costs {a}. How much is a single one?", "{a} liters <fill|are poured into> {b} equal <bottles|buckets|cans>. How much goes into each?", "{a} {p} are dealt to {b} <KIDS>. Everyone gets the same. How many each?", "A car needs {a} liters for {b} km. How many liters per km?",
    ],
    "{a} // {b}": [
        "How many <full|complete|whole> <BOX> of {b} can <I|we|{N}> fill with {a} {p}?", "{N} packs {a} {p} into <BOX> of {b}. How many <BOX> are <full|completely full>?", "How many {p} at {b} <MONEY> each can {N} buy with {a}?", "{N} has {a} <MONEY>. A {q} costs {b}. How many can {N} buy at most?", "There are {a} <people|players|students>. How many <full|complete> teams of {b} <can they form|can be made>?", "{a} {p}, {b} per <ONEBOX>: how many <full|complete> <BOX> is that?",
    ],
    "{a} % {b}": [
        "{N} packs {a} {p} into <BOX> of {b}. How many <are left over|{p} are left over|do not fit>?", "{a} {p} are <PACK> <in|into> <BOX> of {b}. How many are left over?", "{a} {p} are shared among {b} <KIDS> so that everyone gets the same whole number. How many are left over?", "There are {a} <people|players|students>. They form teams of {b}. How many people are left over?", "{N} <SHARE> {a} {p} equally among {b} <KIDS> and keeps the rest. How many does {N} keep?", "How many {p} are left over when {a} are <PACK> in groups of {b}?",
    ],
    "{a} * {b} + {c}": [
        "{N} has {a} <BOX> <with|of> {b} {p} <EACH> and {c} <loose|extra|single|more> <ones|{p}>. How many {p} is that <TOTAL>?", "{N} buys {a} {p} <at|for> {b} <MONEY> each and <a <GOODS> for {c}|pays {c} for delivery|pays {c} for shipping>. <What is the total|What does it all cost|How much is that>?", "{N} <earns|saves> {a} <MONEY> a <day|week|month> for {b} <days|weeks|months> and gets a <bonus|gift> of {c}. How much is that <TOTAL>?", "There are {a} rows of {b} {p} and {c} more. How many are there <TOTAL>?", "{a} <BOX> hold {b} {p} each. {c} are added. How many {p} are there <NOW>?",
    ],
    "{a} * {b} - {c}": [
        "{N} <buys|has|fills> {a} <BOX> <with|of> {b} {p} <EACH> and <LOSE> {c}<| of them>. How many {p} <LEFT>?", "There are {a} <BOX> with {b} {p} each. {c} are <broken|sold|taken|bad|missing>. How many {p} <LEFT>?", "{N} <earns|saves> {a} <MONEY> a <day|week|month> for {b} <days|weeks|months> and spends {c}. How much is left?", "{N} sells {a} {p} for {b} each. The costs are {c}. What is the profit?", "{a} rows of {b} {p}, but {c} are missing. How many are there?",
    ],
    "{a} + {b} - {c}": [
        "{N} <OWN> {a} {p}, <GET> {b} <more|others> and <LOSE> {c}. How many <LEFT>?", "{N} had {a} {p}. <First|Then> {N} <GOT> {b}, <then|later> {N} <LOST> {c}. How many does {N} have <NOW>?", "A <bus|train|tram|boat> has {a} <people|passengers>. {b} get on<| and|,> {c} get off. How many are on <it|board> <NOW>?", "The <PLACE> has {a} {p}. {b} are <delivered|added|brought> and {c} are <sold|taken|removed|shipped>. How many {p} <LEFT>?", "My account has {a}. I deposit {b} and <withdraw|spend|pay> {c}. What is the balance?",
    ],
    "{a} - {b} + {c}": [
        "{N} <OWN> {a} {p}, <LOSE> {b} and <then|later> <GET> {c}<| more>. How many does {N} have <NOW>?", "{N} had {a} {p}. {N} <LOST> {b} and <GOT> {c}. How many {p} does {N} have <NOW>?", "A <bus|train|tram|boat> has {a} <people|passengers>. {b} get off and {c} get on. How many are on <it|board> <NOW>?", "The <PLACE> has {a} {p}. {b} are <sold|taken|removed|shipped> and {c} are <delivered|added|brought>. How many {p} are there <NOW>?", "My account has {a}. I <withdraw|spend|pay> {b} and deposit {c}. What is the balance?",
    ],
    "{a} - {b} - {c}": [
        "{N} <OWN> {a} {p}, <LOSE> {b} and then <LOSE> {c}<| more>. How many <LEFT>?", "{N} had {a} {p}. {N} gave {b} to {M} and {c} to a friend. How many does {N} still have?", "I had {a} <MONEY>. I spent {b} on <food|books|a <GOODS>> and {c} on <fuel|clothes|a gift>. How much is left?", "The <PLACE> had {a} {p}. {b} were sold <FIRST> and {c} <SECOND>. How many <LEFT>?",
    ],
    "{a} - {b} * {c}": [
        "{N} has {a} <MONEY> and buys {b} {p} for {c} each. How much is left?", "There were {a} {p}. {b} <KIDS> took {c} <EACH>. How many <LEFT>?", "I pay with {a} <MONEY> for {b} {p} at {c} each. How much change do I get?", "A tank holds {a} liters and loses {b} liters a day for {c} days. How much is left?",
    ],
    "{a} * {b} * {c}": [
        "A <box|room|tank|pool|crate> is {a} <m|cm> long, {b} <m|cm> wide and {c} <m|cm> high. What is its volume?", "{a} <trucks|rooms|shelves> carry {b} <BOX> with {c} {p} each. How many {p} is that <TOTAL>?", "{N} <runs|reads|trains|works> {a} <km|pages|hours> a day, {b} days a week, for {c} weeks. How much is that <TOTAL>?", "There are {a} <BOX>. Each has {b} <bags|trays>, and each of those has {c} {p}. How many {p} is that?",
    ],
    "({a} + {b}) / {c}": [
        "{N} has {a} {p} and {M} has {b}. They <share|split|divide> them equally among {c} <KIDS>. How many does each get?", "{a} {p} and {b} {r} are <PACK> evenly into {c} <BOX>. How many things are in each?", "A bill has {a} for food and {b} for drinks. {c} people split it. How much does each pay?",
    ],
    "({a} - {b}) / {c}": [
        "{N} has {a} {p}, keeps {b} and <SHARE> the rest equally among {c} <KIDS>. How many does each get?", "Of {a} {p}, {b} are bad. The rest is <PACK> evenly into {c} <BOX>. How many are in each?", "A <GOODS> costs {a}. {N} pays {b} now and the rest in {c} equal parts. How much is each part?",
    ],
}  # fmt: skip


def _expand(shape: str) -> str:
    for name, choices in _WORDS.items():
        shape = shape.replace(f"<{name}>", f"<{choices}>")
    return shape


STORY: dict[str, list[str]] = {expression: [_expand(_expand(shape)) for shape in shapes] for expression, shapes in _SHAPES.items()}
