/** Functions that a program might declare: how they are named, asked for, and what they answer. */
import type { Random } from "../random.ts";
import type { DeclaredTool } from "../task.ts";
import { FIRMS, FIRST_NAMES, PLACES, SURNAMES, THINGS, WORDS } from "../words.ts";

type Value = string | number;

type Parameter = {
  /** One of these is the parameter's name. */
  readonly names: readonly string[];
  readonly type: "string" | "integer" | "number";
  readonly description?: string;
  readonly make: (random: Random) => Value;
};

export type ToolDesign = {
  readonly names: readonly string[];
  readonly description: string;
  /** In the order of the `{0}`, `{1}` … of the prompts. */
  readonly parameters: readonly Parameter[];
  readonly prompts: readonly string[];
  /** What the tool answers, and what of it the user wanted to know. */
  readonly answer: (random: Random) => { result: unknown; wanted: readonly Value[] };
};

const place: Parameter["make"] = (r) => r.pick(PLACES);
const person: Parameter["make"] = (r) => `${r.pick(FIRST_NAMES)} ${r.pick(SURNAMES)}`;
const ticker: Parameter["make"] = (r) =>
  Array.from({ length: r.int(3, 4) }, () => r.pick([..."BCDFGHKLMNPRSTVWXZ"])).join("");
const code: Parameter["make"] = (r) =>
  `${r.pick([..."BDFHKNRTVX"])}${r.pick([..."CEGJMPSWZ"])}-${r.int(100, 9_999)}`;
const currency: Parameter["make"] = (r) =>
  r.pick(["THB", "ISK", "ILS", "NZD", "SGD", "HKD", "MYR"]);

export const TOOLS: readonly ToolDesign[] = [
  {
    names: ["weather_now", "current_conditions", "get_local_weather"],
    description: "Reports the present weather at a place.",
    parameters: [{ names: ["place", "town", "location"], type: "string", make: place }],
    prompts: [
      "What's it like outdoors in {0} at the moment?",
      "Could you check the weather at {0} for me?",
      "Is the sky clear over {0} right now?",
      "How warm is it in {0}?",
    ],
    answer: (r) => {
      const degrees = r.int(-14, 38);
      const sky = r.pick(["overcast", "drizzle", "clear", "sleet", "hazy"]);
      return { result: { temperature_c: degrees, conditions: sky }, wanted: [degrees, sky] };
    },
  },
  {
    names: ["stock_quote", "share_price", "get_ticker"],
    description: "Latest trading price of a share.",
    parameters: [{ names: ["ticker", "symbol", "share"], type: "string", make: ticker }],
    prompts: [
      "What is one share of {0} selling for?",
      "Look up the price of {0} on the exchange.",
      "I'd like a quote for {0}.",
    ],
    answer: (r) => {
      const price = r.int(1_001, 89_999) / 100;
      return { result: { price, currency: "USD" }, wanted: [price] };
    },
  },
  {
    names: ["convert_money", "exchange", "fx_convert"],
    description: "Converts money between currencies.",
    parameters: [
      { names: ["amount", "value"], type: "number", make: (r) => r.int(15, 9_500) },
      { names: ["from_currency", "source", "base"], type: "string", make: currency },
      {
        names: ["to_currency", "target", "quote"],
        type: "string",
        make: (r) => r.pick(["ZMW", "QAR", "PEN", "COP"]),
      },
    ],
    prompts: [
      "Convert {0} {1} into {2}.",
      "How many {2} do I get for {0} {1}?",
      "Please exchange {0} {1} to {2}",
    ],
    answer: (r) => {
      const amount = r.int(1_000, 999_999) / 100;
      return { result: { converted: amount }, wanted: [amount] };
    },
  },
  {
    names: ["lookup_member", "find_client", "customer_record"],
    description: "Finds a person in the register.",
    parameters: [{ names: ["name", "full_name", "person"], type: "string", make: person }],
    prompts: [
      "Look up {0} in the register.",
      "Which record do we have for {0}?",
      "Find the entry of {0}, please.",
    ],
    answer: (r) => {
      const member = r.int(10_000, 99_999);
      const town = r.pick(PLACES);
      return { result: { member_id: member, town }, wanted: [member, town] };
    },
  },
  {
    names: ["parcel_status", "track_parcel", "where_is_package"],
    description: "Says where a parcel is.",
    parameters: [{ names: ["parcel_id", "tracking_code", "number"], type: "string", make: code }],
    prompts: [
      "Where has my parcel {0} got to?",
      "Has parcel {0} been delivered yet?",
      "Track {0} for me.",
    ],
    answer: (r) => {
      const town = r.pick(PLACES);
      return { result: { status: "in transit", last_seen: town }, wanted: [town] };
    },
  },
  {
    names: ["tide_times", "next_high_tide", "get_tide"],
    description: "Gives the next high tide of a harbour.",
    parameters: [{ names: ["harbour", "port", "coast_town"], type: "string", make: place }],
    prompts: [
      "When is high water at {0}?",
      "Tell me the next high tide in {0}.",
      "What time does the tide peak at {0}?",
    ],
    answer: (r) => {
      const time = `${r.int(10, 23)}:${r.int(10, 59)}`;
      return { result: { high_tide: time, height_m: r.int(11, 69) / 10 }, wanted: [time] };
    },
  },
  {
    names: ["start_countdown", "set_kitchen_timer", "timer_start"],
    description: "Starts a countdown.",
    parameters: [
      {
        names: ["minutes", "duration_minutes", "length"],
        type: "integer",
        make: (r) => r.int(3, 180),
      },
    ],
    prompts: [
      "Start a countdown of {0} minutes.",
      "Give me a timer running {0} minutes.",
      "Ring after {0} minutes, please.",
    ],
    answer: (r) => {
      const id = r.int(100, 999);
      return { result: `Timer ${id} is running.`, wanted: [id] };
    },
  },
  {
    names: ["train_departures", "next_train", "rail_board"],
    description: "Next train between two stations.",
    parameters: [
      { names: ["origin", "from_station", "start"], type: "string", make: place },
      {
        names: ["destination", "to_station", "end"],
        type: "string",
        make: (r) => r.pick(["Stavanger", "Verona", "Limoges", "Erfurt", "Bruges"]),
      },
    ],
    prompts: [
      "When does the next train go from {0} to {1}?",
      "I'm in {0} and want to take a train to {1}. When does it leave?",
      "Next departure from {0} to {1}?",
    ],
    answer: (r) => {
      const platform = r.int(11, 48);
      const time = `${r.int(10, 23)}:${r.int(10, 59)}`;
      return { result: { departs: time, platform }, wanted: [time, platform] };
    },
  },
  {
    names: ["stock_level", "count_in_stock", "inventory_check"],
    description: "How many pieces of an article are in the store.",
    parameters: [
      { names: ["article", "item", "sku_name"], type: "string", make: (r) => r.pick(THINGS) },
    ],
    prompts: [
      "How many pieces of the article {0} do we have in store?",
      "Check the stock of the item {0}.",
      "Do we still have any {0} in store?",
    ],
    answer: (r) => {
      const count = r.int(12, 4_800);
      return { result: { in_stock: count }, wanted: [count] };
    },
  },
  {
    names: ["reserve_court", "book_court", "court_booking"],
    description: "Reserves a tennis court.",
    parameters: [
      { names: ["court", "court_number"], type: "integer", make: (r) => r.int(1, 12) },
      { names: ["name", "player", "booked_by"], type: "string", make: (r) => r.pick(FIRST_NAMES) },
    ],
    prompts: ["Reserve court {0} for {1}.", "Please book court {0} under the name {1}."],
    answer: (r) => {
      const reference = String(code(r));
      return { result: { confirmed: true, reference }, wanted: [reference] };
    },
  },
  {
    names: ["dictionary_entry", "define_word", "word_meaning"],
    description: "Looks a word up in the dictionary.",
    parameters: [{ names: ["word", "term", "entry"], type: "string", make: (r) => r.pick(WORDS) }],
    prompts: [
      "Look up the word {0} in the dictionary.",
      "What does the dictionary say about {0}?",
      'Get me the definition of "{0}".',
    ],
    answer: (r) => {
      const page = r.int(20, 1_800);
      return { result: { part_of_speech: "noun", page }, wanted: ["noun", page] };
    },
  },
  {
    names: ["company_phone", "business_contact", "phone_of_firm"],
    description: "Telephone number of a firm.",
    parameters: [
      { names: ["firm", "company", "business"], type: "string", make: (r) => r.pick(FIRMS) },
    ],
    prompts: [
      "What's the telephone number of {0}?",
      "I need to ring {0}. What is their number?",
      "Find the phone number for {0}.",
    ],
    answer: (r) => {
      const phone = `${r.int(200, 999)}-${r.int(1_000, 9_999)}`;
      return { result: { phone }, wanted: [phone] };
    },
  },
  {
    names: ["heater_set", "set_room_heat", "thermostat"],
    description: "Sets the heating of a room.",
    parameters: [
      {
        names: ["room", "zone"],
        type: "string",
        make: (r) => r.pick(["attic", "cellar", "nursery", "pantry", "workshop", "hallway"]),
      },
      {
        names: ["celsius", "degrees", "target_temperature"],
        type: "integer",
        make: (r) => r.int(14, 26),
      },
    ],
    prompts: [
      "Heat the {0} to {1} degrees.",
      "I want it to be {1} degrees in the {0}.",
      "Set the {0} to {1} degrees please",
    ],
    answer: (r) => {
      const minutes = r.int(11, 95);
      return { result: { accepted: true, ready_in_minutes: minutes }, wanted: [minutes] };
    },
  },
];

