"""Sentences that tell several facts about one subject, where property names are synonyms of the words in the sentence.

A concept is `maker; property names; clauses`. Its names are synonyms of each other, so a label in the text may be another one than
the property in the schema. Concepts of one subject may take the same kind of value; then only the meaning decides.
"""

from families.base import Source
from families.fields import Telling, Value, decorated, label
from families.scenes import value_of


def _concepts(text: str) -> list[tuple[str, list[str], list[str]]]:
    rows = [line.split(";") for line in text.strip().splitlines()]
    return [(maker.strip(), names.split(), [c.strip() for c in clauses.split("|")]) for maker, names, clauses in rows]


PERSON = _concepts("""
city; residence home_town lives_in city_of_residence home; lives in {v}|has a flat in {v}|resides in {v}|is at home in {v}|has settled in {v}|lives and sleeps in {v}|pays rent in {v}
city; birthplace place_of_birth born_in native_city city_of_birth; was born in {v}|came into the world in {v}|was a baby in {v}|first saw the light of day in {v}
city; work_city office_city workplace place_of_work works_in; works in {v}|commutes to {v}|has an office in {v}|goes to work in {v}
country; nationality citizenship passport country_of_origin native_country; is a citizen of {v}|holds a passport of {v}|comes from {v}|grew up in {v}
age; age years years_old age_in_years how_old; is {v} years old|is {v}|turned {v} last week|has reached the age of {v}|will celebrate the birthday number {v} tomorrow
date; birthday date_of_birth birth_date born_on dob; was born on {v}|has a birth certificate from {v}|came to life on {v}
firm; employer works_for company workplace_name firm; works for {v}|is on the payroll of {v}|is employed at {v}|has a job at {v}|earns a living at {v}
firm; former_employer previous_company last_employer worked_for ex_employer; used to work for {v}|left {v} two years ago|was let go by {v}|spent ten years at {v} before that
job; job occupation profession role position; works as a {v}|earns money as a {v}|is a {v} by trade|has the job of a {v}|was trained as a {v}
money; salary income wage pay earnings; earns {v} a month|is paid {v}|takes home {v}|makes {v}|gets {v} at the end of the month
phone; phone telephone phone_number mobile tel; can be called at {v}|answers the phone at {v}|has the number {v}|picks up at {v}
mail; email email_address mail e_mail contact_email; can be written to at {v}|reads mails at {v}|has the mailbox {v}|answers at {v}
who; boss manager supervisor reports_to superior; reports to {v}|has {v} as a boss|takes orders from {v}|is led by {v}|works under {v}
who; spouse partner married_to husband_or_wife life_partner; is married to {v}|shares a bed with {v}|said yes to {v}|is the better half of {v}
who; mother mom mother_name parent_female; has {v} for a mother|was brought up by the mother, {v},|calls {v} mom
who; doctor physician family_doctor medic; is treated by doctor {v}|sees doctor {v} when ill|trusts doctor {v}
few; children kids number_of_children child_count offspring; has {v} children|raised {v} kids|is a parent of {v}|has to feed {v} little ones
size; height height_m tall body_height stature; is {v} m tall|measures {v} meters from head to toe|stands {v} m high
language; language mother_tongue native_language speaks first_language; speaks {v}|grew up with {v}|dreams in {v}|talks {v} at home
tint; favorite_color favourite_colour preferred_color likes_color; likes {v} best|prefers {v}|paints everything {v}|always wears {v}
sport; hobby pastime leisure interest free_time; loves {v}|spends the weekends with {v}|is fond of {v}|cannot live without {v}|relaxes with {v}
date; start_date joined since hired_on entry_date; started on {v}|joined on {v}|has been with us since {v}|had the first day on {v}
code; member_id id membership_number card_number reference; has the card {v}|is registered under {v}|carries the number {v}|is known to us as {v}
many; room office_number room_number office desk; sits in room {v}|can be found in office {v}|works behind door {v}
subject; subject major field_of_study studies course; studies {v}|is a student of {v}|wrote a thesis in {v}|takes lessons in {v}
plate; license_plate plate car_plate registration number_plate; drives the car {v}|parks the car {v}|owns the vehicle {v}
ismarried; married is_married wedded; {v}
ismember; member is_member active_member subscribed; {v}
""")

