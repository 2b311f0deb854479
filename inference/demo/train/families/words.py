"""Word lists the generators draw from."""


def _split(text: str) -> list[str]:
    return text.split()


def _piped(text: str) -> list[str]:
    return text.replace("\n", "").split("|")

NAMES = _split("""Alice Bob Carol David Emma Frank Grace Henry Ivy Jack Karen Leo Maria Nina Oscar Paul Quinn Rosa Sam Tina Uma Victor Wendy
Xavier Yara Zoe Ahmed Aisha Akira Alejandro Amara Anders Ángel Anya Arjun Astrid Ayşe Beatriz Björn Bogdan Camille Chen
Chiara Chloé Claire Dmitri Elena Elif Émile Erik Esra Fatima Felix Fiona Gabriel Giulia Hana Hans Hassan Helga Hiroshi
Ibrahim Ines Ingrid Isabel Ivan Jamal Jan Javier Jin Joanna José Jürgen Kaito Katya Kenji Klára Kofi Kwame Lars Laura Léa
Leila Lena Liam Lin Luca Lucía Magnus Małgorzata Marek Marta Mateo Mehmet Mei Mia Milan Mohammed Nadia Naomi Nikolai Noah
Noor Olga Olivia Omar Paolo Pedro Petra Priya Rafael Rahul Ravi René Ricardo Rita Robert Ruth Sakura Salma Samuel Sanjay Sara
Sergei Sofia Søren Stefan Sven Svetlana Takeshi Tariq Tatiana Thabo Thomas Tomás Ulrich Valentina Vera Vikram Wei William Xin
Yasmin Yuki Yusuf Zainab Zara George Hannah James Julia Kevin Linda Mark Nancy Peter Rachel Simon Susan Tom Anna Ben Daniel
Eva Lucas Max Michael Sarah John Mary Linh Duc Nguyen Abebe Chidi Ngozi Zanele Aroha Manaia Mikko Aino Eero Dimitra Kostas
Abdul Adam Adele Adriana Agnes Aiden Alan Albert Alicia Alina Amélie Amina Amit Andrea Andrei Angela Anita Antonio Ariel
Arthur Asha Aurora Barbara Beata Benjamin Bianca Boris Brian Bruno Caleb Carla Carlos Caroline Catherine Cecilia Charlotte
Christine Clara Connor Cyrus Dalia Damian Darius Deborah Deepak Denis Diana Diego Dominik Donald Edith Eduardo Edward Elias
Elisabeth Ella Elsa Emil Emily Enrique Eric Esther Ethan Eugene Evelyn Farah Farid Fernando Filip Florence Francesca Frederik
Frida Gareth Georgia Gerda Gina Gloria Gordon Greta Gustav Habib Harold Harry Heidi Helen Hugo Ida Igor Imran Irene Iris
Isaac Ismail Jacob Jana Jasmine Jason Jean Jennifer Jerome Joel Johan Jonas Jorge Joseph Josephine Judith Julian Julie Justin
Karim Karin Karl Katherine Khalid Kim Kira Kristina Kurt Larissa Lee Leonard Leonie Lina Lisa Lorenzo Louis Louise Lucia
Lukas Lydia Malik Manuel Marcus Margaret Mariana Marina Mario Martha Martin Matilda Matthew Maya Melanie Mika Mina Mira
Miriam Mohan Monica Natalie Nathan Neha Nico Nicole Nils Nora Norman Otto Pablo Pamela Patricia Patrick Paula Pavel Philip
Pia Pierre Rajesh Ralph Ramon Rebecca Regina Richard Roberto Robin Roger Roland Roman Ronald Rosie Roy Ryan Sabine Sadia
Salim Sandra Sebastian Selma Sharon Sheila Silvia Sonia Sophie Stanley Stella Stephen Steven Suresh Suzanne Sylvia Tamara
Tanya Teresa Theo Tim Toby Tomoko Ursula Valerie Vanessa Veronica Viktor Vincent Violet Virginia Walter Wanda Xenia Yan Yasin
Yolanda Yvonne Zachary Zeynep""")