export type UsedTool = {
  readonly declaration: DeclaredTool;
  readonly prompt: string;
  readonly call: {
    readonly recipient: string;
    readonly arguments: Readonly<Record<string, Value>>;
  };
  readonly wanted: readonly string[];
};

/** One design with names chosen, a request for it, the call that the request means and its answer. */
export function useTool(random: Random, design: ToolDesign): UsedTool {
  const named = design.parameters.map((parameter) => ({
    parameter,
    name: random.pick(parameter.names),
  }));
  const values = named.map(({ parameter }) => parameter.make(random));
  const { result, wanted } = design.answer(random);
  const name = random.pick(design.names);
  const described = random.chance(0.4);
  const properties = Object.fromEntries(
    named.map(({ parameter, name: key }) => [
      key,
      described
        ? { type: parameter.type, description: `The ${key.replaceAll("_", " ")}` }
        : { type: parameter.type },
    ]),
  );
  return {
    declaration: {
      name,
      description: design.description,
      parameters: { type: "object", properties, required: Object.keys(properties) },
      result,
    },
    prompt: random
      .pick(design.prompts)
      .replace(/\{(\d)\}/g, (_, at: string) => String(values[Number(at)])),
    call: {
      recipient: `functions.${name}`,
      arguments: Object.fromEntries(named.map(({ name: key }, at) => [key, values[at] ?? ""])),
    },
    wanted: wanted.map(String),
  };
}

/** Tools that the request is not about, declared beside the one it is about. */
export function otherTools(
  random: Random,
  than: readonly ToolDesign[],
  count: number,
): DeclaredTool[] {
  const others = TOOLS.filter((design) => !than.includes(design));
  return random.sample(others, count).map((design) => useTool(random, design).declaration);
}
