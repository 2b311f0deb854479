/**
 * Constrained answers of the embedded model at a real server, with the grammars that it is sent and without them: the
 * ids have to be the same, with fewer requests.
 */
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { openRemoteEngine } from "../../inference/index.ts";
import { parseEngineAddress } from "../../inference/remote/address.ts";
import type { OutputOptions, RunAgentOptions } from "../../runtime/index.ts";
import { defineTool, loadModel, runAgent } from "../../runtime/index.ts";
import { HarmonyModel } from "../../runtime/model/harmony-model.ts";
import { PERSON } from "../fixtures/person-schema.ts";

const weather = defineTool({
  name: "get_weather",
  description: "The weather of a city.",
  inputSchema: {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer", minimum: 1, maximum: 14 } },
    required: ["city", "days"],
  },
  execute: () => "sunny",
});

const OUTPUTS: readonly OutputOptions[] = [
  { jsonSchema: PERSON },
  { choices: ["red", "green", "blue-green"] },
  { regex: "[A-Z]{2}-\\d{3}" },
  { grammar: { syntax: "ebnf", text: 'root ::= "no" | "yes " [a-z]{2,5}' } },
];

const CASES: readonly Partial<RunAgentOptions>[] = [
  ...OUTPUTS.map((output) => ({ output })),
  { output: { jsonSchema: PERSON }, constrainHeaders: false },
  { output: { jsonSchema: PERSON }, tools: [weather] },
  { tools: [weather], toolChoice: "required" },
  {},
];

type Played = { readonly ids: readonly number[]; readonly requests: number };

export type GrammarReport = {
  readonly answers: number;
  readonly differences: number;
  /** Requests for tokens. */
  readonly requests: { readonly masks: number; readonly grammars: number };
  /** What the engine said of grammars. */
  readonly notes: readonly string[];
};

/** @param address  of a server with the embedded model */
export async function stressGrammars(
  address: string,
  prompts: readonly string[],
  onProgress: (done: number) => void = () => {},
): Promise<GrammarReport> {
  const notes = new Set<string>();
  const masks = await play(address, prompts, { withGrammars: false, notes: new Set(), onProgress });
  const grammars = await play(address, prompts, { withGrammars: true, notes, onProgress });
  const total = (all: readonly Played[]): number => all.reduce((sum, one) => sum + one.requests, 0);
  return {
    answers: grammars.length,
    differences: grammars.filter(({ ids }, at) => ids.join() !== masks[at]?.ids.join()).length,
    requests: { masks: total(masks), grammars: total(grammars) },
    notes: [...notes],
  };
}

type PlayOptions = {
  readonly withGrammars: boolean;
  readonly notes: Set<string>;
  readonly onProgress: (done: number) => void;
};

async function play(
  address: string,
  prompts: readonly string[],
  { withGrammars, notes, onProgress }: PlayOptions,
): Promise<readonly Played[]> {
  const [base] = parseEngineAddress(address).bases;
  if (base === undefined) throw new Error(`${address} names no server.`);
  let requests = 0;
  const proxy = await proxyTo(base, (body) => {
    requests++;
    return withGrammars ? body : withoutGrammar(body);
  });
  await using demo = await loadModel();
  const { port } = proxy.address() as AddressInfo;
  const engine = await openRemoteEngine([`${address.split(":")[0]}://127.0.0.1:${port}`], {
    onNote: (note) => notes.add(note.replace(/127\.0\.0\.1:\d+/, "it")),
  });
  engine.useVocabulary(demo.tokenizer.ordinaryTokens);
  await using model = new HarmonyModel({ engine, tokenizer: demo.tokenizer });
  const ids: number[] = [];
  const sample = model.sample.bind(model);
  model.sample = async (...given) => {
    const step = await sample(...given);
    ids.push(...step.ids);
    return step;
  };
  const played: Played[] = [];
  try {
    for (const prompt of prompts) {
      for (const one of CASES) {
        ids.length = requests = 0;
        await runAgent({
          model,
          prompt,
          sampling: { temperature: 0 },
          maxReasoningTokens: 30,
          maxTokens: 120,
          maxRepairs: 0,
          ...one,
        });
        played.push({ ids: [...ids], requests });
        onProgress(played.length);
      }
    }
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
  return played;
}

/** Counts requests for tokens, which are those that say how many they want. */
async function proxyTo(base: URL, change: (body: object) => object): Promise<Server> {
  const server = createServer(async (asked, answer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of asked as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    const isForTokens = /"(?:n_predict|max_tokens|max_new_tokens)":/.test(text);
    const body = isForTokens ? JSON.stringify(change(JSON.parse(text) as object)) : text;
    const { host: _, "content-length": __, ...headers } = asked.headers;
    const forwarded = request(
      new URL(asked.url ?? "/", base),
      { method: asked.method, agent: false, headers },
      (came) => {
        answer.writeHead(came.statusCode ?? 502, { "content-type": came.headers["content-type"] });
        came.pipe(answer);
      },
    );
    forwarded.on("error", () => answer.destroy());
    answer.on("close", () => forwarded.destroy());
    forwarded.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const GRAMMAR_FIELDS: ReadonlySet<string> = new Set([
  ...["grammar", "grammar_lazy", "grammar_triggers", "structured_outputs"],
  ...["ebnf", "structural_tag"],
]);

function withoutGrammar(body: object): object {
  return Object.fromEntries(
    Object.entries(body)
      .filter(([name]) => !GRAMMAR_FIELDS.has(name))
      .map(([name, value]) => [
        name,
        name === "sampling_params" ? withoutGrammar(value as object) : value,
      ]),
  );
}
