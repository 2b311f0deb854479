/**
 * What a command and a server of the same user say to each other about one step of a model. It goes over the server's
 * socket only, which no other user can open: the two are one program in two processes.
 */
import type { Sampling } from "../../../inference/index.ts";
import type { Tool } from "../../../tools/index.ts";
import { codeOf, messageOf, RunError, type RunErrorCode } from "../../errors.ts";
import type {
  ModelEvent,
  ModelRequest,
  ModelStep,
  SampledCount,
  ScoreRequest,
} from "../../index.ts";

export const PATHS = {
  model: "/chorale/model",
  sample: "/chorale/sample",
  /** What runs is told that it is to pause, or to end. */
  tell: "/chorale/sample/tell",
  score: "/chorale/score",
  threads: "/chorale/threads",
} as const;

/** A tool without what only its own process can do with it. */
export type WireTool = Pick<
  Tool,
  "recipient" | "description" | "descriptionSuffix" | "inputSchema" | "strict" | "inputFormat"
> & { readonly timeoutMs: number };

export type SampleBody = Omit<ModelRequest, "tools" | "shouldPause" | "signal"> & {
  /** Of this step, for `tell`. */
  readonly id: string;
  readonly model: string;
  readonly tools: readonly WireTool[];
};

export type ScoreBody = Omit<ScoreRequest, "tools" | "signal"> & {
  readonly model: string;
  readonly tools: readonly WireTool[];
};

export type TellBody = { readonly id: string; readonly what: "pause" | "cancel" };

export type ThreadsBody =
  | { readonly model: string; readonly handOver: { readonly from: string; readonly to: string } }
  | { readonly model: string; readonly leave: string };

/** One line of the answer to a step; an empty one says that the server is still there. */
export type SampleLine =
  | { readonly event: ModelEvent; readonly sampled: SampledCount | null }
  | { readonly step: Omit<ModelStep, "error"> & { readonly error?: WireError } }
  | { readonly error: WireError }
  | Record<string, never>;

export type SharedModelFacts = {
  readonly name: string;
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly sampling: Partial<Sampling>;
  readonly vocabulary: string;
  readonly fingerprint: string | null;
};

export type WireError = {
  readonly code: string | null;
  readonly message: string;
  readonly option: string | null;
  readonly facts: Readonly<Record<string, unknown>> | null;
};

export function wireTool(tool: Tool): WireTool {
  const { recipient, description, descriptionSuffix, inputSchema, strict, inputFormat } = tool;
  return {
    recipient,
    description,
    inputSchema,
    timeoutMs: tool.timeoutMs,
    ...(descriptionSuffix !== undefined && { descriptionSuffix }),
    ...(strict !== undefined && { strict }),
    ...(inputFormat !== undefined && { inputFormat }),
  };
}

export function wireError(error: unknown): WireError {
  const isRunError = RunError.isInstance(error);
  return {
    code: codeOf(error) ?? null,
    message: messageOf(error),
    option: isRunError ? (error.option ?? null) : null,
    facts: isRunError ? (error.facts ?? null) : null,
  };
}

/** The error again, in the other process. */
export function errorOf({ code, message, option, facts }: WireError): RunError {
  return new RunError((code ?? "CHORALE_MODEL") as RunErrorCode, message, {
    ...(option !== null && { option }),
    ...(facts !== null && { facts }),
  });
}
