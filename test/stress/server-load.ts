/**
 * Many clients at once, of which some leave in the middle, read slowly, or send half a request: every answer that is
 * read whole has the tokens that its own request asked for, and at the end nothing is held any more.
 */
import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { HarmonyModel, loadModel } from "../../runtime/index.ts";
import { DEFAULTS } from "../../runtime/server/configuration.ts";
import { findByName } from "../../runtime/server/models/model-source.ts";
import { type RunningServer, startServer } from "../../runtime/server/server.ts";
import { Random } from "../eval/random.ts";
import { FACTS } from "../runtime/server/serve.ts";
import { EndlessEngine } from "./endless-engine.ts";
import { liveHeap } from "./live-heap.ts";

export type LoadReport = {
  readonly model: "scripted" | "embedded";
  readonly clients: number;
  readonly requests: number;
  /** Answers that were read whole, and what became of the other requests. */
  readonly whole: number;
  readonly left: number;
  readonly half_sent: number;
  /** Answers with another's tokens, with some lost, or without their end. */
  readonly problems: readonly string[];
  /** At the end: all 0. */
  readonly held: {
    readonly running: number;
    readonly waiting: number;
    readonly users: number;
    readonly connections: number;
  };
  /** A quarter of the way, and at the end: resident, and live objects alone. */
  readonly rss_mb: { readonly early: number; readonly last: number };
  readonly heap_mb: { readonly early: number; readonly last: number };
};

const mb = (bytes: number): number => Math.round(bytes / 1e6);

type LoadOptions = {
  readonly clients: number;
  readonly each: number;
  readonly seed: number;
  readonly model: "scripted" | "embedded";
  readonly onProgress?: (done: number) => void;
};

const tokenizer = loadO200kHarmony();
/** What a request asks for: the model says the numbers from 1 to the second one behind the first. */
const ASKED = /<\|message\|>say (\d+) up to (\d+)<\|end\|>/g;

function reply(tokens: readonly number[]): readonly number[] {
  const [, name = "", count = "0"] = [...tokenizer.decode(tokens).matchAll(ASKED)].at(-1) ?? [];
  return tokenizer.encodeWithSpecials(
    `<|channel|>final<|message|>${textFor(Number(name), Number(count))}<|return|>`,
  );
}

function textFor(name: number, count: number): string {
  return Array.from({ length: count }, (_, at) => `${name}:${at + 1}`).join(" ");
}

