/** What a person has decided for good: answers, and tools as they were when they were trusted. */
import type { Tool } from "../../tools/index.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { RememberedAnswer } from "./policy.ts";

/** What a tool said about itself. */
export type ToolSnapshot = Pick<
  Tool,
  "description" | "descriptionSuffix" | "inputSchema" | "annotations"
>;

export type TrustedTool = {
  /** The tool's own name. */
  readonly name: string;
  readonly fingerprint: string;
  readonly definition: ToolSnapshot;
  /** ISO 8601, UTC. */
  readonly trustedAt: string;
};

/** All functions throw PolicyStoreError where the store cannot be read or written. */
export interface PolicyStore {
  /** Answers about a tool, the oldest first. */
  answers(tool: string): Promise<readonly RememberedAnswer[]>;
  allAnswers(): Promise<readonly RememberedAnswer[]>;
  remember(answer: RememberedAnswer): Promise<void>;
  trusted(name: string): Promise<TrustedTool | null>;
  allTrusted(): Promise<readonly TrustedTool[]>;
  trust(tool: Tool, name: string): Promise<void>;
  /** Forgets a tool and the answers about it. @returns whether there was anything to forget */
  revoke(name: string): Promise<boolean>;
}

export function trustedTool(tool: Tool, name: string): TrustedTool {
  const { description, descriptionSuffix, inputSchema, annotations } = tool;
  return {
    name,
    fingerprint: fingerprintOf(tool),
    definition: {
      description,
      inputSchema,
      ...(descriptionSuffix !== undefined && { descriptionSuffix }),
      ...(annotations && { annotations }),
    },
    trustedAt: new Date().toISOString(),
  };
}

/** Keeps answers as long as the process lives. */
export class MemoryPolicyStore implements PolicyStore {
  #answers: readonly RememberedAnswer[] = [];
  readonly #trusted = new Map<string, TrustedTool>();

  async answers(tool: string): Promise<readonly RememberedAnswer[]> {
    return this.#answers.filter((answer) => answer.tool === tool);
  }

  async allAnswers(): Promise<readonly RememberedAnswer[]> {
    return this.#answers;
  }

  async remember(answer: RememberedAnswer): Promise<void> {
    this.#answers = [...this.#answers, answer];
  }

  async trusted(name: string): Promise<TrustedTool | null> {
    return this.#trusted.get(name) ?? null;
  }

  async allTrusted(): Promise<readonly TrustedTool[]> {
    return [...this.#trusted.values()];
  }

  async trust(tool: Tool, name: string): Promise<void> {
    this.#trusted.set(name, trustedTool(tool, name));
  }

  async revoke(name: string): Promise<boolean> {
    const before = this.#answers.length;
    this.#answers = this.#answers.filter(({ tool }) => tool !== name);
    return this.#trusted.delete(name) || this.#answers.length < before;
  }
}
