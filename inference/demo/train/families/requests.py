"""Functions of everyday kinds: their names, parameters (each with several possible names) and how people ask for them."""

from dataclasses import dataclass, field

from families import words
from families.base import Source


@dataclass(frozen=True)
class Request:
    """`slots` maps a placeholder to its kind of value and the names that the parameter may have."""

    names: list[str]
    about: list[str]
    slots: dict[str, tuple[str, list[str]]]
    prompts: list[str] = field(default_factory=list)


CITY = ["city", "city", "location", "place", "town", "where"]
FROM = ["origin", "from", "source", "departure", "from_city", "from_station", "start_city"]
TO = ["destination", "to", "target", "arrival", "to_city", "to_station", "end_city"]

REQUESTS = [
    Request(["get_weather", "weather", "current_weather", "check_weather", "weather_report"], ["Gets the current weather in a city.", "Current weather of a place.", "Tells what the weather is like now."], {"city": ("city", CITY)},
            ["what is the weather in {city}", "what's the weather like in {city}", "how is the weather in {city} today", "weather in {city}", "is it raining in {city}", "what is it like outside in {city}", "tell me the weather in {city}", "do I need an umbrella in {city}", "how cold is it in {city}", "is it sunny in {city} right now", "do people in {city} need a coat today", "what are the conditions in {city}"]),
    Request(["get_forecast", "forecast", "weather_forecast"], ["Gets the weather forecast for some days.", "Forecast for the coming days."], {"city": ("city", CITY), "days": ("age", ["days", "day_count", "number_of_days", "horizon"])},
            ["what is the forecast for {city} for the next {days} days", "show me the {days} day forecast for {city}", "what will the weather be in {city} over {days} days", "how will {city} look in the next {days} days"]),
    Request(["stock_price", "get_stock_price", "quote", "price_of_stock", "share_quote"], ["Returns the latest price of a stock.", "Latest price of a share by its symbol.", "Gets a stock quote."], {"symbol": ("symbol", ["symbol", "symbol", "ticker", "stock", "code", "share"])},
            ["what is the price of {symbol} stock", "how much is {symbol} trading at", "what is {symbol} worth", "get me the stock price of {symbol}", "how is {symbol} doing on the market", "what does one share of {symbol} cost", "where does {symbol} stand today", "{symbol} stock price", "give me a quote for {symbol}", "did {symbol} go up"]),
    Request(["convert_currency", "currency_converter", "change_money", "convert", "to_currency"], ["Converts an amount from one currency to another.", "Changes money into another currency.", "Exchange rates."], {"amount": ("number", ["amount", "amount", "sum", "value", "quantity"]), "from": ("currency", ["from", "from_currency", "source", "base", "source_currency", "have"]), "to": ("currency", ["to", "to_currency", "target", "quote", "target_currency", "want"])},
            ["convert {amount} {from} to {to}", "how much is {amount} {from} in {to}", "change {amount} {from} into {to}", "what is {amount} {from} in {to}", "exchange {amount} {from} for {to}", "I have {amount} {from}, how many {to} is that", "turn {amount} {from} into {to}", "what do I get in {to} for {amount} {from}", "give me {amount} {from} as {to}"]),
    Request(["lookup_user", "find_user", "get_customer", "search_people", "client_lookup", "get_member"], ["Looks up a user by name.", "Finds a customer.", "Record of a person."], {"name": ("person", ["name", "name", "full_name", "user", "person", "customer", "member"])},
            ["who is the user {name}", "look up {name}", "find the account of {name}", "show me the user record of {name}", "get user {name}", "find user {name}", "what do we know about the customer {name}", "is {name} one of our members", "pull up the file of {name}", "open the record for {name}"]),
    Request(["send_email", "email", "send_message", "write_mail"], ["Sends an email.", "Sends a message."], {"to": ("email", ["to", "recipient", "address", "email"]), "subject": ("title", ["subject", "title", "topic"]), "body": ("text", ["body", "text", "message", "content"])},
            ['send an email to {to} with the subject "{subject}" and the text "{body}"', 'email {to} about "{subject}" saying "{body}"', 'write to {to}, subject "{subject}", body "{body}"']),
    Request(["set_timer", "timer", "start_timer", "countdown", "set_alarm"], ["Starts a timer.", "Counts down some minutes.", "Sets an alarm."], {"minutes": ("age", ["minutes", "minutes", "duration", "time", "length", "mins"])},
            ["set a timer for {minutes} minutes", "start a {minutes} minute timer", "remind me in {minutes} minutes", "set a {minutes} minute timer", "wake me in {minutes} minutes", "count down from {minutes} minutes", "my eggs need {minutes} minutes", "ring after {minutes} minutes"]),
    Request(["search_flights", "find_trains", "trains", "bus_times", "search_connections", "next_bus"], ["Searches for flights.", "Finds connections between two cities.", "Times of departure."], {"from": ("city", FROM), "to": ("city", TO)},
            ["find flights from {from} to {to}", "I want to fly from {from} to {to}", "search flights {from} to {to}", "when is the next bus from {from} to {to}", "is there a connection between {from} and {to}", "how do I get to {to} from {from}", "when can I leave {from} for {to}", "list the trains that go from {from} to {to}", "trains {from} {to}"]),
    Request(["search_flights", "book_flight", "find_flight"], ["Searches for flights on a day."], {"from": ("city", FROM), "to": ("city", TO), "date": ("date", ["date", "day", "on"])},
            ["find flights from {from} to {to} on {date}", "I want to fly from {from} to {to} on {date}", "search flights {from} to {to}, {date}", "on {date} I travel from {from} to {to}"]),
    Request(["book_table", "reserve_table", "restaurant_booking"], ["Books a table in a restaurant.", "Reserves a table."], {"restaurant": ("company", ["restaurant", "name", "place"]), "people": ("age", ["people", "guests", "party_size", "seats"]), "time": ("time", ["time", "at", "hour"])},
            ["book a table at {restaurant} for {people} people at {time}", "reserve a table for {people} at {restaurant} at {time}", "we are {people} and want to eat at {restaurant} at {time}"]),
    Request(["book_room", "reserve_room", "book_lane", "reserve_desk", "book_seat"], ["Reserves a room for somebody.", "Books a place by its number."], {"room": ("age", ["room", "number", "room_number", "lane", "desk"]), "name": ("person", ["name", "guest", "for_whom", "person", "reserved_for"])},
            ["book room {room} for {name}", "reserve number {room} for {name}", "put {name} into room {room}", "{name} needs room {room}", "reserve room {room}, the name is {name}"]),
    Request(["translate", "translate_text", "translator"], ["Translates a text.", "Puts a text into another language."], {"text": ("text", ["text", "sentence", "phrase", "input"]), "language": ("language", ["language", "target_language", "to", "lang"])},
            ['translate "{text}" into {language}', 'how do you say "{text}" in {language}', 'what is "{text}" in {language}', 'say "{text}" in {language}']),
    Request(["track_order", "order_status", "where_is_order", "package_status", "track_shipment"], ["Shows where an order is.", "Status of a delivery.", "Tracks a package."], {"order": ("code", ["order_id", "id", "order", "number", "code", "tracking_number", "package"])},
            ["where is my order {order}", "what is the status of order {order}", "track order {order}", "has order {order} shipped", "where is the package {order}", "when will {order} arrive", "did {order} get delivered", "follow the shipment {order}", "what happened to delivery {order}"]),
    Request(["get_time", "local_time", "clock", "time_in"], ["Gets the current time in a city.", "Local time of a place."], {"city": ("city", CITY)},
            ["what time is it in {city}", "what is the time in {city} now", "current time in {city}", "tell me the local time in {city}", "how late is it in {city}"]),
    Request(["sunrise", "sun_times", "water_level", "ferry_times", "air_quality", "traffic"], ["Times and levels for a place.", "Measured values of a place today.", "What is reported for a town."], {"city": ("city", ["port", "beach", "station", "harbor", *CITY])},
            ["when does the sun rise in {city}", "how high is the water at {city}", "when does the ferry leave {city}", "how clean is the air in {city}", "how is the traffic in {city}", "what is reported from {city} today", "when is low water in {city}"]),
    Request(["get_distance", "distance", "how_far"], ["Gets the distance between two cities."], {"from": ("city", FROM), "to": ("city", TO)},
            ["how far is it from {from} to {to}", "what is the distance between {from} and {to}", "how many km from {from} to {to}", "how long is the way from {from} to {to}"]),
    Request(["add_to_cart", "order_item", "buy"], ["Adds a product to the shopping cart.", "Orders a product."], {"product": ("product", ["product", "item", "article"]), "quantity": ("age", ["quantity", "count", "amount"])},
            ["add {quantity} {product} to my cart", "put {quantity} {product} in the cart", "I want to buy {quantity} {product}", "order {quantity} {product}"]),
    Request(["check_stock", "in_stock", "inventory", "warehouse_count", "get_stock"], ["Says how many pieces are in stock.", "Looks into the inventory.", "Counts an article."], {"product": ("product", ["product", "item", "article", "name", "sku"])},
            ["how many {product} do we have", "is the {product} in stock", "check the stock of {product}", "do you still have a {product}", "how many pieces of {product} are left", "count the {product} in the warehouse", "are there any {product} left"]),
    Request(["create_event", "add_event", "schedule"], ["Creates a calendar event."], {"title": ("title", ["title", "name", "event"]), "date": ("date", ["date", "day", "on"]), "time": ("time", ["time", "start", "at"])},
            ['create an event "{title}" on {date} at {time}', 'add "{title}" to my calendar for {date} at {time}', 'schedule "{title}" on {date}, {time}']),
    Request(["get_population", "population", "country_facts"], ["Gets the population of a country.", "Facts of a country."], {"country": ("country", ["country", "nation", "name"])},
            ["how many people live in {country}", "what is the population of {country}", "population of {country}", "how big is {country}"]),
    Request(["play_song", "play", "play_music"], ["Plays a song."], {"song": ("title", ["song", "title", "track", "name"])}, ['play "{song}"', 'play the song "{song}"', 'I want to hear "{song}"', 'put on "{song}"']),
    Request(["set_temperature", "heating", "set_heating", "warm_room", "climate_control"], ["Sets the temperature of a room.", "Controls the heating."], {"room": ("word", ["room", "where", "area", "zone", "place"]), "degrees": ("age", ["degrees", "temperature", "celsius", "target", "value"])},
            ["set the {room} to {degrees} degrees", "make the {room} {degrees} degrees", "heat the {room} to {degrees}", "I want {degrees} degrees in the {room}", "the {room} should have {degrees} degrees", "turn the heating in the {room} to {degrees}", "warm the {room} up to {degrees} degrees"]),
    Request(["define", "meaning", "look_up_word", "thesaurus", "dictionary"], ["Explains what a word means.", "Looks up a word."], {"word": ("plain", ["word", "term", "entry", "text"])},
            ["what does {word} mean", 'what is the meaning of "{word}"', "define {word}", 'look up "{word}" in the dictionary', "explain the word {word}", "give me the definition of {word}"]),
    Request(["company_info", "find_company", "phone_number", "contact_of", "office_hours"], ["Finds how to reach a company.", "Contact data of a firm.", "When an office is open."], {"company": ("company", ["company", "name", "firm", "organization", "shop"])},
            ["how do I reach {company}", "what is the phone number of {company}", "give me the number of {company}", "when does {company} open", "I need to call {company}", "what is the address of {company}", "contact data of {company}"]),
]  # fmt: skip


def plain_word(g: Source) -> str:
    return g.part(words.NOUNS) if g.chance(0.5) else g.pseudo()
