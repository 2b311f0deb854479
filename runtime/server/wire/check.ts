/** The bodies of requests against their schemas. Fields that a schema does not know are passed over. */
import { ServerError } from "../errors.ts";
import { type GenericSchema, getDotPath, safeParse } from "./valibot.ts";

/** What a body may say; clients send null for what they do not mean. */
export type Fields<T> = { readonly [Name in keyof T]?: T[Name] | null | undefined };

/** What bodies are checked by. */
export type Schema<T> = GenericSchema<unknown, T>;

/**
 * @param within where the value stands in the body: `input[0]`; absent: it is the body
 * @returns the fields that the schema knows
 * @throws ServerError with the status 400 that names the first field that is wrong
 */
export function checkBody<T>(schema: Schema<T>, body: unknown, within?: string): T {
  const result = safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = getDotPath(issue);
  const param = within === undefined || path === null ? (within ?? path) : `${within}.${path}`;
  const where = param === null ? "The body" : `The field ${param}`;
  const found = issue.received.length > MAX_QUOTED ? "something else" : issue.received;
  const problem =
    issue.expected === null
      ? `${where} is not valid: ${issue.message}.`
      : `${where} is ${found}; accepted: ${issue.expected}.`;
  throw new ServerError("CHORALE_REQUEST", problem, { param });
}

/** Characters of what was sent that an error repeats. */
const MAX_QUOTED = 60;