SURNAMES = _split("""Smith Jones Brown Garcia Müller Schmidt Rossi Bianchi Dubois Laurent Novák Kowalski Ivanov Petrova Tanaka Sato Kim Park
Nguyen Tran Wang Zhang Singh Patel Kumar Khan Ali Hassan Okafor Mensah Dlamini Silva Santos Fernández López Martínez Jensen
Hansen Lindqvist Virtanen Papadopoulos Yılmaz Demir Cohen Levi O'Brien Murphy MacDonald Taylor Wilson Clark Lewis Walker
Young Hill Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart
Morris Reed Cook Morgan Bell Cooper Richardson Cox Howard Ward Torres Peterson Gray Ramirez Watson Brooks Kelly Sanders Price
Bennett Abbott Ahmed Alexander Allen Alvarez Anderson Andersson Andrade Armstrong Arnold Bailey Banerjee Barnes Bauer Becker
Berg Bergman Bernard Black Blake Bowman Bradley Burke Burns Butler Byrne Carlson Carpenter Castro Chan Chapman Chen Choi
Christensen Cole Coleman Costa Crawford Cruz Das Davies Davis Delgado Desai Diaz Dixon Douglas Duncan Dunn Ellis Eriksson
Farah Farrell Ferrari Ferreira Fischer Fisher Fleming Flores Ford Foster Fox Franco Freeman Fuchs Fujita Gallagher Gibson
Gomez Gonzalez Goodman Graham Grant Greco Griffin Gupta Haas Hall Hamilton Harper Harris Harrison Hart Hayashi Hayes
Henderson Hernandez Hoffmann Holland Holm Holmes Horvat Huang Hughes Hunt Hunter Ito Jackson Jansen Jenkins Johansson Johnson
Joshi Kaiser Kaplan Kato Kaya Keller Kennedy King Klein Knight Kobayashi Koch Krause Lambert Lang Larsen Larsson Lawson Lee
Lehmann Leone Lim Lin Lindberg Liu Lopes Lund Lynch Maier Marino Marsh Marshall Martin Mason Matsumoto Meyer Miller Mills
Moore Moreno Moretti Mori Mwangi Myers Nakamura Neumann Newman Nielsen Nilsson Nowak Olsen Ortega Ortiz Osei Owens Palmer
Pavlov Pearson Perez Perry Pham Popov Porter Powell Ramos Rao Reyes Reynolds Rhodes Ricci Richter Riley Rivera Robinson
Rodriguez Rogers Romano Rose Ross Russell Ryan Saito Sharma Shaw Simmons Simpson Sokolov Sousa Spencer Stevens Stone Sullivan
Suzuki Tan Thompson Vargas Vega Vogel Wagner Wallace Warren Watanabe Weaver Weber Webb Wells West White Williams Winter Wolf
Wong Wood Wright Wu Yamamoto Yang Zhao Zimmermann""")

