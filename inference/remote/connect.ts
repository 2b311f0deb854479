/** Finds out what a server is and what it can do, by asking it for a token or two. */
import { RemoteEngineError } from "../errors.ts";
import { type EngineAddress, PROTOCOLS } from "./address.ts";
import type { GrammarNotation } from "./grammars/notation.ts";
import { EngineClient, type EngineClientOptions, PassingFailure } from "./http.ts";
import {
  type Fields,
  isFields,
  isId,
  listOf,
  type Protocol,
  type RemoteToken,
  type TokenRequest,
} from "./protocol.ts";
import { ask, firstLogprobs, Replica, tokenize, wholeTokens } from "./replica.ts";
import { vllmTokens } from "./vllm.ts";

export type ConnectOptions = Omit<EngineClientOptions, "base"> & {
  readonly signal?: AbortSignal | undefined;
};

/**
 * @throws RemoteEngineError where no server answers, or one that cannot be used; the signal's reason
 */
export async function connectReplica(
  address: EngineAddress,
  options: ConnectOptions = {},
): Promise<Replica> {
  const { signal, ...clientOptions } = options;
  let failure: unknown;
  for (const base of address.bases) {
    const client = new EngineClient({ ...clientOptions, base });
    try {
      return await found(client, address, signal);
    } catch (error) {
      client.close();
      signal?.throwIfAborted();
      // Of several ports, one that another program listens at says less than one that a server answers at.
      if (failure === undefined || error instanceof RemoteEngineError) failure = error;
    }
  }
  if (failure instanceof RemoteEngineError) throw failure;
  const message = failure instanceof Error ? failure.message : String(failure);
  const tried = address.bases.map(({ host }) => host).join(", ");
  throw new RemoteEngineError(
    "CHORALE_ENGINE_UNREACHABLE",
    `Cannot reach the engine ${address.text} (tried ${tried}): ${message}.`,
    { cause: failure },
  );
}

async function found(
  client: EngineClient,
  address: EngineAddress,
  signal: AbortSignal | undefined,
): Promise<Replica> {
  const listed = await modelsOf(client, signal);
  const named = listed.find(({ id }) => id === address.model);
  if (address.model !== null && named === undefined && listed.length > 0) {
    throw client.error(
      "CHORALE_ENGINE_REFUSED",
      `has no model ${JSON.stringify(address.model)}; it has ${listed
        .map(({ id }) => id)
        .join(", ")
        .slice(0, 300)}`,
    );
  }
  const entry = named ?? listed[0] ?? null;
  const model = address.model ?? (typeof entry?.id === "string" ? entry.id : null);
  const name = address.protocol ?? kindOf(entry);
  if (name === null) {
    throw client.error(
      "CHORALE_ENGINE_PROTOCOL",
      "does not say what it is; accepted: vLLM, SGLang, llama-server or Chorale, or an address that names the kind, like vllm://",
    );
  }
  const first = PROTOCOLS[name];
  const probe = await probeTokens(client, first, model, signal);
  const isOfIds = name === "vllm" && probe instanceof Error;
  const protocol = isOfIds ? vllmTokens : first;
  const result = isOfIds ? await probeTokens(client, vllmTokens, model, signal) : probe;
  if (result instanceof Error) throw result;
  const props = name === "llama" ? await optionalJson(client, "/props", signal) : null;
  const tokenized = await tokenize(client, protocol, model, "a", signal);
  const request = { ...probeRequest(model), maxTokens: 1, topLogprobs: null, isStream: false };
  const tokensOf = (one: TokenRequest): Promise<readonly RemoteToken[]> =>
    wholeTokens(ask(client, protocol, one, signal));
  return new Replica({
    client,
    protocol,
    model,
    contextLength: contextOf(entry, props) ?? tokenized?.contextLength ?? null,
    vocabSize: vocabularyOf(entry),
    capabilities: {
      ...result,
      allowedIds: protocol.takesAllowedIds && (await takesAllowedIds(request, tokensOf)),
      grammars: (await keepsGrammars(protocol.grammars, request, tokensOf))
        ? protocol.grammars
        : null,
      seed: protocol.seed,
      cacheKey: name === "chorale",
      tokenizes: tokenized !== null,
    },
  });
}

type ListedModel = { readonly id: string; readonly fields: Fields };

async function modelsOf(
  client: EngineClient,
  signal: AbortSignal | undefined,
): Promise<readonly ListedModel[]> {
  const value = await client.json({ method: "GET", path: "/v1/models", signal }).catch((error) => {
    // A server without the list may have been named by its kind.
    if (error instanceof RemoteEngineError && error.code === "CHORALE_ENGINE_REFUSED") return null;
    throw error;
  });
  const data = isFields(value) ? listOf(value["data"]) : [];
  return data.flatMap((fields) => {
    if (!isFields(fields) || typeof fields["id"] !== "string") return [];
    return [{ id: fields["id"], fields }];
  });
}

/** Who a server says that its models are from. */
const OWNERS: Readonly<Record<string, keyof typeof PROTOCOLS>> = {
  vllm: "vllm",
  sglang: "sglang",
  llamacpp: "llama",
  // Ollama says so as well, and is found out by the first request with ids.
  library: "chorale",
};

function kindOf(entry: ListedModel | null): keyof typeof PROTOCOLS | null {
  const owner = entry?.fields["owned_by"];
  return typeof owner === "string" ? (OWNERS[owner] ?? null) : null;
}

