/**
 * Documents and labelled queries for the search bench, made by a generator: a small world of harbours, in
 * which each document is about one matter at one place and mentions others in passing. What a query asks
 * for is known from how it was made, so every document has a grade for it: 3 it is about that, 1 it is
 * about the same place or matter in part, 0 otherwise.
 */
import { randomNumbers } from "../fixtures/random-numbers.ts";

export type CorpusDocument = {
  readonly url: string;
  readonly title: string;
  readonly text: string;
};

export type LabelledQuery = {
  readonly kind: string;
  readonly query: string;
  /** Address → grade; what is not in it has grade 0. */
  readonly grades: ReadonlyMap<string, number>;
};

export type Corpus = {
  readonly documents: readonly CorpusDocument[];
  readonly queries: readonly LabelledQuery[];
};

const PLACES =
  "Arvik Brenholm Calder Dunmore Eskvik Fairlie Galtsund Harwick Inverlea Jorvik Kelding Lindholm Morrow Nessby Oakhaven Porthallow Quayside Ravenglass Skerry Tarbet Ulvik Varberg Westray Yarmouth".split(
    " ",
  );

/** Words for one matter: how a document names it, how a question asks for it, and what is said of it. */
const MATTERS = [
  {
    name: "berthing fees",
    asked: "What does it cost to berth overnight in",
    facts: [
      "Visitors pay by the length of the boat and the number of nights.",
      "The fee is collected at the office before noon, and electricity is charged apart.",
      "Boats that stay for a week pay for five nights.",
    ],
  },
  {
    name: "dredging",
    asked: "When was the channel last dredged at",
    facts: [
      "A suction dredger works along the eastern channel every third spring.",
      "The silt is carried out beyond the bar and dropped in forty metres of water.",
      "After dredging, the sounding chart is printed anew.",
    ],
  },
  {
    name: "pilotage",
    asked: "Is a pilot required to enter",
    facts: [
      "Vessels above sixty metres must take a pilot from the outer buoy inwards.",
      "Pilots board from a launch with a white hull and are ordered a day ahead.",
      "Two pilots are on duty at night.",
    ],
  },
  {
    name: "storm warnings",
    asked: "How are storms announced in",
    facts: [
      "A black cone is hoisted on the signal mast when a gale is expected.",
      "Warnings are repeated on the radio every two hours until the wind has dropped.",
      "The breakwater is closed to visitors as long as the signal stands.",
    ],
  },
  {
    name: "ice and winter closing",
    asked: "Which months is the harbour frozen in",
    facts: [
      "In hard winters the inner basin freezes, and a tug keeps a lane open.",
      "From January to March only the outer quay is lit.",
      "Ice thicker than ten centimetres ends the ferry service.",
    ],
  },
  {
    name: "ferry timetable",
    asked: "How often do ferries leave from",
    facts: [
      "The ferry crosses every forty minutes between six and midnight.",
      "Bicycles travel free, and cars have to be booked in summer.",
      "On holidays the timetable of Sundays is in force.",
    ],
  },
  {
    name: "crane and slipway",
    asked: "Can a boat be lifted out of the water at",
    facts: [
      "The travelling crane lifts thirty tonnes and is operated on working days.",
      "The slipway has a gradient of one to eight and dries at low water.",
      "Owners wash the hull themselves on the concrete apron.",
    ],
  },
  {
    name: "lighthouse",
    asked: "Who tended the lighthouse of",
    facts: [
      "The keeper lived with his family in the tower until the lamp was automated.",
      "Its lens was ground by hand and floats on a bath of mercury.",
      "The light shows two white flashes every twelve seconds.",
    ],
  },
  {
    name: "fish auction",
    asked: "Where are fish sold in",
    facts: [
      "Catches are sold by the descending clock in the red hall.",
      "Buyers from inland cities bid over the telephone.",
      "Herring that finds no buyer goes to the meal factory.",
    ],
  },
  {
    name: "customs clearance",
    asked: "Where do arriving yachts clear customs at",
    facts: [
      "A yellow flag is flown until the officer has been on board.",
      "Spirits above the allowance are sealed in a locker.",
      "Papers of the crew are stamped in the brick building at the gate.",
    ],
  },
] as const;

