/**
 * Names and words of the generated tasks. None of them is in the lists that the embedded model was
 * trained with; a test holds that.
 */
function list(text: string): readonly string[] {
  return text.split("|").map((each) => each.trim());
}

export const FIRST_NAMES: readonly string[] = list(
  "Odette|Rupert|Tamsin|Cormac|Ilse|Bertil|Winona|Horace|Delphine|Anselm|Philippa|Ragnar|Imogen|Caspian|" +
    "Rosalind|Thelonius|Marguerite|Alistair|Ottilie|Barnaby|Saoirse|Leopold|Cordelia|Fergus|Hedwig|Montague",
);

export const SURNAMES: readonly string[] = list(
  "Hallgren|Ferraro|Whitlock|Castellanos|Drummond|Vanderberg|Okonkwo|Lindgren|Beaumont|Zielinski|Hartmann|" +
    "Marchetti|Thorne|Abernathy|Kurosawa|Delacroix|Ferreira|Holloway|Pemberton|Sorensen|Villanueva|Radcliffe",
);

export const PLACES: readonly string[] = list(
  "Bergen|Trieste|Nantes|Leipzig|Ghent|Galway|Arequipa|Mombasa|Osijek|Tromso|Kanazawa|Adelaide|Winnipeg|" +
    "Tucson|Norwich|Palermo|Gdynia|Durban|Rosario|Nagoya|Tartu|Bilbao|Ottawa|Dundee|Savannah|Maputo",
);

export const THINGS: readonly string[] = list(
  "lantern|teapot|hammock|wheelbarrow|sundial|typewriter|trumpet|canoe|quilt|chessboard|telescope|harmonica|" +
    "rucksack|binoculars|bookend|jigsaw|snowboard|tambourine|easel|birdhouse|doormat|thermos|trellis|stapler",
);

export const WORDS: readonly string[] = list(
  "marigold|cobblestone|thimble|quarry|saffron|kingfisher|windmill|turnstile|periwinkle|blackberry|avalanche|" +
    "cinnamon|velvet|harvest moon|granite|meridian|juniper|meadow|nutmeg|orchard|plateau|parable|squirrel|" +
    "tapestry|umbrage|vineyard|walnut|yonder|zeppelin|driftwood|ember|falcon|glacier|hazel|inkwell|jasmine",
).filter((word) => !word.includes(" "));

export const ADJECTIVES: readonly string[] = list(
  "crimson|sturdy|foldable|antique|portable|wooden|handmade|spotted|polished|compact|rustic|striped",
);

export const FIRMS: readonly string[] = list(
  "Larkspur Tools|Ironbridge Bakery|Copperfield Press|Saltmarsh Ferries|Juniper Dental|Highmoor Cycles|" +
    "Brightwater Pumps|Foxglove Florists|Kestrel Couriers|Stonegate Travel",
);

export const TRADES: readonly string[] = list(
  "beekeeper|blacksmith|optician|surveyor|cartographer|glazier|sculptor|veterinarian|locksmith|geologist|" +
    "bookbinder|ranger|diver|botanist|goldsmith|midwife",
);

export const TINTS: readonly string[] = list("ochre|lilac|khaki|amber|burgundy|mint|coral|indigo");