CITIES = _piped("""Paris|London|Tokyo|Berlin|Madrid|Rome|Oslo|Lima|Cairo|Delhi|Sydney|Toronto|Boston|Chicago|Seoul|Athens|Vienna|Dublin|Lisbon|
Prague|New York|Los Angeles|San Francisco|São Paulo|Rio de Janeiro|Buenos Aires|Mexico City|Hong Kong|Cape Town|Tel Aviv|
Zürich|Geneva|Köln|München|Hamburg|Marseille|Lyon|Nice|Bordeaux|Milan|Naples|Turin|Venice|Florence|Barcelona|Valencia|
Seville|Porto|Brussels|Antwerp|Amsterdam|Rotterdam|Utrecht|Copenhagen|Aarhus|Stockholm|Malmö|Göteborg|Helsinki|Tampere|
Reykjavík|Warsaw|Kraków|Gdańsk|Budapest|Bratislava|Ljubljana|Zagreb|Belgrade|Sarajevo|Sofia|Bucharest|Istanbul|Ankara|Izmir|
Kyiv|Lviv|Vilnius|Riga|Tallinn|Moscow|Tbilisi|Yerevan|Baku|Tehran|Baghdad|Beirut|Amman|Doha|Dubai|Riyadh|Nairobi|Lagos|Accra|
Dakar|Tunis|Rabat|Casablanca|Addis Ababa|Kampala|Kigali|Harare|Mumbai|Chennai|Kolkata|Bangalore|Karachi|Lahore|Dhaka|Colombo|
Kathmandu|Bangkok|Hanoi|Jakarta|Manila|Singapore|Kuala Lumpur|Taipei|Osaka|Kyoto|Sapporo|Busan|Shanghai|Beijing|Shenzhen|
Perth|Melbourne|Brisbane|Auckland|Wellington|Honolulu|Seattle|Portland|Denver|Austin|Dallas|Houston|Miami|Atlanta|Detroit|
Montreal|Vancouver|Calgary|Bogotá|Medellín|Quito|Caracas|La Paz|Santiago|Montevideo|Havana|Kingston|Panama City|Edinburgh|
Glasgow|Manchester|Leeds|Bristol|Cardiff|Belfast|Cork|Salzburg|Graz|Basel|Bern|Lausanne|Adelaide|Alexandria|Algiers|Almaty|
Ávila|Bath|Bergen|Bilbao|Birmingham|Bologna|Bonn|Bremen|Brno|Cambridge|Canberra|Cartagena|Charlotte|Cleveland|Cologne|
Columbus|Cusco|Dar es Salaam|Darwin|Delft|Dresden|Durban|Essen|Fukuoka|Galway|Genoa|Ghent|Gothenburg|Granada|Grenoble|
Guadalajara|Hannover|Hiroshima|Hobart|Hyderabad|Innsbruck|Jaipur|Jerusalem|Johannesburg|Kobe|Las Vegas|Leipzig|Lille|Linz|
Liverpool|Luxembourg|Luzern|Macau|Madison|Málaga|Managua|Mandalay|Maputo|Marrakesh|Memphis|Minsk|Monaco|Monterrey|Mombasa|
Munich|Nagoya|Nantes|Nashville|Newcastle|New Orleans|Nicosia|Norwich|Nuremberg|Oakland|Odense|Odessa|Orlando|Ottawa|Oxford|
Palermo|Palma|Philadelphia|Phoenix|Pisa|Pittsburgh|Plymouth|Poznań|Pretoria|Pune|Quebec|Reims|Rochester|Saigon|Salamanca|
San Diego|San José|San Juan|Santa Fe|Santo Domingo|Sendai|Sheffield|Siena|Skopje|Split|St. Louis|Stuttgart|Tampa|Tashkent|
Thessaloniki|Tirana|Toulouse|Trieste|Trondheim|Tucson|Turku|Ulm|Uppsala|Valletta|Verona|Victoria|Washington|Winnipeg|Wrocław|
Xi'an|Yokohama|York|Zaragoza|Springfield|Fairview|Georgetown|Riverside|Salem|Franklin|Greenville|Bristol Bay|Oak Hill|
Lakewood""")

COUNTRIES = _piped("""France|Germany|Italy|Spain|Portugal|Norway|Sweden|Denmark|Finland|Iceland|Poland|Austria|Switzerland|Greece|Turkey|Egypt|
Kenya|Nigeria|Ghana|South Africa|Morocco|India|China|Japan|South Korea|Vietnam|Thailand|Indonesia|Australia|New Zealand|
Canada|Mexico|Brazil|Argentina|Chile|Peru|Colombia|Cuba|Ireland|Belgium|Hungary|Romania|Ukraine|Croatia|United States|
United Kingdom|the Netherlands|Russia|Israel|Jordan|Lebanon|Saudi Arabia|Iran|Iraq|Pakistan|Bangladesh|Sri Lanka|Nepal|
Malaysia|Singapore|Philippines|Taiwan|Mongolia|Kazakhstan|Georgia|Armenia|Estonia|Latvia|Lithuania|Slovakia|Slovenia|Serbia|
Bulgaria|Albania|Malta|Cyprus|Luxembourg|Monaco|Andorra|Tunisia|Algeria|Libya|Ethiopia|Uganda|Tanzania|Rwanda|Senegal|Mali|
Cameroon|Angola|Zambia|Zimbabwe|Namibia|Botswana|Madagascar|Mozambique|Ecuador|Bolivia|Paraguay|Uruguay|Venezuela|Panama|
Costa Rica|Guatemala|Honduras|Jamaica|Haiti|Dominican Republic|Fiji|Samoa|Papua New Guinea|Qatar|Kuwait|Oman|Bhutan|Laos|
Cambodia|Myanmar""")

