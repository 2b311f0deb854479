/** What the page may send. */
import type { Fields, Schema } from "../wire/check.ts";
import {
  array,
  integer,
  maxLength,
  minValue,
  nullish,
  number,
  object,
  picklist,
  pipe,
  record,
  string,
  unknown,
} from "../wire/valibot.ts";

type RunBody = Fields<{
  thread: string;
  text: string;
  effort: "low" | "medium" | "high";
  tools: string[];
  schema: Record<string, unknown>;
}> & { readonly model: string };

const id = pipe(string(), maxLength(200));
const text = pipe(string(), maxLength(4 << 20));

export const runBody: Schema<RunBody> = object({
  thread: nullish(id),
  text: nullish(text),
  model: id,
  effort: nullish(picklist(["low", "medium", "high"])),
  tools: nullish(pipe(array(id), maxLength(1024))),
  schema: nullish(record(string(), unknown())),
});

export const steerBody: Schema<{ readonly text: string }> = object({ text });

export const titleBody: Schema<{ readonly title: string }> = object({
  title: pipe(string(), maxLength(1000)),
});

type DecisionBody = {
  readonly call: string;
  readonly decision: "allow" | "deny";
  readonly remember?: "session" | null | undefined;
};

export const decisionBody: Schema<DecisionBody> = object({
  call: id,
  decision: picklist(["allow", "deny"]),
  remember: nullish(picklist(["session"])),
});

export const forkBody: Schema<{ readonly turn?: number | null | undefined }> = object({
  turn: nullish(pipe(number(), integer(), minValue(1))),
});