PRODUCT = _concepts("""
money; price cost unit_price amount retail_price; costs {v}|sells for {v}|is yours for {v}|goes for {v}|is priced at {v}|can be had for {v}|sets you back {v}
money; shipping_cost delivery_fee shipping postage freight; is shipped for {v}|is sent to you for {v}|adds {v} for the postman
tint; color colour shade finish hue; is {v}|comes in {v}|is painted {v}|shines in {v}|has a {v} surface
firm; brand manufacturer maker producer made_by; is made by {v}|comes out of the factory of {v}|was built by {v}|bears the logo of {v}
firm; supplier vendor seller sold_by dealer; is delivered by {v}|is bought from {v}|reaches us through {v}|is sold by {v}
country; made_in origin country_of_origin production_country; is made in {v}|was produced in {v}|comes from {v}
many; stock quantity available_units inventory units_left; is on the shelf {v} times|is in stock {v} times|is left {v} times|waits in the warehouse, {v} of them
code; sku article_number item_number product_code part_number; has the number {v}|is listed as {v}|can be ordered under {v}|is filed under {v}
size; weight weight_kg mass heavy kilograms; weighs {v} kg|brings {v} kilos to the scales|is {v} kilograms heavy
size; width wide width_cm breadth; is {v} cm wide|measures {v} cm from left to right|has a breadth of {v} cm
size; height tall height_cm high; is {v} cm high|measures {v} cm from top to bottom|stands {v} cm tall
few; warranty guarantee warranty_years guarantee_years; has a guarantee of {v} years|is covered for {v} years|is repaired for free for {v} years
percent; discount rebate reduction percent_off; is reduced by {v} percent|is {v} percent off|got cheaper by {v}%
date; release_date launch available_from on_sale_since; came out on {v}|has been sold since {v}|was launched on {v}|hit the shops on {v}
plain; material made_of fabric substance; is made of {v}|consists of {v}|was cut from {v}
size; rating stars score average_rating; got {v} stars|is rated {v}|is given {v} points by buyers
isavailable; available in_stock can_be_ordered deliverable; {v}
""")

COMPANY = _concepts("""
city; headquarters seat head_office based_in hq; has its seat in {v}|is based in {v}|is run from {v}|is at home in {v}
city; factory plant production_site factory_city; produces in {v}|has a factory in {v}|builds everything in {v}
year; founded founding_year established since start_year; was founded in {v}|opened its doors in {v}|has been around since {v}|dates from {v}
many; employees staff headcount workers workforce; employs {v} people|has {v} workers|pays {v} salaries|gives jobs to {v}
who; ceo director head chief managed_by; is led by {v}|is run by {v}|has {v} at the top|is headed by {v}
who; founder founded_by creator started_by; was founded by {v}|was the idea of {v}|was started by {v}|goes back to {v}
money; revenue turnover sales yearly_sales; takes in {v} a year|sold goods worth {v}|made {v} in sales
money; profit net_income earnings gain; earned {v} after tax|was left with {v} in the end|made a profit of {v}
firm; owner parent_company belongs_to holding; belongs to {v}|is a daughter of {v}|was bought by {v}
firm; competitor rival main_competitor; competes with {v}|has a rival in {v}|fights {v} for customers
phone; phone telephone phone_number hotline; can be called at {v}|picks up at {v}|has the hotline {v}
mail; email email_address mail contact; answers mails at {v}|can be written to at {v}|has the mailbox {v}
few; branches offices locations outlets; has {v} branches|runs {v} shops|opened {v} outlets
""")