PRODUCTS = _piped("""laptop|phone|keyboard|monitor|desk lamp|office chair|notebook|backpack|water bottle|coffee mug|headphones|camera|tripod|
printer|tablet|charger|blanket|pillow|toaster|kettle|blender|vacuum cleaner|fan|heater|bicycle|helmet|tent|sleeping bag|rope|
hammer|drill|screwdriver|paint brush|ladder|garden hose|shovel|umbrella|raincoat|scarf|jacket|sweater|running shoes|boots|
sandals|wallet|watch|necklace|ring|sofa|bookshelf|mirror|rug|curtain|candle|vase|clock|guitar|piano|violin|drum|microphone|
speaker|router|mouse|USB cable|hard drive|memory card|battery|flashlight|compass|map|globe|puzzle|board game|doll|kite|
soccer ball|tennis racket|yoga mat|dumbbell|treadmill|soap|shampoo|toothbrush|towel|frying pan|knife set|cutting board|
rice cooker|tea|coffee|alarm clock|apron|armchair|axe|baking tray|ball|basket|bath mat|bed|bed sheet|bench|binoculars|blouse|
bowl|box of pens|bracelet|broom|bucket|calculator|calendar|cap|car seat|carpet|cello|cereal|chain saw|chess set|coat|comb|
cooler|couch|crib|cup|deck chair|dictionary|dishwasher|door mat|dress|dryer|earrings|envelope|eraser|extension cord|felt hat|
flag|flute|freezer|fridge|garden chair|garden gnome|gloves|glue|golf club|hair dryer|hammock|hand cream|handbag|hat|hoodie|
hose|ink cartridge|iron|ironing board|jar of honey|jeans|juicer|key ring|lamp|lantern|lawn mower|leash|lunch box|magazine|
marker|mattress|measuring tape|mixer|mop|mug|nail file|napkins|night stand|oven|paint roller|pajamas|paper clips|parasol|pen|
pencil case|perfume|picture frame|ping pong table|plate|playing cards|pliers|poster|power bank|pressure cooker|purse|radio|
rake|razor|remote control|rocking chair|ruler|saddle|sandwich maker|saw|scale|scanner|school bag|scissors|scooter|
sewing machine|shelf|shirt|shower curtain|skateboard|skis|skirt|sled|slippers|smart watch|snowboard|socks|solar panel|spoon|
stapler|stool|stove|suit|suitcase|sunglasses|surfboard|swimsuit|table|tablecloth|tape|teapot|telescope|television|
thermometer|thermos|tie|tool box|toy car|trash can|trousers|trumpet|typewriter|ukulele|vest|video game|violin case|
walking stick|wardrobe|washing machine|watering can|webcam|wheelbarrow|whistle|wine glass|wool socks|wrench|writing pad|
zipper bag""")

NOUNS = _split("""apple pear banana cherry grape lemon orange peach plum mango melon kiwi fig olive tomato potato carrot onion pepper bean pea
corn rice bread butter cheese milk egg honey sugar salt chicken fish beef cookie cake pie candy chocolate river lake ocean
mountain valley forest desert island beach cloud rain snow storm thunder wind sun moon star planet comet rocket satellite
robot engine wheel window door table chair lamp book pencil pen paper letter stamp coin ticket key lock box bag basket bottle
cup plate spoon fork knife pot garden flower rose tulip daisy tree leaf branch root seed grass dog cat horse cow sheep goat
pig duck goose rabbit mouse tiger lion bear wolf fox deer elephant giraffe zebra monkey parrot eagle owl penguin shark whale
dolphin turtle frog snake spider bee ant butterfly doctor teacher farmer painter singer dancer writer pilot sailor soldier
king queen prince castle bridge tower village street market school library museum theater station airport harbor hotel
kitchen music song poem story dream shadow mirror candle fire smoke stone sand silver gold copper iron glass cotton silk wool
leather marble pebble crate strawberry raspberry Mississippi committee bookkeeper balloon coffee parallel necessary
accommodate occurrence pizza acorn actor almond anchor angel ankle apron arch arm arrow artist atom aunt axe baby badge ball
bamboo band bank barn barrel bath battle bay beak beard bed bell belt bench berry bicycle bird blade blanket blossom board
boat bone boot border bow bowl boy brain brick broom brother brush bubble bucket bulb bus bush button cabin cable cactus cage
calendar camel camera camp canal canoe canyon cap captain car card cargo carpet cart cave ceiling cellar chain chalk chest
chimney chin church circle circus city clay cliff clock cloth clover clown coal coast coat cobweb collar comb compass concert
cork corner couch court cousin cradle crane crayon cream creek crew crowd crown crystal curtain cushion dam dance dawn deck
den dentist desk diamond diary dice dish ditch dock doll donkey dove dragon drawer dress drum dune dust ear earth echo edge
elbow envelope evening eye face factory falcon fan farm feast feather fence fern ferry fiddle field finger fireplace flag
flame flask fleet flood floor flour flute foam fog foot forge fountain frame friend fruit fur furnace galaxy garage garlic
gate ghost giant ginger girl glacier globe glove glue goal grain guitar gull hail hair hall hammer hand harvest hat hawk hay
heart hedge heel helmet hen herb hill hive hole honor hood hook horizon horn house ice igloo ink insect jacket jar jaw jelly
jewel journal jug juice jungle kettle kid kite kitten knee knot label lace ladder lamb lane lantern lawn leader leg legend
lens letterbox light lily line lip lizard log lunch magnet mail mask mast mat match meadow meal medal melody metal mill mine
mint mist moss moth motor mouth mud mug muscle nail neck needle nest net night nose note nut oak oar oat office oil orchard
otter oven ox paddle page paint palace palm pan parade park path paw pearl person petal phone piano picnic pigeon pillow pine
pipe plan plane plank plant plaza plow pocket poet pond pony pool porch post potter powder prize puddle pump puppy puzzle
quarry quilt radio raft rail rainbow ramp razor reef ribbon riddle ring road roof room rope rug ruler sail salad sandal sauce
saw scarf scissors screen screw sea seal seat shed shell shelf shepherd ship shirt shoe shop shore shoulder shovel sister
skate skin skirt sky sled sleeve slide slope smile snail soap sock sofa soil soup spark sparrow spice sponge spring spy
square squirrel stable stage stair statue steam stem step stick stool stove straw stream string suit summit swallow swan
sweater sword tail tailor tea teapot teeth tent thief thorn thread throne thumb tide timber toad toast tool torch towel town
toy track trail train treasure trumpet trunk tub tunnel twig uncle vase vein velvet vest violin voice volcano wagon wall
wallet walnut wave wax web well whistle wing winter wire witch wizard wood word worker worm wrist yard yarn year zipper idea
question answer problem number system reason result rule secret signal subject team theory tradition value version view visit
vote weekend""")

