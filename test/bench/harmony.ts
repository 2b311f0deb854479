/**
 * `bench harmony [--repeat N] [--rounds N]`: tokens per second of encoding, rendering and parsing, and
 * what the vocabulary costs at the start, and the masks of a header; the reference's WebAssembly build
 * beside it if installed.
 * The best of several rounds counts: everything else on the machine only makes it slower.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  createTokenizer,
  HarmonyParser,
  HeaderMatcher,
  type Message,
  o200kHarmonySpecialTokens,
  renderConversation,
  type Tokenizer,
  unpackTokens,
} from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import type { Bench } from "./bench.ts";
import { median, rounded } from "./median.ts";
import { loadReference, type Reference } from "./reference-harmony.ts";

/** Recorded figures of the reference's WebAssembly build on a two-core x86 machine, in tokens/s. */
const RECORDED = {
  encode: 300_000,
  parse: 1_700_000,
  per_token: 800_000,
  per_token_with_deltas: 190_000,
};

export const bench: Bench = async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repeat: { type: "string", default: "8" },
      rounds: { type: "string", default: "7" },
    },
  });
  const startup = measureStartup();
  const tokenizer = loadO200kHarmony();
  const text = sampleText().repeat(Number(values.repeat));
  const ids = tokenizer.encode(text);
  const { special } = tokenizer;
  const completion = [
    special.channel,
    ...tokenizer.encode("final"),
    special.message,
    ...ids,
    special.return,
  ];
  const messages: Message[] = text.split("\n\n").map((part, at) => ({
    role: at % 2 === 0 ? "user" : "assistant",
    channel: at % 2 === 0 ? null : "final",
    content: [{ type: "text", text: part }],
  }));
  const rendered = renderConversation(tokenizer, messages, { dropPolicy: "none" }).length;
  const options = { tokenizer, role: "assistant" } as const;
  const ours: Tasks = {
    encode: { tokens: ids.length, run: () => tokenizer.encode(text).length },
    render: {
      tokens: rendered,
      run: () => renderConversation(tokenizer, messages, { dropPolicy: "none" }).length,
    },
    parse: {
      tokens: ids.length,
      // charCodeAt makes the engine build the text, which concatenation only promises.
      run: () => HarmonyParser.parse(completion, options)[0]?.text.charCodeAt(99) ?? 0,
    },
    per_token: {
      tokens: ids.length,
      run: () => {
        const parser = new HarmonyParser(options);
        for (const id of completion) parser.process(id);
        return parser.messages.length;
      },
    },
    per_token_with_deltas: {
      tokens: ids.length,
      run: () => {
        const parser = new HarmonyParser(options);
        let length = 0;
        for (const id of completion) {
          parser.process(id);
          length += parser.lastContentDelta?.length ?? 0;
        }
        return length;
      },
    },
    per_token_with_events: {
      tokens: ids.length,
      run: () => {
        const parser = new HarmonyParser(options);
        let length = 0;
        for (const id of completion) {
          for (const event of parser.push(id)) {
            if (event.type === "delta") length += event.text.length;
          }
        }
        return length;
      },
    },
  };
  const reference = await loadReference();
  const theirs =
    reference === null ? {} : referenceTasks(reference, text, completion, messages, ours);
  const rounds = Number(values.rounds);
  const [ourRates, theirRates] = measure([ours, theirs], rounds);
  const compared = reference === null ? RECORDED : (theirRates ?? {});
  return {
    tokens: ids.length,
    startup,
    // Last: what V8 has compiled for the masks would change how the other figures compare.
    header_masks: measureMasks(tokenizer),
    ours: ourRates,
    reference: {
      source: reference === null ? "recorded" : `openai-harmony ${reference.version}, same run`,
      ...compared,
    },
    recorded: RECORDED,
    ratio: ratios(ourRates ?? {}, compared),
    checksum,
  };
};

type Tasks = { readonly [name: string]: { readonly tokens: number; run(): number } };