const FILLER = [
  "The weather on the coast changes quickly, and so do the plans of those who live by it.",
  "Much has been written about the old town, little of it by people who stayed longer than a summer.",
  "Every quay has its own stories, and some of them are true.",
  "The council meets on the first Tuesday of the month and publishes its minutes a week later.",
  "Gulls are protected here; feeding them is not allowed.",
  "Maps of the region are sold in the bookshop beside the church.",
  "A path leads along the shore to the next village and takes about an hour.",
  "The school has a room with models of boats that pupils have built.",
  "Most houses near the water were rebuilt in stone after the fire.",
  "In autumn the light is low and the hills look closer than they are.",
];

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function makeCorpus(seed: number): Corpus {
  const random = randomNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const documents: CorpusDocument[] = [];
  const queries: LabelledQuery[] = [];
  const add = (url: string, title: string, paragraphs: readonly string[]): void => {
    documents.push({ url, title, text: paragraphs.join("\n\n") });
  };
  const filler = (count: number): string[] =>
    Array.from({ length: count }, () => `${pick(FILLER)} ${pick(FILLER)} ${pick(FILLER)}`);
  const urlOf = (place: string, matter: number): string =>
    `${place.toLowerCase()}/chapter-${matter + 1}.md`;

  // 1. Prose: one document a place and matter. Titles name the place, the matter, or neither.
  for (const place of PLACES) {
    MATTERS.forEach((matter, number) => {
      const other = pick(PLACES);
      const aside = pick(MATTERS);
      const style = Math.floor(random() * 3);
      const title =
        style === 0
          ? `${place}: ${matter.name}`
          : style === 1
            ? `Notes on ${place}, part ${number + 1}`
            : `${capital(matter.name)}, chapter ${number + 1}`;
      add(urlOf(place, number), title, [
        ...filler(1 + Math.floor(random() * 3)),
        `About ${matter.name} in ${place}. ${matter.facts[0]} ${matter.facts[1]}`,
        ...filler(Math.floor(random() * 3)),
        `${matter.facts[2]} As for ${aside.name}, travellers compare it with ${other}.`,
        ...filler(Math.floor(random() * 4)),
      ]);
    });
  }
  const gradesOf = (place: string, matter: number): Map<string, number> => {
    const grades = new Map<string, number>();
    for (const each of MATTERS.keys()) grades.set(urlOf(place, each), 1);
    for (const each of PLACES) if (each !== place) grades.set(urlOf(each, matter), 1);
    return grades.set(urlOf(place, matter), 3);
  };
  for (let n = 0; n < 40; n++) {
    const [place, matter] = [pick(PLACES), Math.floor(random() * MATTERS.length)];
    const { name, asked } = MATTERS[matter] as (typeof MATTERS)[number];
    queries.push({
      kind: "keywords",
      query: `${place} ${name}`.toLowerCase(),
      grades: gradesOf(place, matter),
    });
    queries.push({
      kind: "questions",
      query: `${asked} ${place}?`,
      grades: gradesOf(place, matter),
    });
  }

  // 2. Phrases: the same words stand in other documents in another order.
  for (let n = 0; n < 12; n++) {
    const [first, second, third] = [pick(PLACES), pick(PLACES), `lantern${n}`].map((word) =>
      word.toLowerCase(),
    );
    const words = `${third} of the ${first} ${second} board`;
    add(`phrases/right-${n}.md`, `Minutes ${n}`, [
      ...filler(2),
      `They spoke of the ${words} and adjourned.`,
      ...filler(2),
    ]);
    for (let wrong = 0; wrong < 4; wrong++) {
      add(`phrases/wrong-${n}-${wrong}.md`, `Minutes ${n}, draft ${wrong}`, [
        `The board of ${second} has a ${third}; ${first} has none. The ${third} board met. ${first}, ${second}.`,
        ...filler(1),
      ]);
    }
    queries.push({
      kind: "phrases",
      query: `"${words}"`,
      grades: new Map([[`phrases/right-${n}.md`, 3]]),
    });
  }

  // 3. Identifiers of programs: in camel case, in snake case, with their object.
  const verbs = ["get", "set", "compute", "validate", "cancel", "renew"];
  const nouns = ["BerthFee", "PilotOrder", "TideTable", "MooringPlan", "CraneSlot", "ChannelDepth"];
  verbs.forEach((verb, v) => {
    nouns.forEach((noun, n) => {
      const name = `${verb}${noun}`;
      add(`api/${v}-${n}.md`, `Reference ${v * nouns.length + n}`, [
        `\`harbour.${name}(boat, options)\` returns a promise.`,
        `Call it after the session is open. See also the other functions of the module.`,
        ...filler(1),
      ]);
    });
  });
  for (let n = 0; n < 18; n++) {
    const [v, m] = [n % verbs.length, (n * 5 + Math.floor(n / 6)) % nouns.length];
    const camel = `${verbs[v]}${nouns[m]}`;
    const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const query = [camel, snake, `harbour.${camel}(`][n % 3] as string;
    queries.push({ kind: "identifiers", query, grades: new Map([[`api/${v}-${m}.md`, 3]]) });
  }

  // 4. Other languages: words written together, endings, particles, accents left out.
  for (const [n, [text, query]] of OTHER_LANGUAGES.entries()) {
    add(`world/${n}.md`, `Sheet ${n}`, [text, ...filler(1)]);
    queries.push({ kind: "languages", query, grades: new Map([[`world/${n}.md`, 3]]) });
  }
  return { documents, queries };
}