VERBS_OBJ = _split("""open close start stop paint clean visit watch build carry find hold keep learn move play read ride send sing sleep speak swim
teach travel walk wash write bring buy catch cook draw drink drive eat fly jump laugh listen add admire agree answer arrive
ask bake begin bend blow boil borrow bounce break breathe burn call change chase check choose clap climb collect come copy
count crawl cross cry cut dance decide deliver describe dig discover divide dream drop earn enjoy enter explain explore fail
fall feed feel fight fill finish fix float fold follow forget gather give glow grow guess hang happen hear help hide hope
hunt hurry imagine invite join juggle kick knit know lead lend lift lose love melt mend meet mix need offer order pack pass
plant point polish pour practice press promise pull push reach remember repair reply rescue rest return roll save search sell
serve shake share shine shout show sit skip slide smell smile solve spend spill spin spread stand steal stir stretch study
succeed take taste tell think throw tie touch trade try turn twist type understand use vanish wait wake want warn waste wave
win wink wish wonder work worry wrap yell""")

ADJECTIVES = _split("""red blue green yellow black white small large tall short old new young quick slow bright dark warm cold happy sad quiet loud
soft hard heavy light clean dirty rich poor strong weak sweet sour fresh dry wet early late brave calm clever gentle kind
proud silly wise wild lazy tiny huge round flat sharp smooth rough golden silver purple pink orange brown gray able ancient
angry annual bare basic big bitter blind blunt bold bored boring brief broad broken busy careful careless cheap cheerful
civil clear close clumsy coarse common complete cool correct crazy crisp crooked cruel curious curly cute damp dear deep
dense different distant double dull dusty eager easy elegant empty equal evil exact extra faint fair faithful false famous
fancy fast fat final fine firm foggy foolish foreign formal free frozen full funny fuzzy giant glad gloomy good grand grave
great greedy gross grumpy guilty hairy half handsome harsh healthy high hollow holy honest hot humble hungry icy ideal idle
ill important innocent jealous jolly joyful juicy keen last lean legal level lively local lonely loose lovely loyal lucky
magic main massive mean mild misty modern modest moist muddy musical mute narrow nasty native natural near neat nervous nice
noble noisy normal numb odd official ordinary painful pale patient perfect plain pleasant polite popular private public pure
quaint random rapid rare raw ready real recent regular remote right ripe royal rude rural rusty safe salty scary secret
serious shallow shiny shy sick simple single skinny sleepy slim slippery solid sore special spicy square stale steady steep
sticky stiff still strange strict stubborn sudden sunny super sure tame tart tender tense thick thin thirsty tight tired
total tough true ugly unique upset urban useful usual vague vain vast vivid weary weird whole wicked wide wooden woolly wrong""")

