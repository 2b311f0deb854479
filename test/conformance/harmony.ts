/**
 * Harmony cases: rendering, parsing and streaming, strict (the reference's exact results and error
 * texts) and lenient (recovered messages). The form is described by the `schema` key of such a file.
 */
import {
  conversationFromJson,
  conversationSegments,
  encodeSegments,
  HarmonyParser,
  type ParsedMessage,
  type ParserEvent,
  type ParserOptions,
  REFERENCE_RENDERING,
  type RenderOptions,
  type Role,
  roleFromJson,
  type Segment,
  segmentsToText,
  type Tokenizer,
  trainingSegments,
} from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";

type HarmonyCase = {
  readonly id: string;
  readonly kind: "parse" | "stream" | "render";
  readonly api?: string;
  readonly mode?: string;
  readonly initial_role?: string | null;
  readonly tokens?: readonly number[];
  readonly input?: unknown;
  readonly chunks?: readonly string[];
  readonly chunk_deltas?: readonly (string | null)[];
  readonly expected?: readonly WireMessage[] | null;
  readonly expected_error?: string;
  readonly expected_messages_before_error?: readonly WireMessage[];
  readonly expected_last_content_delta_per_token?: readonly (string | null)[];
  readonly known_tools?: readonly string[] | null;
  readonly lenient?: boolean;
  readonly expected_tokens?: readonly number[];
  readonly expected_text?: string;
};

type WireMessage = {
  readonly role: string;
  readonly name?: string;
  readonly channel?: string | null;
  readonly recipient?: string | null;
  readonly content_type?: string | null;
  readonly content: string;
};

/** What one way of feeding a case gave. */
type Outcome = {
  readonly messages: readonly WireMessage[];
  readonly error?: string;
  readonly deltas?: readonly (string | null)[];
  readonly issues: readonly string[];
};

/** @throws ConformanceInputError for a file of another form */
export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  const tokenizer = loadO200kHarmony();
  for (const path of paths) {
    const { cases } = readCases(path) as { cases?: readonly HarmonyCase[] };
    if (!Array.isArray(cases)) {
      throw new ConformanceInputError(`${path} has no list of cases under "cases"`);
    }
    for (const one of cases) {
      yield one.kind === "render" ? renderCase(tokenizer, one) : parseCase(tokenizer, one);
    }
  }
}

function renderCase(tokenizer: Tokenizer, one: HarmonyCase): CaseResult {
  let got: { tokens?: readonly number[]; text?: string; error?: string };
  try {
    const segments = renderedSegments(one);
    got = { tokens: encodeSegments(tokenizer, segments), text: segmentsToText(segments) };
  } catch (error) {
    got = { error: (error as Error).message };
  }
  const expected = {
    tokens: one.expected_tokens,
    text: one.expected_text,
    error: one.expected_error,
  };
  const pass =
    got.error === expected.error &&
    (expected.tokens === undefined || same(got.tokens, expected.tokens)) &&
    (expected.text === undefined || got.text === expected.text);
  return { id: one.id, pass, got, expected };
}

function renderedSegments(one: HarmonyCase): Segment[] {
  const input = one.input as {
    conversation?: unknown;
    next_turn_role?: unknown;
    config?: { auto_drop_analysis?: boolean } | null;
  };
  const options: RenderOptions = {
    ...REFERENCE_RENDERING,
    dropPolicy: input.config?.auto_drop_analysis === true ? "reference" : "none",
  };
  const messages = conversationFromJson(input.conversation);
  if (/training/i.test(one.api ?? "")) return trainingSegments(messages, options);
  const segments = conversationSegments(messages, options);
  if (input.next_turn_role !== null && input.next_turn_role !== undefined) {
    segments.push({ special: "start" }, { text: roleFromJson(input.next_turn_role) });
  }
  return segments;
}

function parseCase(tokenizer: Tokenizer, one: HarmonyCase): CaseResult {
  const options: ParserOptions = {
    tokenizer,
    role: (one.initial_role ?? null) as Role | null,
    mode: one.lenient === true ? "lenient" : "strict",
    knownTools: one.known_tools ?? [],
  };
  const asText = one.mode === "text" || one.tokens === undefined;
  const ways: { readonly name: string; readonly outcome: Outcome }[] = [];
  if (!asText) {
    ways.push({ name: "ids in one piece", outcome: parseAtOnce(options, one.tokens ?? []) });
    ways.push({ name: "id by id", outcome: feed(options, one.tokens ?? [], "last") });
  } else if (one.chunks === undefined) {
    ways.push({ name: "text", outcome: feed(options, [String(one.input)], "sum") });
  }
  if (one.chunks !== undefined) {
    ways.push({ name: "chunks", outcome: feed(options, one.chunks, "sum") });
  }
  const expected = {
    messages: one.expected ?? one.expected_messages_before_error ?? [],
    error: one.expected_error,
  };
  const failed = ways.filter(({ name, outcome }) => {
    const deltas =
      name === "chunks"
        ? one.chunk_deltas?.map((delta) => delta ?? "")
        : name === "id by id"
          ? one.expected_last_content_delta_per_token
          : undefined;
    return !(
      same(outcome.messages.map(comparable), expected.messages.map(comparable)) &&
      outcome.error === expected.error &&
      (deltas === undefined ||
        same(
          outcome.deltas?.map((d) => (name === "chunks" ? (d ?? "") : d)),
          deltas,
        ))
    );
  });
  const shown = failed[0] ?? ways.at(-1);
  return {
    id: one.id,
    pass: ways.length > 0 && failed.length === 0,
    got: { way: shown?.name, ...shown?.outcome },
    expected: {
      ...expected,
      deltas: one.chunk_deltas ?? one.expected_last_content_delta_per_token,
    },
  };
}

function parseAtOnce(options: ParserOptions, ids: readonly number[]): Outcome {
  try {
    const messages = HarmonyParser.parse(ids, options);
    return { messages: messages.map(toWire), issues: [] };
  } catch {
    // The messages before the error are only to be had from a parser that is fed piece by piece.
    return feed(options, ids, "last");
  }
}

/** Feeds ids or texts one by one; `deltas` has the last or all content that each released. */
function feed(
  options: ParserOptions,
  pieces: readonly (number | string)[],
  which: "last" | "sum",
): Outcome {
  const parser = new HarmonyParser(options);
  const deltas: (string | null)[] = [];
  const issues: string[] = [];
  const read = (events: readonly ParserEvent[]): string => {
    let text = "";
    for (const event of events) {
      if (event.type === "delta") text += event.text;
      if (event.type === "issue") issues.push(event.issue.code);
    }
    return text;
  };
  let error: string | undefined;
  try {
    for (const piece of pieces) {
      const text = read(typeof piece === "number" ? parser.push(piece) : parser.pushText(piece));
      deltas.push(which === "sum" ? text : parser.lastContentDelta);
    }
    read(parser.finish());
  } catch (thrown) {
    error = (thrown as Error).message;
  }
  const messages = parser.messages.map(toWire);
  return { messages, ...(error === undefined ? {} : { error }), deltas, issues };
}

function toWire(message: ParsedMessage): WireMessage {
  return {
    role: message.role,
    ...(message.name === undefined ? {} : { name: message.name }),
    channel: message.channel,
    recipient: message.recipient,
    content_type: message.contentType,
    content: message.text,
  };
}

function comparable(message: WireMessage): unknown[] {
  const { role, name, channel, recipient, content_type, content } = message;
  return [
    role,
    role === "tool" ? (name ?? null) : null,
    channel ?? null,
    recipient ?? null,
    content_type ?? null,
    content,
  ];
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