/** What a document says, and what is asked. */
const OTHER_LANGUAGES: readonly (readonly [string, string])[] = [
  ["我们坐船去厦门看海，码头的停泊费很便宜。", "停泊费"],
  ["冬天大连的港口不结冰，渔船照常出海。", "大连 结冰"],
  ["上海的引水员在外海登船。", "引水员"],
  ["明日は函館港で船を見ます。灯台は朝六時に消えます。", "灯台"],
  ["長崎の造船所では新しい客船が進水しました。", "造船所"],
  ["横浜の岸壁は水深十二メートルです。", "横浜 水深"],
  ["목포에서 배를 타고 섬으로 갔습니다. 등대는 바위 위에 있습니다.", "등대"],
  ["부산항의 정박료는 길이에 따라 다릅니다.", "정박료"],
  ["여객선은 매일 아침 인천에서 출발합니다.", "인천 여객선"],
  ["سافرنا بالباخرة إلى الإسكندرية صباحا", "باخرة"],
  ["رسوم الإرساء في الميناء تدفع قبل الظهر", "ميناء"],
  ["เรานั่งเรือไปภูเก็ตตอนเช้า ท่าเรือเปิดทุกวัน", "ภูเก็ต"],
  ["Die Hafengebührenordnung gilt seit Mai.", "Gebührenordnung"],
  ["Der Schleusenwärter öffnet um sieben das Obertor.", "Schleuse"],
  ["Das Café Möwe am Fährhaus schließt um elf.", "cafe mowe"],
  ["Лоцманы поднимаются на борт у приёмного буя.", "лоцман"],
  ["Стоянка судов оплачивается в конторе капитана порта.", "стоянка капитан"],
  ["Limandaki balıkçı tekneleri sabah erkenden döner.", "balıkçı"],
  ["Satamassa on uusi kalatori ja nosturi.", "satama"],
  ["הספינה עגנה בנמל לפני הסערה.", "נמל"],
  ["Příliv zaplavil spodní molo u majáku.", "majak"],
  ["Το λιμάνι έχει βάθος τρία μέτρα.", "λιμανι"],
  ["Bến phà mở cửa lúc năm giờ sáng.", "ben pha"],
  ["A capitania do porto fica junto à lota; a atracação é paga.", "atracacao"],
];

/** Documents for figures of size: prose with words as rare as they are in a language. */
export function* makeManyDocuments(count: number, seed: number): Generator<CorpusDocument> {
  const random = randomNumbers(seed);
  const syllables =
    "ba be bo da de do ka ke ko la le lo ma me mo na ne no pa pe po ra re ro sa se so ta te to va ve vo".split(
      " ",
    );
  // The n-th word is taken with a frequency of 1/n, as in Zipf's law.
  const word = (): string => {
    let rank = Math.floor(Math.exp(random() * Math.log(200_000)));
    let text = "";
    do {
      text += syllables[rank % syllables.length];
      rank = Math.floor(rank / syllables.length);
    } while (rank > 0);
    return text;
  };
  const sentence = (): string => {
    const words = Array.from({ length: 6 + Math.floor(random() * 14) }, word);
    return `${capital(words.join(" "))}.`;
  };
  const paragraph = (): string =>
    Array.from({ length: 2 + Math.floor(random() * 4) }, sentence).join(" ");
  for (let n = 0; n < count; n++) {
    const title = capital(`${word()} ${word()} ${word()}`);
    const text = Array.from({ length: 2 + Math.floor(random() * 8) }, paragraph).join("\n\n");
    yield { url: `${Math.floor(n / 1000)}/${n}.txt`, title, text };
  }
}