COLORS = _split("""red blue green yellow black white purple pink orange brown gray silver gold beige teal navy turquoise maroon violet cream
crimson scarlet lime mint olive coral peach lavender indigo magenta cyan khaki bronze copper ivory charcoal amber rust plum
ruby emerald sand cherry lilac mustard""")

COMPANIES = _piped("""Acme|Globex|Initech|Umbrella Corp|Northwind|Contoso|Fabrikam|Stark Industries|Wayne Enterprises|Hooli|Vandelay|Blue Harbor|
Green Leaf Ltd|Silver Peak|Sunrise Foods|Red Oak Bank|Pioneer Labs|Quantum Works|Delta Freight|Maple Street Books|
Nova Systems|Orion Media|Polar Logistics|Riverstone|Summit Health|Tidewater|Vertex|Willow & Sons|Zenith Motors|Amber Bank|
Anchor Shipping|Apex Tools|Arctic Foods|Aspen Group|Atlas Travel|Aurora Energy|Bay Street Bakery|Beacon Insurance|Birch & Co|
Bluebird Airlines|Boulder Bikes|Bright Dental|Brook Farms|Cactus Cafe|Canyon Outdoors|Cedar Homes|City Hospital|
Clearwater Ltd|Cobalt Software|Comet Couriers|Copper Kettle|Coral Hotels|Crystal Optics|Daisy Florists|Dawn Textiles|
Eagle Security|East End Records|Echo Audio|Elm Publishing|Ember Studio|Falcon Logistics|Fern Gardens|First Union|Forge Steel|
Fountain Press|Fox & Hound|Galaxy Games|Garnet Jewelers|Golden Wok|Granite Builders|Grove Market|Harvest Foods|
Hazel Pharmacy|Helix Biotech|Hillside School|Horizon Films|Iron Gym|Island Ferries|Ivory Piano|Jade Garden|Juniper Tea|
Kestrel Air|Lakeside Clinic|Lantern Books|Lemon Tree|Liberty Motors|Lighthouse Media|Lotus Spa|Lunar Labs|Mango Telecom|
Meadow Dairy|Mercury Post|Metro Rail|Midland Power|Mirage Theatre|Mountain Goat|Nimbus Cloud|North Star|Oasis Water|
Ocean View|Old Mill|Olive Kitchen|Onyx Law|Opal Design|Orchid Airways|Otter Creek|Owl Eyewear|Palm Resorts|Panda Toys|
Pearl Cleaning|Pine Ridge|Pixel Works|Plum Fashion|Prime Realty|Quarry Stone|Rainbow Paints|Raven Security|Redwood Capital|
River Cafe|Robin Travel|Rocket Pizza|Ruby Cinema|Saffron House|Sage Consulting|Sapphire Bank|Shore Marine|Skyline Homes|
Solar Union|Spark Electric|Stone Bridge|Swift Cargo|Tango Shoes|Terra Farms|Thistle Inn|Thunder Gym|Tulip Flowers|Twin Peaks|
Urban Bikes|Valley Wines|Velvet Salon|Violet Press|Walnut Furniture|Whale Watch Tours|White Rabbit|Wild Rose|Windmill Bakery|
Yellow Cab|Zebra Print""")

JOBS = _piped("""nurse|doctor|teacher|software engineer|accountant|architect|baker|carpenter|chef|dentist|designer|electrician|farmer|
firefighter|gardener|journalist|lawyer|librarian|manager|mechanic|musician|painter|pharmacist|photographer|pilot|plumber|
police officer|professor|programmer|sales manager|scientist|tailor|translator|waiter|writer|data analyst|product manager|
actor|actress|air traffic controller|anthropologist|auditor|author|barber|barista|bartender|biologist|bookkeeper|bricklayer|
bus driver|butcher|car dealer|care worker|cashier|chemist|clerk|coach|composer|consultant|cook|courier|dancer|detective|
diver|economist|editor|engineer|estate agent|film director|fisherman|flight attendant|florist|geologist|glazier|hairdresser|
historian|hotel manager|illustrator|inspector|insurance agent|interpreter|janitor|jeweler|judge|locksmith|logistics manager|
mail carrier|marketing director|midwife|miner|model|nanny|network administrator|optician|paramedic|personal trainer|
physicist|physiotherapist|poet|politician|porter|postman|potter|project manager|psychologist|radiologist|receptionist|
reporter|roofer|sailor|sculptor|secretary|shepherd|shoemaker|singer|social worker|soldier|stage designer|statistician|
stonemason|surgeon|surveyor|taxi driver|technician|test engineer|tour guide|truck driver|tutor|upholsterer|vet|web designer|
welder|zookeeper""")