export async function serverLoad(options: LoadOptions): Promise<LoadReport> {
  const { clients, each, seed, onProgress } = options;
  const isScripted = options.model === "scripted";
  let served: HarmonyModel | null = null;
  const server = await startServer({
    configuration: { ...DEFAULTS, port: 0, slots: 8, maxQueue: 2 * clients },
    source: {
      list: async () => [FACTS],
      find: async (name) => findByName([FACTS], name),
      defaultContext: () => 8192,
      open: async () => {
        served = isScripted
          ? new HarmonyModel({ engine: new EndlessEngine(reply), tokenizer, maxSessions: 16 })
          : await loadModel(undefined, { maxSessions: 16 });
        return served;
      },
    },
  });
  const problems: string[] = [];
  const counts = { whole: 0, left: 0, halfSent: 0 };
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  /** Of the embedded model: the same question has the same answer, whoever asks meanwhile. */
  const answers = new Map<string, string>();
  let done = 0;
  let early = { heap: 0, rss: 0 };
  const client = async (number: number): Promise<void> => {
    const random = new Random(seed, `client ${number}`);
    for (let at = 0; at < each; at++) {
      const what = random.next();
      if (what < 0.05) {
        await sendHalf(server, random);
        counts.halfSent++;
      } else {
        const name = number * each + at;
        const prompt = isScripted
          ? `say ${name} up to ${random.int(1, 30)}`
          : random.pick(QUESTIONS);
        const pace = what < 0.15 ? "leaves" : what < 0.2 ? "slow" : "reads";
        const text = await ask(server, agent, prompt, pace, random).catch(
          (error: unknown) => `${error}`,
        );
        if (text === null) counts.left++;
        else {
          counts.whole++;
          const [, own = "", count = "0"] = /say (\d+) up to (\d+)/.exec(prompt) ?? [];
          const expected = isScripted
            ? textFor(Number(own), Number(count))
            : (answers.get(prompt) ?? text);
          if (!isScripted) answers.set(prompt, expected);
          if (text !== expected) problems.push(`${prompt}: ${text.slice(0, 200)}`);
        }
      }
      done++;
      if (done === Math.ceil((clients * each) / 4)) {
        early = { heap: liveHeap(), rss: process.memoryUsage.rss() };
      }
      onProgress?.(done);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  agent.destroy();
  const { admission, models } = server.context;
  const users = (): number => models.loaded.filter(({ isBusy }) => isBusy).length;
  const holds = async (): Promise<LoadReport["held"]> => ({
    running: admission.running,
    waiting: admission.waiting,
    users: users(),
    connections: await server.connections(),
  });
  // What clients have left is given back a moment later.
  let held = await holds();
  for (let waited = 0; waited < 100 && Object.values(held).some((count) => count > 0); waited++) {
    await delay(50);
    held = await holds();
  }
  const last = { heap: liveHeap(), rss: process.memoryUsage.rss() };
  await server.close();
  return {
    model: options.model,
    clients,
    requests: clients * each,
    whole: counts.whole,
    left: counts.left,
    half_sent: counts.halfSent,
    problems,
    held,
    rss_mb: { early: mb(early.rss), last: mb(last.rss) },
    heap_mb: { early: mb(early.heap), last: mb(last.heap) },
  };
}

const QUESTIONS: readonly string[] = [
  "What can you do?",
  "What is 12 * 34?",
  "Hello",
  "Who are you?",
];

/** @returns the text of the answer; null where the client left before its end */
async function ask(
  server: RunningServer,
  agent: Agent,
  prompt: string,
  pace: "reads" | "slow" | "leaves",
  random: Random,
): Promise<string | null> {
  const path = random.pick(["/api/chat", "/v1/chat/completions"]);
  const asked = httpRequest({ agent, host: "127.0.0.1", port: server.port, method: "POST", path });
  asked.on("error", () => {});
  asked.end(
    JSON.stringify({
      model: FACTS.name,
      messages: [{ role: "user", content: prompt }],
      stream: true,
      temperature: 0,
      options: { temperature: 0 },
    }),
  );
  if (pace === "leaves" && random.chance(0.5)) {
    await delay(random.int(0, 20));
    asked.destroy();
    return null;
  }
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  let wire = "";
  for await (const piece of answer) {
    wire += piece;
    if (pace === "slow") await delay(random.int(0, 10));
    if (pace === "leaves") {
      answer.destroy();
      return null;
    }
  }
  const isDone =
    path === "/api/chat" ? /"done":true/.test(wire) : wire.endsWith("data: [DONE]\n\n");
  if (!isDone) throw new Error(`no end: ${wire.slice(-200)}`);
  return wire
    .split("\n")
    .flatMap((line) => {
      const text = line.replace(/^data: /, "");
      return text.startsWith("{") ? [JSON.parse(text) as Piece] : [];
    })
    .map(({ message, choices }) => message?.content ?? choices?.[0]?.delta?.content ?? "")
    .join("");
}

type Piece = {
  readonly message?: { readonly content?: string };
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
};

/** Headers and some of a body; then the client is gone. */
async function sendHalf(server: RunningServer, random: Random): Promise<void> {
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n");
  socket.write('{"model":"gpt-oss:20b","messages":['.slice(0, random.int(0, 30)));
  await delay(random.int(0, 20));
  socket.destroy();
}
