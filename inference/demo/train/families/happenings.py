"""Scenes with several values of the same kind, where the words around a value tell what it is: two people, two cities, two days.

Each scene has record names, its slots with the property names they may have, and sentences. A digit behind a slot only sets it apart.
"""

PAIRS = """
move relocation person record household
who: name person full_name mover | city: from old_city origin previous_city moved_from left | city2: to new_city destination current_city moved_to new_home
{who} moved from {city} to {city2}.|{who} has left {city} and lives in {city2} now.|In {city2}, {who} found a new home after ten years in {city}.|{who}, once of {city}, is now a resident of {city2}.|Goodbye {city}, hello {city2}: {who} has packed.|{who} swapped {city} for {city2}.|To {city2} went {who}, whose old flat in {city} is empty.|{city2} welcomes {who}, who comes from {city}.|{who} gave up a house in {city} in order to live in {city2}.
flight itinerary trip leg connection
code: flight number code flight_number | city: origin from departure_city takeoff_city departs_from | city2: destination to arrival_city lands_in goes_to | time: departure departs_at takeoff leaves_at departure_time | time2: arrival arrives_at landing arrival_time lands_at
Flight {code} leaves {city} at {time} and lands in {city2} at {time2}.|{code} takes off from {city} for {city2} at {time}, landing at {time2}.|At {time2} the plane {code} touches down in {city2}; it left {city} at {time}.|{code}: {city} {time}, {city2} {time2}.|{city2} expects {code} at {time2}. It starts in {city} at {time}.|The machine with the number {code} starts at {time} in {city} and reaches {city2} at {time2}.
job_change career employee move person
who: name person employee full_name | firm: old_employer former_company previous_employer left_company from | firm2: new_employer new_company current_employer joined_company to | date: date start_date when since
{who} left {firm} and joined {firm2} on {date}.|On {date}, {who} goes from {firm} to {firm2}.|{firm2} hired {who} away from {firm} on {date}.|{who} said goodbye to {firm}; since {date}, {firm2} pays the salary.|{firm} loses {who} to {firm2} on {date}.|From {date} on, {who}, until now with {firm}, works for {firm2}.|{who} starts at {firm2} on {date} after years at {firm}.
transfer player_transfer deal move
who: player name athlete person | team: from old_club former_team selling_club previous_club | team2: to new_club new_team buying_club joins | money: fee price amount transfer_fee cost
{who} goes from {team} to {team2} for {money}.|{team2} pays {money} to {team} for {who}.|{team} sold {who} to {team2}; the price was {money}.|For {money}, {who} will leave {team} and play for {team2}.|{who} puts on the shirt of {team2}, {team} gets {money}.|After three years at {team}, {who} signs with {team2}, who paid {money}.
sale purchase deal transaction contract
who: seller sold_by from vendor old_owner | who2: buyer purchaser sold_to new_owner customer | thing: item product object goods article | money: price amount total paid cost
{who} sold {who2} a {thing} for {money}.|{who2} bought a {thing} from {who} and paid {money}.|For {money} the {thing} of {who} now belongs to {who2}.|{who2} gave {who} {money} for a {thing}.|A {thing} changed hands: {who} got {money}, {who2} the goods.|{who} let {who2} have the {thing} for {money}.|{who2} is the new owner of the {thing} that {who} offered at {money}.
message letter mail note
who: sender from author written_by writer | who2: recipient to receiver addressee reader | date: date sent_on day when | title: subject topic about title
{who} wrote to {who2} about {title} on {date}.|On {date}, {who2} got a letter from {who}. It was about {title}.|{title} was the subject when {who} mailed {who2} on {date}.|A note by {who} reached {who2} on {date}: {title}.|{who2} read on {date} what {who} had to say about {title}.|From {who}, for {who2}, {date}: {title}.
payment transfer bank_transfer loan transaction
who: payer from sender debtor paid_by | who2: payee to recipient creditor receiver | money: amount sum total value | date: date paid_on day when
{who} paid {who2} {money} on {date}.|{who2} received {money} from {who} on {date}.|On {date}, {money} went from {who} to {who2}.|{who} owed {who2} {money} and settled it on {date}.|{who2}'s account got {money} on {date}; it was {who} who paid.|{money} for {who2}, sent by {who} on {date}.|On {date} {who2} was given {money} by {who}.
match game result fixture
team: home home_team host team1 hosts | team2: away guest away_team visitor team2 | few: home_goals home_score goals_home score1 | few2: away_goals away_score goals_away score2 | city: city venue place location
In {city}, {team} played {team2} and it ended {few} to {few2}.|{team2} came to {city} and scored {few2} against {few} by the hosts {team}.|{team} against {team2} in {city}: {few} - {few2}.|The home side {team} got {few} goals, the guests {team2} {few2}; the game was in {city}.|In {city} the guests from {team2} made {few2} goals and their hosts {team} {few}.
measurement size box parcel item
thing: object item name product | size: width wide breadth across | size2: height high tall vertical | size3: depth deep length back
The {thing} is {size} cm wide, {size2} cm high and {size3} cm deep.|{thing}: {size} wide, {size2} high, {size3} deep.|With a height of {size2} and a width of {size} the {thing} goes {size3} cm to the back.|Our {thing} measures {size} across, {size2} from bottom to top and {size3} in depth.|To the back the {thing} takes {size3} cm, it is {size} broad and {size2} tall.
weather climate day report forecast
city: city place location town | few: low minimum lowest min_temperature night_temperature coldest | age: high maximum highest max_temperature day_temperature warmest | date: date day when on
On {date}, {city} has between {few} and {age} degrees.|{city}, {date}: lows of {few}, highs of {age}.|It warms up to {age} degrees in {city} on {date}, after a night at {few}.|The night before {date} was {few} degrees cold in {city}, the afternoon reached {age}.|From {few} in the morning to {age} at noon, that was {city} on {date}.
wedding marriage couple engagement
who: bride wife she partner1 | who2: groom husband he partner2 | city: place city location where | date: date wedding_day day when
The bride {who} and the groom {who2} marry in {city} on {date}.|On {date}, {who2} takes {who} as his wife in {city}.|In {city}, {who} says yes to her husband {who2} on {date}.|{who2} will be the husband of {who} from {date} on; the party is in {city}.|Wedding in {city}: {who} (bride), {who2} (groom), {date}.
stay project rental contract course event
title: title name project course | date: start start_date from begin first_day begins | date2: end end_date until finish last_day ends | who: leader manager responsible head led_by
{title} runs from {date} to {date2} and is led by {who}.|Led by {who}, {title} starts on {date} and ends on {date2}.|{title} is over on {date2}; it begins on {date} under {who}.|From {date} until {date2}, {who} is in charge of {title}.|{who} leads {title}: first day {date}, last day {date2}.|On {date2}, {who} closes {title}, which opens on {date}.
discount offer sale deal product
thing: product item article name | money: old_price original_price regular_price was before | money2: new_price sale_price reduced_price now special_price | date: until valid_until ends_on last_day
The {thing} is down from {money} to {money2} until {date}.|Until {date} you pay {money2} instead of {money} for the {thing}.|{thing}: {money2} now, {money} before, offer ends {date}.|It cost {money}, but until {date} the {thing} goes for {money2}.|The {thing}, usually {money}, is yours for {money2} up to {date}.
name person contact profile customer
first: first_name given_name forename christian_name firstname | last: last_name surname family_name lastname second_name | city: city town residence home lives_in | age: age years years_old
{first} {last} of {city} is {age}.|The family name is {last}, friends say {first}; {age} years old, from {city}.|{last}, {first}, {city}, {age}|{city} is where {first} {last} ({age}) lives.|First name {first}, surname {last}, {age} years, {city}.|We know {first} {last}, {age}, a citizen of {city}.|Mr or Ms {last}, called {first}, lives in {city} and is {age} years old.
family parent child person household
who: parent father mother guardian adult | first: child kid son daughter pupil | age: parent_age adult_age age_of_parent | few: child_age age_of_child kid_age
{who} ({age}) has a child, {first}, who is {few}.|{first}, {few} years old, is the child of {who}, who is {age}.|{who} is {age} and picks up {first}, {few}, from school.|At {age}, {who} raises little {first}, aged {few}.|The kid {first} is {few}, the parent {who} is {age}.
chess game match duel final
who: winner champion first_place won_by victor | who2: loser runner_up second_place beaten defeated | few: moves rounds length sets | city: city place venue location
{who} beat {who2} in {few} rounds in {city}.|In {city}, {who2} lost to {who} after {few} rounds.|{who2} was beaten by {who} in {city}, it took {few} rounds.|It took {who} {few} rounds in {city} to win against {who2}.|{few} rounds in {city}, then {who2} gave up and {who} was the champion.|{who} won, {who2} lost, {few} rounds, {city}.
visit appointment treatment case consultation
who: patient name client person visitor | who2: doctor physician therapist dentist treated_by | date: date day when on | time: time at hour start
{who} sees Dr. {who2} on {date} at {time}.|Dr. {who2} expects the patient {who} on {date} at {time}.|On {date} at {time}, Dr. {who2} will look at the knee of {who}.|{time}, {date}: {who} is treated by Dr. {who2}.|The patient {who} comes to Dr. {who2} on {date}, {time}.
lesson class course tutoring
who: teacher tutor instructor taught_by coach | who2: student pupil learner trainee | subject: subject topic course field | few: hours lessons duration length
{who} teaches {who2} {subject}, {few} hours a week.|{who2} takes {few} hours of {subject} with {who}.|The pupil {who2} learns {subject} from {who}, {few} hours.|{subject} for {who2}: {few} hours with the teacher {who}.|{few} hours a week, {who} explains {subject} to {who2}.|{who2} is good at {subject} thanks to {few} hours with {who}.
loan lending borrowing checkout
who: lender owner lent_by from | who2: borrower lent_to to taken_by | thing: item object thing article | date: due return_date back_by until
{who} lent {who2} a {thing} until {date}.|{who2} borrowed a {thing} from {who} and must return it by {date}.|By {date}, {who} wants the {thing} back from {who2}.|The {thing} of {who} is with {who2} until {date}.|{who2} keeps the {thing} that belongs to {who}, back on {date}.
gift present donation
who: giver from donor given_by | who2: receiver to recipient given_to | thing: gift present item what | money: value price worth cost
{who} gave {who2} a {thing} worth {money}.|{who2} got a {thing} from {who}; it cost {money}.|For {money}, {who} chose a {thing} to make {who2} happy.|A {thing} ({money}) went from {who} to {who2}.|{who2} unpacked a {thing} that {who} had bought for {money}.
budget project cost_report account
project: project name title | money: planned budget estimate expected planned_cost | money2: actual spent real_cost final_cost paid | who: manager owner responsible lead
{project} was planned at {money} and cost {money2} in the end under {who}.|{who} spent {money2} on {project}; the plan said {money}.|Instead of {money}, {project} took {money2}. {who} was in charge.|The budget of {project} is {money}, of which {who} used {money2}.|{who} runs {project}: {money} expected, {money2} paid.
translation document job text
title: title text document name | language: from source_language original_language source | language2: to target_language translated_into target | few: pages length page_count size
{title} was translated from {language} into {language2}, {few} pages.|The {few} pages of {title}, written in {language}, can now be read in {language2}.|Into {language2} from {language}: {title}, {few} pages.|A {language2} version of the {language} text {title} fills {few} pages.|{title} ({few} pages) exists in {language2} now; the original is in {language}.
exchange trade money_exchange conversion
money_: amount sum value have | currency: from source_currency sold given base | currency2: to target_currency bought received wanted | who: customer name client person
{who} changes {money_} {currency} into {currency2}.|{who} wants {currency2} for {money_} {currency}.|For {money_} {currency} the bank gave {who} {currency2}.|{currency2} was what {who} got for {money_} {currency}.|Into {currency2} goes the {money_} {currency} of {who}.
diet fitness weight person progress
who: name person patient athlete | age: before start_weight old_weight first | few: after end_weight new_weight last | minutes: days duration period time
{who} went from {age} to {few} kilos in {minutes} days.|After {minutes} days {who} weighs {few} kilos, down from {age}.|In {minutes} days, {who}, who was at {age}, got to {few} kilos.|{few} kilos are left of the {age} that {who} had {minutes} days ago.|It took {who} {minutes} days to come from {age} kilos to {few}.
meeting call interview session
who: organizer host called_by from chair | who2: guest attendee participant invited interviewee | time: start begins from start_time | time2: end ends until end_time | city: city place location where
{who} meets {who2} in {city} from {time} to {time2}.|{who2} was invited by {who} to {city}; it starts at {time} and ends at {time2}.|In {city}, {who} will receive {who2} at {time}, and they finish at {time2}.|Until {time2}, starting at {time}, {who2} is the guest of {who} in {city}.|From {time} on, {who} has {who2} as a guest in {city}; they part at {time2}.
accident crash claim report
plate: own_car car1 first_car insured vehicle_1 | plate2: other_car car2 second_car opponent vehicle_2 | city: city place location where | date: date day when on
{plate} hit {plate2} in {city} on {date}.|On {date}, {plate2} was hit by {plate} in {city}.|In {city} the car {plate} ran into {plate2} on {date}.|{plate2} has a dent since {date}, when {plate} crashed into it in {city}.
recipe dish meal entry
dish: dish name meal title | minutes: cooking_time cook_minutes oven_time boil | few: preparation_time prep_minutes prep | few2: servings portions people serves
{dish} for {few2} people takes {few} minutes to prepare and {minutes} minutes to cook.|Prepare {dish} in {few} minutes, then cook it for {minutes}. It serves {few2}.|{few2} portions of {dish}: {few} minutes of chopping, {minutes} minutes on the stove.|After {few} minutes of work, {dish} needs {minutes} minutes of heat and feeds {few2}.
find discovery lost_item found_thing report notice
look: look style state condition quality sort | plain: thing object item what found | city: city place town where | date: date day when on
A {look} {plain} turned up in {city} on {date}.|{city}, {date}: someone handed in a {look} {plain}.|Whose {look} {plain} is this? It lay in {city} since {date}.|On {date} they found a {look} {plain} in {city}.|My {look} {plain} is gone since {date}; I had it in {city}.|Missing in {city} since {date}: a {look} {plain}.
sale advert listing product item
look: look style design make quality kind | plain: product item thing article name | money: price cost amount value | few: number pieces count amount_left
A {look} {plain} for {money}; I have {few}.|We sell {few} pieces of our {look} {plain}, {money} each.|{few} left: the {look} {plain} at {money}.|The {look} {plain} costs {money} and {few} are there.|For {money} you get a {look} {plain}, of which we hold {few}.
purchase order wish request
who: buyer customer name client person | look: style look finish type design | plain: product item object article thing | many: number quantity count pieces
{who} wants {many} of the {look} {plain}.|{many} times the {look} {plain} for {who}.|A {look} {plain} is what {who} ordered, {many} of them.|Please send {who} the {look} {plain}, {many} pieces.|{who} would like a {look} {plain}, {many} in total.
lease rental agreement tenancy
who: landlord owner lessor house_owner | who2: tenant renter lessee occupant | address: address street flat location | money: rent price monthly_rent amount
{who} lets {address} to {who2} for {money} a month.|{who2} rents {address} from {who} and pays {money}.|Each month {who2} gives {who} {money} for {address}.|{address} belongs to {who}, but {who2} lives there for {money}.|For {money} a month the flat at {address} of {who} is home to {who2}.
"""


def scenes() -> list[tuple[list[str], dict[str, list[str]], list[str]]]:
    """The table above: record names, property names by slot, sentences."""
    found, lines = [], PAIRS.strip().splitlines()
    for roots, slots, sentences in zip(lines[::3], lines[1::3], lines[2::3]):
        names = {slot.strip(): listed.split() for slot, listed in (part.split(":") for part in slots.split(" | "))}
        found.append((roots.split(), names, sentences.split("|")))
    return found
