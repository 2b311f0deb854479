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
    "Marchetti|Thorne|Abernathy|Kurosawa|Delacroix|Quintanilla|Holloway|Pemberton|Sorensen|Villanueva|Radcliffe",
);

export const PLACES: readonly string[] = list(
  "Lugano|Szeged|Kaunas|Varna|Perugia|Limerick|Arequipa|Kisumu|Osijek|Tromso|Kanazawa|Dunedin|Halifax|" +
    "Tulsa|Haarlem|Tarragona|Gdynia|Arusha|Rosario|Kochi|Tartu|Gijon|Spokane|Dundee|Savannah|Mendoza",
);

export const THINGS: readonly string[] = list(
  "hourglass|candlestick|mandolin|tricycle|sundial|gramophone|clarinet|corkscrew|footstool|chessboard|periscope|harmonica|" +
    "rucksack|kaleidoscope|bookend|jigsaw|monocle|tambourine|easel|birdhouse|doormat|metronome|trellis|pinwheel",
);

export const WORDS: readonly string[] = list(
  "marigold|cobblestone|thimble|lagoon|saffron|dandelion|windmill|turnstile|periwinkle|blackberry|avalanche|" +
    "cinnamon|sapphire|harvest moon|granite|meridian|juniper|thicket|nutmeg|hazelnut|plateau|parchment|gossamer|" +
    "tapestry|umbrage|vineyard|willow|yonder|zeppelin|driftwood|ember|nettle|fjord|hazel|inkwell|amethyst",
).filter((word) => !word.includes(" "));

export const ADJECTIVES: readonly string[] = list(
  "crimson|sturdy|foldable|antique|portable|wooden|handmade|spotted|polished|compact|rustic|striped",
);

export const FIRMS: readonly string[] = list(
  "Larkspur Tools|Ironbridge Bakery|Copperfield Press|Saltmarsh Ferries|Juniper Dental|Highmoor Cycles|" +
    "Brightwater Pumps|Foxglove Florists|Kestrel Couriers|Stonegate Travel",
);

export const TRADES: readonly string[] = list(
  "beekeeper|blacksmith|farrier|cobbler|cartographer|milliner|luthier|actuary|saddler|weaver|" +
    "bookbinder|ranger|ferryman|botanist|goldsmith|chandler",
);

export const TINTS: readonly string[] = list("ochre|lilac|khaki|amber|burgundy|mint|coral|indigo");
