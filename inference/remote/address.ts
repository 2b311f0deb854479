/** Addresses of engines: `vllm://gpu1:8000`, `llama://localhost`, `https://models.corp/base?model=gpt-oss-20b`. */
import { RemoteEngineError } from "../errors.ts";
import { llama } from "./llama.ts";
import type { Protocol, ProtocolName } from "./protocol.ts";
import { sglang } from "./sglang.ts";
import { chorale, vllm } from "./vllm.ts";

export const PROTOCOLS: Readonly<Record<ProtocolName, Protocol>> = { chorale, vllm, sglang, llama };

export type EngineAddress = {
  /** As it was given. */
  readonly text: string;
  /** null: the server is asked what it is. */
  readonly protocol: ProtocolName | null;
  /** Where the server may be: the first that answers is it. */
  readonly bases: readonly URL[];
  /** As the server calls it; null: its first. */
  readonly model: string | null;
};

const ACCEPTED =
  "HOST, HOST:PORT, http://…, https://…, or with the kind of server chorale://, vllm://, sglang:// and llama:// " +
  "(vllm+https:// for TLS), behind it ?model=NAME";

/**
 * A host without a port is tried at the ports of the kind of server; without a kind at those of all.
 * @throws RemoteEngineError with the code CHORALE_ENGINE_ADDRESS
 */
export function parseEngineAddress(text: string): EngineAddress {
  const [, scheme = "", rest = ""] = /^(?:([a-z+]+):\/\/)?(.*)$/is.exec(text.trim()) ?? [];
  const [kind = "", security] = scheme.toLowerCase().split("+");
  const isWeb = kind === "http" || kind === "https" || kind === "";
  const protocol = isWeb ? null : (kind as ProtocolName);
  const isTls = kind === "https" || security === "https";
  const isKnown = isWeb ? security === undefined : Object.hasOwn(PROTOCOLS, kind);
  const url = URL.parse(`${isTls ? "https" : "http"}://${rest}`);
  const isSecurity = security === undefined || security === "https" || security === "http";
  if (!isKnown || !isSecurity || url === null || url.hash !== "") throw notAnAddress(text);
  if (url.username !== "" || url.password !== "") {
    throw new RemoteEngineError(
      "CHORALE_ENGINE_ADDRESS",
      `The address of the engine at ${url.host} has a name or password in it; accepted: a key in ` +
        "CHORALE_ENGINE_KEY or in a file.",
    );
  }
  const model = url.searchParams.get("model");
  if ([...url.searchParams.keys()].some((name) => name !== "model")) throw notAnAddress(text);
  url.search = "";
  const hasPort = /^(?:\[[^\]]*\]|[^/:?]*):\d+/.test(rest);
  // With a scheme of the web, the port is what that scheme says.
  const isFixed = hasPort || kind === "http" || kind === "https";
  const kinds = protocol === null ? Object.values(PROTOCOLS) : [PROTOCOLS[protocol]];
  const bases = isFixed ? [url] : kinds.flatMap(({ ports }) => ports).map((port) => at(url, port));
  return { text, protocol, bases, model: model || null };
}

function at(url: URL, port: number): URL {
  const moved = new URL(url);
  moved.port = String(port);
  return moved;
}

function notAnAddress(text: string): RemoteEngineError {
  // What may be a key is not repeated.
  const shown = text.replace(/\/\/[^@/]*@/, "//…@").slice(0, 200);
  return new RemoteEngineError(
    "CHORALE_ENGINE_ADDRESS",
    `${JSON.stringify(shown)} is no address of an engine; accepted: ${ACCEPTED}.`,
  );
}
