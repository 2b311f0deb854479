/** A server on loopback with one model, `gpt-oss:20b`, which says what recorded answers say. */
import { setTimeout } from "node:timers/promises";
import { loadO200kHarmony } from "../../../harmony/vocabulary/index.ts";
import { HarmonyModel } from "../../../runtime/index.ts";
import { DEFAULTS } from "../../../runtime/server/configuration.ts";
import { findByName } from "../../../runtime/server/models/model-source.ts";
import type { ServerToolSession } from "../../../runtime/server/responses/server-tools.ts";
import { startServer } from "../../../runtime/server/server.ts";
import { createBrowserTools } from "../../../tools/index.ts";
import { FACTS } from "../../runtime/server/serve.ts";
import { send } from "./client.ts";
import type { Received } from "./judge.ts";
import { RecordedEngine } from "./recorded-engine.ts";
import type { Exchange } from "./recording.ts";

export type RecordedServer = AsyncDisposable & {
  readonly url: string;
  readonly engine: RecordedEngine;
  /** Takes every place of the server; the returned function gives them back. */
  readonly fill: () => Promise<() => Promise<void>>;
  /** Sends a request whose client leaves when the answer has begun; resolves when the server has noticed. */
  readonly leave: (exchange: Exchange) => Promise<Received>;
};

const tokenizer = loadO200kHarmony();

/** One place, and no queue: a request is answered, or refused at once. */
export async function startRecordedServer(): Promise<RecordedServer> {
  const engine = new RecordedEngine(tokenizer);
  const server = await startServer({
    configuration: { ...DEFAULTS, port: 0, slots: 1, maxQueue: 0 },
    source: {
      list: async () => [FACTS],
      find: async (name) => findByName([FACTS], name),
      defaultContext: () => 131_072,
      open: async () => new HarmonyModel({ engine, tokenizer }),
    },
    serverTools: { openWebSearch: openSearch },
  });
  return {
    url: server.url,
    engine,
    fill: async () => {
      const { asked, open } = engine.hold();
      const model = FACTS.name;
      const waiting = fetch(`${server.url}/api/generate`, {
        method: "POST",
        body: JSON.stringify({ model, prompt: "Wait.", stream: false }),
      });
      await asked;
      return async () => {
        engine.play(ANYTHING, () => "");
        open();
        await (await waiting).text();
      };
    },
    leave: async (exchange) => {
      const gone = new AbortController();
      const received = await send(server.url, exchange, gone);
      const { admission } = server.context;
      for (let tries = 0; admission.running > 0 && tries < 100; tries++) await setTimeout(50);
      return { ...received, isFree: admission.running === 0 };
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const ANYTHING = {
  items: [{ type: "message", text: "Done.", citations: 0 }],
  end: "stop",
  ids: [],
  usage: null,
} as const;

/** A search that finds one page, without a network. */
async function openSearch(): Promise<ServerToolSession> {
  const url = "https://example.org/";
  const title = "example.org";
  const browser = await createBrowserTools({
    backend: {
      search: async () => [{ url, title, summary: "What was asked for." }],
      open: async () => ({ url, title, text: "What was asked for.", links: [] }),
      close: async () => {},
    },
  });
  return { tools: browser.tools, close: () => browser.close() };
}
