"""Word lists the generators draw from."""


def _split(text: str) -> list[str]:
    return text.split()


NAMES = _split("""Alice Bob Carol David Emma Frank Grace Henry Ivy Jack Karen Leo Maria Nina Oscar Paul Quinn Rosa Sam Tina
Uma Victor Wendy Xavier Yara Zoe Ahmed Aisha Akira Alejandro Amara Anders Ángel Anya Arjun Astrid Ayşe Beatriz Björn Bogdan
Camille Chen Chiara Chloé Claire Dmitri Elena Elif Émile Erik Esra Fatima Felix Fiona Gabriel Giulia Hana Hans Hassan Helga
Hiroshi Ibrahim Ines Ingrid Isabel Ivan Jamal Jan Javier Jin Joanna José Jürgen Kaito Katya Kenji Klára Kofi Kwame Lars Laura
Léa Leila Lena Liam Lin Luca Lucía Magnus Małgorzata Marek Marta Mateo Mehmet Mei Mia Milan Mohammed Nadia Naomi Nikolai Noah
Noor Olga Olivia Omar Paolo Pedro Petra Priya Rafael Rahul Ravi René Ricardo Rita Robert Ruth Sakura Salma Samuel Sanjay Sara
Sergei Sofia Søren Stefan Sven Svetlana Takeshi Tariq Tatiana Thabo Thomas Tomás Ulrich Valentina Vera Vikram Wei William Xin
Yasmin Yuki Yusuf Zainab Zara George Hannah James Julia Kevin Linda Mark Nancy Peter Rachel Simon Susan Tom Anna Ben Daniel
Eva Lucas Max Michael Sarah John Mary Linh Duc Nguyen Abebe Chidi Ngozi Zanele Aroha Manaia Mikko Aino Eero Dimitra Kostas""")

SURNAMES = _split("""Smith Jones Brown Garcia Müller Schmidt Rossi Bianchi Dubois Laurent Novák Kowalski Ivanov Petrova Tanaka Sato
Kim Park Nguyen Tran Wang Zhang Singh Patel Kumar Khan Ali Hassan Okafor Mensah Dlamini Silva Santos Fernández López Martínez
Jensen Hansen Lindqvist Virtanen Papadopoulos Yılmaz Demir Cohen Levi O'Brien Murphy MacDonald Taylor Wilson Clark Lewis Walker
Young Hill Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart Morris
Reed Cook Morgan Bell Cooper Richardson Cox Howard Ward Torres Peterson Gray Ramirez Watson Brooks Kelly Sanders Price Bennett""")

CITIES = """Paris|London|Tokyo|Berlin|Madrid|Rome|Oslo|Lima|Cairo|Delhi|Sydney|Toronto|Boston|Chicago|Seoul|Athens|Vienna|Dublin|
Lisbon|Prague|New York|Los Angeles|San Francisco|São Paulo|Rio de Janeiro|Buenos Aires|Mexico City|Hong Kong|Cape Town|Tel Aviv|
Zürich|Geneva|Köln|München|Hamburg|Marseille|Lyon|Nice|Bordeaux|Milan|Naples|Turin|Venice|Florence|Barcelona|Valencia|Seville|
Porto|Brussels|Antwerp|Amsterdam|Rotterdam|Utrecht|Copenhagen|Aarhus|Stockholm|Malmö|Göteborg|Helsinki|Tampere|Reykjavík|Warsaw|
Kraków|Gdańsk|Budapest|Bratislava|Ljubljana|Zagreb|Belgrade|Sarajevo|Sofia|Bucharest|Istanbul|Ankara|Izmir|Kyiv|Lviv|Vilnius|
Riga|Tallinn|Moscow|Tbilisi|Yerevan|Baku|Tehran|Baghdad|Beirut|Amman|Doha|Dubai|Riyadh|Nairobi|Lagos|Accra|Dakar|Tunis|Rabat|
Casablanca|Addis Ababa|Kampala|Kigali|Harare|Mumbai|Chennai|Kolkata|Bangalore|Karachi|Lahore|Dhaka|Colombo|Kathmandu|Bangkok|
Hanoi|Jakarta|Manila|Singapore|Kuala Lumpur|Taipei|Osaka|Kyoto|Sapporo|Busan|Shanghai|Beijing|Shenzhen|Perth|Melbourne|Brisbane|
Auckland|Wellington|Honolulu|Seattle|Portland|Denver|Austin|Dallas|Houston|Miami|Atlanta|Detroit|Montreal|Vancouver|Calgary|
Bogotá|Medellín|Quito|Caracas|La Paz|Santiago|Montevideo|Havana|Kingston|Panama City|Edinburgh|Glasgow|Manchester|Leeds|Bristol|
Cardiff|Belfast|Cork|Salzburg|Graz|Basel|Bern|Lausanne""".replace("\n", "").split("|")

COUNTRIES = """France|Germany|Italy|Spain|Portugal|Norway|Sweden|Denmark|Finland|Iceland|Poland|Austria|Switzerland|Greece|Turkey|
Egypt|Kenya|Nigeria|Ghana|South Africa|Morocco|India|China|Japan|South Korea|Vietnam|Thailand|Indonesia|Australia|New Zealand|
Canada|Mexico|Brazil|Argentina|Chile|Peru|Colombia|Cuba|Ireland|Belgium|Hungary|Romania|Ukraine|Croatia""".replace("\n", "").split("|")

