/**
 * Messages between the agent and a plugin's process. What comes from there is a stranger's: shapes and
 * lengths are checked before anything else looks at it.
 */
import type { FromGuest, ToGuest } from "./guest-runtime.ts";
import { MOST_MESSAGE_CHARS } from "./limits.ts";

export type ToChild =
  /** Begins the loading of the module that is named, a path within the package. */
  | { readonly type: "load"; readonly entry: string; readonly granted: string }
  | {
      readonly type: "source";
      readonly id: number;
      readonly text: string | null;
      /** Why there is no text. */
      readonly problem: string;
    }
  | {
      readonly type: "guest";
      readonly kind: ToGuest;
      readonly id: number;
      readonly text: string;
      /** A call that the plugin makes of itself: it gets no computing time of its own. */
      readonly isNested?: boolean;
    }
  /** To report what there is and end. */
  | { readonly type: "stop" };

export type FromChild =
  /** A module that another imports. */
  | { readonly type: "source"; readonly id: number; readonly path: string }
  | {
      readonly type: "guest";
      readonly kind: FromGuest;
      readonly id: number;
      readonly text: string;
    }
  /** `reason` as the end of a sentence: "it …". */
  | { readonly type: "died"; readonly reason: string };

const KINDS: ReadonlySet<string> = new Set<FromGuest>([
  "loaded",
  "failed",
  "result",
  "request",
  "log",
]);
const LONGEST_PATH = 1024;

/** @returns undefined for what was not agreed on */
export function readFromChild(message: unknown): FromChild | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const { type, kind, id, text, path, reason } = message as Record<string, unknown>;
  switch (type) {
    case "guest": {
      const isKnown = typeof kind === "string" && KINDS.has(kind);
      const isBounded = typeof text === "string" && text.length <= MOST_MESSAGE_CHARS;
      if (!isKnown || !isId(id) || !isBounded) return undefined;
      return { type, kind: kind as FromGuest, id, text };
    }
    case "source":
      if (!isId(id) || typeof path !== "string" || path.length > LONGEST_PATH) return undefined;
      return { type, id, path };
    case "died":
      return typeof reason === "string" ? { type, reason: reason.slice(0, 500) } : undefined;
    default:
      return undefined;
  }
}

function isId(id: unknown): id is number {
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0;
}