function contextOf(entry: ListedModel | null, props: Fields | null): number | null {
  const settings = props?.["default_generation_settings"];
  const slot = isFields(settings) ? settings["n_ctx"] : undefined;
  const found = [slot, entry?.fields["max_model_len"], metaOf(entry)["n_ctx"]].find(
    (value) => isId(value) && value > 0,
  );
  return (found as number | undefined) ?? null;
}

function vocabularyOf(entry: ListedModel | null): number | null {
  const rows = metaOf(entry)["n_vocab"];
  return isId(rows) && rows > 0 ? rows : null;
}

function metaOf(entry: ListedModel | null): Fields {
  const meta = entry?.fields["meta"];
  return isFields(meta) ? meta : {};
}

/** Any vocabulary has these. */
const PROBE_IDS = [1, 2, 3];
const PROBE_TOKENS = 2;

function probeRequest(model: string | null): TokenRequest {
  return {
    model,
    prompt: PROBE_IDS,
    maxTokens: PROBE_TOKENS,
    stopIds: [],
    sampling: { temperature: 0, topP: 1, seed: 0 },
    topLogprobs: 2,
    allowedIds: null,
    grammar: null,
    cacheKey: null,
    isStream: true,
  };
}

type TokenProbe = {
  readonly idsIn: boolean;
  readonly idsOut: boolean;
  readonly exactStreams: boolean;
  readonly logprobs: boolean;
};

/** @returns why the server cannot be used in this way */
async function probeTokens(
  client: EngineClient,
  protocol: Protocol,
  model: string | null,
  signal: AbortSignal | undefined,
): Promise<TokenProbe | RemoteEngineError> {
  const tries: readonly Partial<TokenRequest>[] = [
    {},
    // Not every server tells probabilities, or allows several.
    { topLogprobs: null },
    { topLogprobs: null, isStream: false },
  ];
  let failure: RemoteEngineError | undefined;
  for (const change of tries) {
    const request = { ...probeRequest(model), ...change };
    const reader = protocol.reader(client, request.isStream);
    try {
      const tokens = await wholeTokens(ask(client, protocol, request, signal, reader));
      // The prompt may be answered by its end alone.
      if (reader.promptTokens !== PROBE_IDS.length) {
        return client.error(
          "CHORALE_ENGINE_PROTOCOL",
          `counts ${reader.promptTokens ?? "no"} tokens of a prompt of ${PROBE_IDS.length} ids; accepted: a server that takes token ids`,
        );
      }
      if (tokens.length === 0) {
        return client.error(
          "CHORALE_ENGINE_PROTOCOL",
          "gives no token ids; accepted: a server that does, which for vLLM is version 0.10.2 or later",
        );
      }
      return {
        idsIn: true,
        idsOut: true,
        exactStreams: request.isStream,
        logprobs: firstLogprobs(tokens) !== null,
      };
    } catch (error) {
      if (!(error instanceof RemoteEngineError) || error.code === "CHORALE_ENGINE_DENIED")
        throw error;
      failure ??= error;
    }
  }
  return failure ?? client.error("CHORALE_ENGINE_PROTOCOL", "gives no tokens");
}

/** An id that no model says by itself behind the probe. */
const UNLIKELY_ID = 5;

async function takesAllowedIds(request: TokenRequest, tokensOf: TokensOf): Promise<boolean> {
  const ids = await idsOrNone({ ...request, allowedIds: [UNLIKELY_ID] }, tokensOf);
  return ids?.join() === `${UNLIKELY_ID}`;
}

/**
 * Whether an answer is kept to a grammar from its first token on. Some servers leave reasoning out, begin a grammar
 * behind it, or ignore it.
 */
async function keepsGrammars(
  notation: GrammarNotation | null,
  request: TokenRequest,
  tokensOf: TokensOf,
): Promise<boolean> {
  if (notation === null) return false;
  if (notation === "gbnf") {
    const text = `root ::= <[${UNLIKELY_ID}]>`;
    const grammar = { type: "gbnf", text, triggers: null } as const;
    const ids = await idsOrNone({ ...request, grammar }, tokensOf);
    return ids?.[0] === UNLIKELY_ID;
  }
  // Which ids the texts have is not known; a server that ignores grammars says the same twice.
  const found = new Set<number>();
  for (const word of ["0", "1"]) {
    const grammar = { type: "ebnf", text: `root ::= "${word}"` } as const;
    const [id] = (await idsOrNone({ ...request, grammar }, tokensOf)) ?? [];
    if (id === undefined) return false;
    found.add(id);
  }
  return found.size === 2;
}

type TokensOf = (request: TokenRequest) => Promise<readonly RemoteToken[]>;

/** null: it is refused. */
async function idsOrNone(
  request: TokenRequest,
  tokensOf: TokensOf,
): Promise<readonly number[] | null> {
  try {
    return (await tokensOf(request)).map(({ id }) => id);
  } catch (error) {
    if (error instanceof RemoteEngineError || error instanceof PassingFailure) return null;
    throw error;
  }
}

async function optionalJson(
  client: EngineClient,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Fields | null> {
  const value = await client.json({ method: "GET", path, signal }).catch((error: unknown) => {
    if (error instanceof RemoteEngineError) return null;
    throw error;
  });
  return isFields(value) ? value : null;
}