EVENT = _concepts("""
city; city venue_city location place held_in; takes place in {v}|is held in {v}|will be in {v}|brings people to {v}
date; start_date first_day begins_on date from; begins on {v}|starts on {v}|opens on {v}
date; end_date last_day ends_on until; ends on {v}|closes on {v}|is over on {v}
time; start_time begins_at doors_open time; starts at {v}|kicks off at {v}|opens at {v}
time; end_time ends_at finish closing_time; is over at {v}|ends at {v}|closes at {v}
who; organizer host organised_by planner; is organized by {v}|was planned by {v}|is the work of {v}|is hosted by {v}
who; speaker guest keynote star presenter; has {v} on the stage|presents {v}|has a talk by {v}
money; entry_fee ticket_price admission fee price; costs {v} to get in|takes {v} at the door|asks {v} of each guest
many; seats capacity places max_guests; has room for {v} people|can take {v} guests|offers {v} chairs
firm; sponsor paid_by supporter sponsored_by; is paid for by {v}|is supported by {v}|gets money from {v}
many; visitors attendance last_year_visitors audience; drew {v} visitors last time|was seen by {v} people|counted {v} heads
""")

BUILDING = _concepts("""
city; city town location situated_in; is in {v}|stands in {v}|can be found in {v}
address; street address street_address located_at; is at {v}|has the address {v}|has its door at {v}
year; built year_built construction_year completed; was built in {v}|was finished in {v}|dates from {v}
who; architect designer designed_by; was designed by {v}|was drawn by {v}|is the masterpiece of {v}
who; owner landlord owned_by proprietor; belongs to {v}|is owned by {v}|was bought by {v}
who; tenant renter occupant rented_by; is rented by {v}|is lived in by {v}|has {v} as a tenant
few; floors storeys levels number_of_floors; has {v} floors|is {v} storeys high|rises over {v} levels
few; rooms bedrooms room_count; has {v} rooms|offers {v} bedrooms|is divided into {v} rooms
money; rent monthly_rent rent_per_month; is let for {v} a month|costs the tenant {v} each month|brings in {v} a month
money; purchase_price sale_price price value; was bought for {v}|is for sale at {v}|changed hands for {v}
many; area square_meters living_space surface; has {v} square meters|offers {v} m² of space|covers {v} square meters
tint; facade_color color wall_color paint; is painted {v}|has {v} walls|looks {v} from outside
""")

VEHICLE = _concepts("""
firm; brand make manufacturer built_by; is a {v}|was built by {v}|comes from {v}
tint; color colour paint lacquer; is {v}|is painted {v}|has a {v} coat
year; model_year built year year_of_manufacture; was built in {v}|left the factory in {v}|dates from {v}
many; mileage kilometers odometer km_driven; has run {v} km|shows {v} kilometers|has {v} km behind it
who; owner holder registered_to keeper; belongs to {v}|is registered to {v}|was bought by {v}
who; driver driven_by chauffeur; is driven by {v}|has {v} at the wheel|is steered by {v}
money; price asking_price cost; costs {v}|is for sale at {v}|goes for {v}
few; seats passengers places capacity; has {v} seats|takes {v} people|offers room for {v}
many; top_speed max_speed speed maximum_speed; does {v} km/h|reaches {v} km/h|is as fast as {v} km/h
date; inspection_date next_inspection checkup due_date; must be inspected on {v}|goes to the garage on {v}|is due for a check on {v}
city; parked_in garage_city location stands_in; stands in {v}|is parked in {v}|spends the nights in {v}
""")

ANIMAL = _concepts("""
animal; species kind animal type; is a {v}|belongs to the species {v}
age; age years age_years how_old; is {v} years old|has lived for {v} years|is {v}
size; weight kg mass weight_kg; weighs {v} kg|brings {v} kilos to the scales
who; owner keeper belongs_to master; belongs to {v}|is kept by {v}|lives with {v}
who; vet doctor treated_by veterinarian; is treated by {v}|sees the vet {v}|gets shots from {v}
tint; color colour fur coat; is {v}|has {v} fur|looks {v}
code; chip_number chip id tag; wears the chip {v}|has the tag {v}|is registered as {v}
city; found_in rescued_from origin birthplace; was found in {v}|was rescued in {v}|was born in {v}
plain; food favorite_food diet feed; eats {v}|loves {v}|is fed {v}
""")