PRODUCTS = """laptop|phone|keyboard|monitor|desk lamp|office chair|notebook|backpack|water bottle|coffee mug|headphones|camera|tripod|
printer|tablet|charger|blanket|pillow|toaster|kettle|blender|vacuum cleaner|fan|heater|bicycle|helmet|tent|sleeping bag|rope|
hammer|drill|screwdriver|paint brush|ladder|garden hose|shovel|umbrella|raincoat|scarf|jacket|sweater|running shoes|boots|sandals|
wallet|watch|necklace|ring|sofa|bookshelf|mirror|rug|curtain|candle|vase|clock|guitar|piano|violin|drum|microphone|speaker|
router|mouse|USB cable|hard drive|memory card|battery|flashlight|compass|map|globe|puzzle|board game|doll|kite|soccer ball|
tennis racket|yoga mat|dumbbell|treadmill|soap|shampoo|toothbrush|towel|frying pan|knife set|cutting board|rice cooker|tea|coffee""".replace(
    "\n", ""
).split("|")

NOUNS = _split("""apple pear banana cherry grape lemon orange peach plum mango melon kiwi fig olive tomato potato carrot onion pepper
bean pea corn rice bread butter cheese milk egg honey sugar salt chicken fish beef apple cookie cake pie candy chocolate river lake
ocean mountain valley forest desert island beach cloud rain snow storm thunder wind sun moon star planet comet rocket satellite
robot engine wheel window door table chair lamp book pencil pen paper letter stamp coin ticket key lock box bag basket bottle cup
plate spoon fork knife pot garden flower rose tulip daisy tree leaf branch root seed grass dog cat horse cow sheep goat pig duck
goose rabbit mouse tiger lion bear wolf fox deer elephant giraffe zebra monkey parrot eagle owl penguin shark whale dolphin turtle
frog snake spider bee ant butterfly doctor teacher farmer painter singer dancer writer pilot sailor soldier king queen prince castle
bridge tower village street market school library museum theater station airport harbor hotel kitchen music song poem story dream
shadow mirror candle fire smoke stone sand silver gold copper iron glass paper cotton silk wool leather marble ticket pebble crate
strawberry raspberry Mississippi elephant committee bookkeeper balloon coffee parallel necessary accommodate occurrence pizza""")

VERBS_OBJ = _split("""open close start stop paint clean visit watch build carry find hold keep learn move play read ride send sing
sleep speak swim teach travel walk wash write bring buy catch cook draw drink drive eat fly jump laugh listen""")

ADJECTIVES = _split("""red blue green yellow black white small large tall short old new young quick slow bright dark warm cold happy sad
quiet loud soft hard heavy light clean dirty rich poor strong weak sweet sour fresh dry wet early late brave calm clever gentle kind
proud silly wise wild lazy tiny huge round flat sharp smooth rough golden silver purple pink orange brown gray""")

COLORS = _split("red blue green yellow black white purple pink orange brown gray silver gold beige teal navy turquoise maroon violet")

COMPANIES = """Acme|Globex|Initech|Umbrella Corp|Northwind|Contoso|Fabrikam|Stark Industries|Wayne Enterprises|Hooli|Vandelay|
Blue Harbor|Green Leaf Ltd|Silver Peak|Sunrise Foods|Red Oak Bank|Pioneer Labs|Quantum Works|Delta Freight|Maple Street Books|
Nova Systems|Orion Media|Polar Logistics|Riverstone|Summit Health|Tidewater|Vertex|Willow & Sons|Zenith Motors""".replace("\n", "").split(
    "|"
)

JOBS = """nurse|doctor|teacher|software engineer|accountant|architect|baker|carpenter|chef|dentist|designer|electrician|farmer|
firefighter|gardener|journalist|lawyer|librarian|manager|mechanic|musician|painter|pharmacist|photographer|pilot|plumber|
police officer|professor|programmer|sales manager|scientist|tailor|translator|waiter|writer|data analyst|product manager""".replace(
    "\n", ""
).split("|")

LANGUAGES = _split("English French German Spanish Italian Portuguese Dutch Swedish Polish Russian Turkish Arabic Hindi Chinese Japanese Korean")

CURRENCIES = _split("USD EUR GBP JPY CHF CAD AUD SEK NOK DKK PLN CZK HUF TRY INR CNY KRW BRL MXN ZAR")

DOMAINS = _split("example.com example.org mail.com test.io acme.com corp.net school.edu inbox.dev post.de web.fr company.co")

TOPICS = """the sea|autumn|my grandmother|space travel|dragons|a lonely robot|friendship|the moon|winter mornings|coffee|a lost dog|
love|the city at night|mountains|time|a brave knight|climate change|quantum physics|the French Revolution|black holes|photosynthesis|
the stock market|artificial intelligence|the Roman Empire|football|vaccines|democracy|the history of chess|volcanoes|jazz|blockchain|
the human brain|evolution|World War II|inflation|yoga|meditation|healthy breakfasts|the meaning of life|electric cars|dinosaurs|
deep sea fish|the pyramids|Shakespeare|Mozart|impressionism|bread baking|gravity|DNA|a magic forest|pirates|a shy ghost""".replace(
    "\n", ""
).split("|")