LANGUAGES = _split("""English French German Spanish Italian Portuguese Dutch Swedish Polish Russian Turkish Arabic Hindi Chinese Japanese Korean
Danish Norwegian Finnish Greek Hebrew Czech Hungarian Romanian Ukrainian Vietnamese Thai Indonesian Bengali Tamil Urdu
Persian Swahili Zulu Irish Welsh Catalan Basque Icelandic Estonian Latvian Lithuanian Croatian Serbian Bulgarian Latin
Esperanto Malay Nepali Punjabi Mongolian Georgian""")

CURRENCIES = _split("""USD EUR GBP JPY CHF CAD AUD SEK NOK DKK PLN CZK HUF TRY INR CNY KRW BRL MXN ZAR NZD SGD HKD THB ILS RON BGN ISK AED SAR EGP
NGN KES PHP IDR MYR VND ARS CLP COP PEN PKR UAH TWD MAD""")

DOMAINS = _split("""example.com example.org mail.com test.io acme.com corp.net school.edu inbox.dev post.de web.fr company.co example.net
mailbox.org hello.eu shop.biz uni.ac.uk city.gov news.tv office.se home.nl box.it cloud.ai team.pl team.us farm.ca lab.jp""")

TOPICS = _piped("""the sea|autumn|my grandmother|space travel|dragons|a lonely robot|friendship|the moon|winter mornings|coffee|a lost dog|love|
the city at night|mountains|time|a brave knight|climate change|quantum physics|the French Revolution|black holes|
photosynthesis|the stock market|artificial intelligence|the Roman Empire|football|vaccines|democracy|the history of chess|
volcanoes|jazz|blockchain|the human brain|evolution|World War II|inflation|yoga|meditation|healthy breakfasts|
the meaning of life|electric cars|dinosaurs|deep sea fish|the pyramids|Shakespeare|Mozart|impressionism|bread baking|gravity|
DNA|a magic forest|pirates|a shy ghost|the weather|the ocean|a broken heart|my first day at school|old trains|loneliness|
the desert|a stolen painting|the end of the world|growing old|lost keys|the smell of rain|snow|spring|a haunted house|
two brothers|the invention of the wheel|a dancing bear|the last tree|my cat|a journey to Mars|childhood|courage|
a forgotten island|the night sky|hope|revenge|cooking|a clumsy waiter|modern art|renewable energy|nuclear power|recycling|
the water cycle|plate tectonics|relativity|the periodic table|antibiotics|viruses|sleep|dreams|memory|the immune system|
stem cells|cloning|genetics|bees|coral reefs|rain forests|the ice age|mammoths|migration|globalization|free trade|capitalism|
socialism|feminism|human rights|the constitution|taxes|the gold standard|interest rates|supply and demand|marketing|
public transport|city planning|the internet|social media|cryptography|quantum computers|robots|self-driving cars|
virtual reality|video games|the printing press|the telephone|the railway|the moon landing|the Silk Road|the Vikings|
the samurai|the Aztecs|the Great Wall|the Berlin Wall|the Magna Carta|Greek mythology|Buddhism|stoicism|existentialism|
ethics|logic|grammar|poetry|opera|ballet|the blues|hip hop|cinema|photography|architecture|baroque music|tea|chocolate|
wine making|cheese|vegan food|street food|sourdough|fermentation|marathon running|swimming|sailing|mountaineering|surfing|
card games|magic tricks|public speaking|good manners|small talk|job interviews|time management|saving money|minimalism|
gardening|dog training|parenting|school uniforms|homework|exams|university life|remote work|retirement|holidays|camping|
backpacking|the Olympic games|a talking fox|an honest thief|a tiny kingdom|a secret garden|the smallest dragon|a sleepy owl|
the color blue|silence|mirrors|left-handed people|tattoos|fashion|perfume|lightning|tornadoes|earthquakes|tides|eclipses|
comets|dark matter|the big bang|parallel worlds|time travel""")