BOOK = _concepts("""
who; author writer written_by creator; was written by {v}|is the work of {v}|came from the pen of {v}
who; translator translated_by; was translated by {v}|was put into English by {v}
who; hero main_character protagonist; tells the life of {v}|is about {v}|follows {v}
firm; publisher published_by press publishing_house; was published by {v}|is sold by the house {v}|came out at {v}
year; year published publication_year release_year; came out in {v}|was printed in {v}|appeared in {v}
many; pages length page_count number_of_pages; has {v} pages|fills {v} pages|is {v} pages long
language; language original_language written_in; is written in {v}|can be read in {v}|uses {v}
money; price cost retail_price; costs {v}|sells for {v}|is yours for {v}
code; shelf_mark isbn signature call_number; stands at {v}|is filed as {v}|carries the mark {v}
city; setting takes_place_in location scene; plays in {v}|is set in {v}|leads the reader to {v}
""")

ORDER = _concepts("""
who; customer buyer client ordered_by purchaser; was placed by {v}|comes from {v}|was made by {v}
who; agent clerk handled_by employee; is handled by {v}|was written down by {v}|lies on the desk of {v}
thing; product item article goods; is for a {v}|consists of a {v}|contains a {v}
few; quantity count pieces units; is for {v} pieces|holds {v} units|counts {v} items
money; total amount sum grand_total; comes to {v}|makes {v} in all|adds up to {v}
money; shipping shipping_cost delivery_fee postage; is shipped for {v}|costs {v} to send
date; order_date ordered_on placed_on; was placed on {v}|came in on {v}|was signed on {v}
date; delivery_date due arrival expected_on; will arrive on {v}|is due on {v}|gets delivered on {v}
city; ship_to destination delivery_city to; goes to {v}|is sent to {v}|will be unpacked in {v}
city; ship_from warehouse origin from; leaves from {v}|is packed in {v}|starts in {v}
ispaid; paid is_paid settled payment_received; {v}
""")

PATIENT = _concepts("""
who; doctor physician treated_by attending; is treated by {v}|was operated on by {v}|is a case of doctor {v}
who; nurse cared_for_by carer; is cared for by nurse {v}|gets pills from nurse {v}
date; admission_date admitted arrival check_in; was admitted on {v}|came in on {v}|arrived on {v}
date; discharge_date discharged released check_out; may go home on {v}|was sent home on {v}|leaves on {v}
many; room ward_room room_number; lies in room {v}|sleeps in room {v}
size; temperature body_temperature fever; has a temperature of {v}|is {v} degrees warm|shows {v} on the thermometer
minutes; pulse heart_rate beats_per_minute; has a pulse of {v}|shows {v} heart beats a minute
medicine; medication drug medicine takes; takes {v}|is given {v}|swallows {v} each morning
age; age years years_old; is {v} years old|is {v}
phone; emergency_contact phone contact_number relative_phone; has relatives at {v}|wants {v} to be called
""")

SERVER = _concepts("""
city; location data_center site; stands in {v}|hums in a cellar in {v}|is hosted in {v}
version; os_version version release software_version; runs version {v}|is on release {v}
few; cores cpus cpu_count processors; has {v} cores|computes on {v} processors
many; memory ram memory_gb; has {v} GB of memory|holds {v} gigabytes in RAM
many; disk storage disk_gb capacity; stores {v} GB on disk|offers {v} gigabytes of storage
who; admin administrator responsible maintained_by; is looked after by {v}|is run by {v}|has {v} as its admin
date; installed_on installation_date in_service_since; was set up on {v}|has been running since {v}
date; end_of_life retire_on shutdown_date; will be switched off on {v}|is to be replaced on {v}
money; monthly_cost cost fee price; costs {v} a month|eats {v} each month
""")