function referenceTasks(
  { encoding, createParser }: Reference,
  text: string,
  completion: readonly number[],
  messages: readonly Message[],
  ours: Tasks,
): Tasks {
  const array = Uint32Array.from(completion);
  const conversation = {
    messages: messages.map(({ role, channel, content }) => ({
      role,
      ...(channel ? { channel } : {}),
      content,
    })),
  };
  const tokens = ours["encode"]?.tokens ?? 0;
  return {
    encode: { tokens, run: () => encoding.encode(text, []).length },
    render: {
      tokens: ours["render"]?.tokens ?? 0,
      run: () => encoding.renderConversation(conversation, { auto_drop_analysis: false }).length,
    },
    parse: {
      tokens,
      run: () => encoding.parseMessagesFromCompletionTokens(array, "assistant").length,
    },
    per_token: {
      tokens,
      run: () => {
        const parser = createParser("assistant");
        for (const id of completion) parser.process(id);
        return 1;
      },
    },
    per_token_with_deltas: {
      tokens,
      run: () => {
        const parser = createParser("assistant");
        let length = 0;
        for (const id of completion) {
          parser.process(id);
          length += parser.lastContentDelta?.length ?? 0;
        }
        return length;
      },
    },
  };
}

/** Tokens per second of every task. Rounds go through all of them, so that all see the same machine. */
function measure(sides: readonly Tasks[], rounds: number): { [name: string]: number }[] {
  const rates = sides.map((): { [name: string]: number } => ({}));
  for (let round = 0; round < rounds; round++) {
    sides.forEach((tasks, side) => {
      for (const [name, { tokens, run }] of Object.entries(tasks)) {
        const start = performance.now();
        checksum += run();
        const rate = Math.round((tokens / (performance.now() - start)) * 1000);
        const own = rates[side] ?? {};
        own[name] = Math.max(own[name] ?? 0, rate);
      }
    });
  }
  return rates;
}

/** The sum of all results is printed, so that nothing measured can be optimised away. */
let checksum = 0;

function ratios(
  ours: { readonly [name: string]: number },
  theirs: { readonly [name: string]: number },
): { [name: string]: number } {
  return Object.fromEntries(
    Object.entries(theirs).map(([name, figure]) => [
      name,
      Math.round(((ours[name] ?? 0) / figure) * 10) / 10,
    ]),
  );
}

/** Making the tokenizer from the packed table: milliseconds, and megabytes that stay. */
function measureStartup(): { vocabulary_ms: number; vocabulary_mb: number } {
  const before = process.memoryUsage();
  const start = performance.now();
  const packed = readFileSync(new URL("../../harmony/vocabulary/o200k.bin", import.meta.url));
  const tokenizer = createTokenizer({
    tokens: unpackTokens(packed),
    specialTokens: o200kHarmonySpecialTokens(),
  });
  checksum += tokenizer.encode("ready").length;
  const milliseconds = performance.now() - start;
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.external - (before.heapUsed + before.external);
  return {
    vocabulary_ms: Math.round(milliseconds),
    vocabulary_mb: Math.round(bytes / 1e5) / 10,
  };
}

/** Milliseconds per token of a call's header: where its masks are made, and where they are there already. */
function measureMasks(tokenizer: Tokenizer): Record<string, number> {
  const header = tokenizer.encodeWithSpecials(
    "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>",
  );
  const timesOf = (): number[] => {
    let last = performance.now();
    const matcher = new HeaderMatcher(tokenizer, ["functions.get_weather", "python"]);
    return header.map((id) => {
      checksum += matcher.mask()?.[0] ?? 0;
      matcher.accept(id);
      const elapsed = performance.now() - last;
      last += elapsed;
      return elapsed;
    });
  };
  const [first = 0, ...others] = timesOf();
  const warm = Array.from({ length: 200 }, timesOf).flat();
  return {
    first: rounded(first),
    slowest_new: rounded(Math.max(...others)),
    warm_p50: median(warm),
  };
}

/** English prose and code of this repository: its documents and the sources of this folder. */
function sampleText(): string {
  const root = new URL("../../", import.meta.url);
  const names = ["ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE"];
  const sources = readdirSync(new URL("harmony/", root))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `harmony/${name}`);
  return [...names, ...sources]
    .map((name) => readFileSync(new URL(name, root), "utf8"))
    .join("\n\n");
}
