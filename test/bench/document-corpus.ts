/**
 * A folder of documents for figures of size: prose in six languages with words as rare as they are in a
 * language, Markdown, HTML pages with navigation, code, text, notebooks. The same from the same seed.
 */
import { randomNumbers } from "../fixtures/random-numbers.ts";

export type GeneratedFile = {
  readonly path: string;
  readonly text: string;
  /** Words, phrases and identifiers that stand in it, as a person would look for them. */
  readonly queries: readonly string[];
};

type Random = () => number;
type Language = {
  readonly share: number;
  /** The n-th word of its vocabulary. */
  readonly word: (rank: number) => string;
  readonly between: string;
  readonly end: string;
};

/** Words as numbers with these syllables as digits. */
function spelled(syllables: string): (rank: number) => string {
  const digits = syllables.split(" ");
  return (rank) => {
    let text = "";
    let rest = rank;
    do {
      text += digits[rest % digits.length];
      rest = Math.floor(rest / digits.length);
    } while (rest > 0);
    return text;
  };
}

/** Words of one to three signs. */
function signs(first: number, count: number): (rank: number) => string {
  return (rank) => {
    const digits = [rank % count, Math.floor(rank / 7) % count, Math.floor(rank / 53) % count];
    return digits
      .slice(0, 1 + (rank % 3))
      .map((digit) => String.fromCodePoint(first + digit))
      .join("");
  };
}

const LATIN =
  "ba ter con de ing ka lo ment mo ne po ra ri sa ser so ta tion to va ve vi wo al en es";
const LANGUAGES: readonly Language[] = [
  { share: 0.6, word: spelled(LATIN), between: " ", end: ". " },
  {
    share: 0.12,
    word: spelled("schi gebü hafen ord nung mä ge ver ß le ung keit stein über fä dor wei en"),
    between: " ",
    end: ". ",
  },
  {
    share: 0.08,
    word: spelled("ка ро ста но ли ве при ме да су ход ный ость за пе ло ри ку"),
    between: " ",
    end: ". ",
  },
  { share: 0.1, word: signs(0x4e00, 2500), between: "", end: "。" },
  { share: 0.06, word: signs(0x3042, 80), between: "", end: "。" },
  {
    share: 0.04,
    word: spelled("با تا سا مي نو را كا لم حر بي دو ال في شم قا ري"),
    between: " ",
    end: ". ",
  },
];

const VOCABULARY = 200_000;

/** A word with a frequency of one over its rank, as in Zipf's law. */
function rankFrom(random: Random): number {
  return Math.floor(Math.exp(random() * Math.log(VOCABULARY)));
}

function languageFrom(random: Random): Language {
  let left = random();
  for (const language of LANGUAGES) {
    left -= language.share;
    if (left < 0) return language;
  }
  return LANGUAGES[0] as Language;
}

function words({ word, between }: Language, random: Random, count: number): string {
  return Array.from({ length: count }, () => word(rankFrom(random))).join(between);
}

function paragraph(language: Language, random: Random): string {
  const sentences = 2 + Math.floor(random() * 5);
  let text = "";
  for (let n = 0; n < sentences; n++) {
    text += words(language, random, 6 + Math.floor(random() * 14)) + language.end;
  }
  return text.trimEnd();
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function identifier(random: Random, style: "camel" | "snake"): string {
  const [first = "", second = "", third = ""] = [0, 1, 2].map(() =>
    (LANGUAGES[0] as Language).word(rankFrom(random)),
  );
  return style === "snake"
    ? `${first}_${second}_${third}`
    : first + capital(second) + capital(third);
}

type Content = Omit<GeneratedFile, "path"> & { readonly extension: string };

function markdown(random: Random): Content {
  const language = languageFrom(random);
  const title = words(language, random, 3);
  const sections = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, n) => {
    const body = [paragraph(language, random), paragraph(language, random)];
    if (n === 1) {
      body.push(
        `- ${words(language, random, 5)}\n- [${words(language, random, 2)}](${Math.floor(random() * 1000)}.md)`,
      );
    }
    if (n === 2) body.push(`\`\`\`ts\nawait ${identifier(random, "camel")}(${n});\n\`\`\``);
    return `## ${words(language, random, 3)}\n\n${body.join("\n\n")}`;
  });
  return {
    extension: "md",
    text: `# ${title}\n\n${sections.join("\n\n")}\n`,
    queries: [title, words(language, random, 2), `"${title}"`],
  };
}

function html(random: Random): Content {
  const language = languageFrom(random);
  const title = words(language, random, 3);
  const link = (): string =>
    `<li><a href="${Math.floor(random() * 1000)}.html">${words(language, random, 2)}</a></li>`;
  const body = Array.from(
    { length: 3 + Math.floor(random() * 6) },
    () => `<h2>${words(language, random, 3)}</h2>\n<p>${paragraph(language, random)}</p>`,
  );
  return {
    extension: "html",
    text: `<!doctype html>
<html><head><meta charset="utf-8"><title>${title}</title><style>body { margin: 0 }</style></head>
<body><nav><ul>${Array.from({ length: 8 }, link).join("")}</ul></nav>
<main><h1>${title}</h1>
${body.join("\n")}
</main><footer><p>Imprint</p></footer></body></html>
`,
    queries: [title],
  };
}

function code(random: Random): Content {
  const isPython = random() < 0.5;
  const style = isPython ? "snake" : "camel";
  const names = Array.from({ length: 3 + Math.floor(random() * 8) }, () =>
    identifier(random, style),
  );
  const english = LANGUAGES[0] as Language;
  const parts = names.map((name) => {
    const says = words(english, random, 9);
    const [a, b] = [identifier(random, style), identifier(random, style)];
    return isPython
      ? `def ${name}(value):\n    """${says}."""\n    ${a} = ${b}(value)\n    return ${a} + 1\n`
      : `/** ${says}. */\nexport function ${name}(value: number): number {\n  const ${a} = ${b}(value);\n  return ${a} + 1;\n}\n`;
  });
  return { extension: isPython ? "py" : "ts", text: parts.join("\n"), queries: names.slice(0, 1) };
}

function plain(random: Random): Content {
  const language = languageFrom(random);
  const paragraphs = Array.from({ length: 2 + Math.floor(random() * 6) }, () =>
    paragraph(language, random),
  );
  return {
    extension: "txt",
    text: `${paragraphs.join("\n\n")}\n`,
    queries: [words(language, random, 2)],
  };
}

function notebook(random: Random): Content {
  const { text, queries } = markdown(random);
  const cells = [
    { cell_type: "markdown", metadata: {}, source: text },
    { cell_type: "code", metadata: {}, source: code(random).text, outputs: [], execution_count: 1 },
  ];
  return {
    extension: "ipynb",
    text: JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }),
    queries,
  };
}

/** `count` files, a thousand in each folder. */
export function* generateFiles(count: number, seed: number): Generator<GeneratedFile> {
  const random = randomNumbers(seed);
  for (let n = 0; n < count; n++) {
    const kind = random();
    const make =
      kind < 0.45
        ? markdown
        : kind < 0.7
          ? html
          : kind < 0.85
            ? code
            : kind < 0.97
              ? plain
              : notebook;
    const { extension, text, queries } = make(random);
    yield { path: `${Math.floor(n / 1000)}/${n}.${extension}`, text, queries };
  }
}