SUBJECTS = [
    ("who", "name full_name person", "person profile contact employee user member resident record staff_member applicant human individual", PERSON, ["{}", "{}", "My friend {}", "Our colleague {}", "A certain {}", "Mr {}", "Dear all, {}", "You know that {}"], ["He", "She"]),
    ("thing", "product item name article", "product item article offer listing goods catalog_entry record merchandise", PRODUCT, ["The {}", "Our {}", "This {}", "A {}"], ["It"]),
    ("firm", "company name firm business", "company firm business organization enterprise vendor record corporation", COMPANY, ["{}", "{}", "The company {}"], ["It"]),
    ("title", "event name title", "event meeting festival conference show entry happening", EVENT, ["{}", "The event {}", '"{}"'], ["It"]),
    ("title", "name building house", "building house property home estate real_estate", BUILDING, ["The house {}", '"{}"', "{}"], ["It"]),
    ("plate", "plate license_plate registration id", "vehicle car van fleet_entry automobile", VEHICLE, ["The car {}", "{}", "Vehicle {}"], ["It"]),
    ("first", "name pet called", "animal pet patient creature", ANIMAL, ["{}", "Our {}", "Little {}"], ["He", "She", "It"]),
    ("title", "title book name", "book publication work novel volume", BOOK, ['"{}"', "The book {}", "{}"], ["It"]),
    ("code", "order_id id order number reference", "order purchase sale transaction delivery", ORDER, ["Order {}", "The order {}", "{}"], ["It"]),
    ("who", "patient name full_name", "patient case admission medical_record", PATIENT, ["{}", "The patient {}", "{}"], ["He", "She"]),
    ("service", "host name server hostname", "server host machine node computer", SERVER, ["{}", "The machine {}", "Server {}"], ["It"]),
]  # fmt: skip


def portrait(g: Source) -> tuple[str, list[tuple[str, str]], Telling]:
    """A record name, (property, type) of each fact, the subject's name first, and what tells them with ever new values."""
    maker, heads, roots, concepts, subjects, pronouns = g.pick(SUBJECTS)
    chosen = [(g.pick(heads.split()), maker, heads.split(), [""])]
    for maker, names, clauses in g.sample(concepts, g.pick([1, 2, 2, 3] if g.simple else [2, 3, 3, 4])):
        name = decorated(g, g.pick(names)) if g.chance(0.2) else g.pick(names)
        if name not in [n for n, *_ in chosen]:
            chosen.append((name, maker, names, clauses))

    def tell() -> tuple[str, list[Value]]:
        while True:
            values = [value_of(g, maker) for _, maker, *_ in chosen]
            if len({value.shown for _, value in values}) == len(values):
                break
        facts = [
            (name, g.pick(nouns), kind, value, g.template(clauses).replace("{v}", value.shown) if clauses[0] else "")
            for (name, _, nouns, clauses), (kind, value) in zip(chosen, values)
        ]
        return told(g, facts, g.pick(subjects), g.pick(pronouns)), [value for _, value in values]

    return g.pick(roots.split()), [(name, value_of(g, maker)[0]) for name, maker, *_ in chosen], tell


def told(g: Source, facts: list[tuple], subject: str, pronoun: str) -> str:
    """The facts as one sentence, two sentences, or a list with synonyms as labels."""
    first, rest = facts[0], g.shuffled(facts[1:])
    labels = {noun for _, noun, *_ in facts}
    if not rest or g.chance(0.25) and len(labels) == len(facts):
        mark, gap = g.pick([": ", ": ", " = ", " - "]), g.pick([", ", "; ", "\n", " | ", ". "])
        up = g.chance(0.5)
        shown = [(label(noun), {True: "yes", False: "no"}.get(value.value, value.shown) if kind == "boolean" else value.shown) for _, noun, kind, value, _ in ([first, *rest] if g.chance(0.6) else g.shuffled(facts))]
        return gap.join((noun.capitalize() if up else noun) + mark + text for noun, text in shown)
    clauses = [f[4].rstrip(",") if i == len(rest) - 1 else f[4] for i, f in enumerate(rest)]
    start = subject.replace("{}", first[3].shown)
    cut = g.int(1, len(clauses) - 1) if len(clauses) > 1 and g.chance(0.45) else len(clauses)
    parts = [_joined(g, start, clauses[:cut])] + ([_joined(g, pronoun, clauses[cut:])] if cut < len(clauses) else [])
    return " ".join(parts)


def _joined(g: Source, start: str, clauses: list[str]) -> str:
    body = ", ".join(clauses[:-1]) + g.pick([" and ", ", and "]) + clauses[-1] if len(clauses) > 1 else clauses[0]
    return f"{start} {body}."
