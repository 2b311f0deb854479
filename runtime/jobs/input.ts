/** What a job asks: its prompt or messages; for the reduce step of a batch also the answers of its jobs. */
import type { Sql } from "./database.ts";
import type { Job, JobResult } from "./job.ts";
import type { JobInput } from "./run-job.ts";

export async function inputOfJob(sql: Sql, { id, spec, progress }: Job): Promise<JobInput> {
  const { prompt, messages, untrusted = [] } = spec;
  const isBatch = progress !== null && "of" in progress;
  if (isBatch) return await reduceInput(sql, id, prompt ?? "", untrusted);
  return { input: messages ?? prompt ?? "", untrusted };
}

async function reduceInput(
  sql: Sql,
  parent: string,
  prompt: string,
  untrusted: readonly string[],
): Promise<JobInput> {
  const rows = await sql.query(
    "SELECT title, state, result, error FROM chorale.jobs WHERE parent = $1 ORDER BY seq",
    [parent],
  );
  const documents = rows.map((row, at) => {
    const output = (row["result"] as JobResult | null)?.output;
    const error = (row["error"] as { message?: string } | null)?.message;
    const text = output ?? `No answer: ${error ?? String(row["state"])}`;
    return { name: `${at + 1}: ${String(row["title"])}`, text };
  });
  return {
    input: [prompt, ...documents.map(block)].join("\n\n"),
    untrusted: [...untrusted, ...documents.map(({ name }) => name)],
  };
}

/** An answer that has the end of its own block in it would put what follows into the user's mouth. */
function block({ name, text }: { readonly name: string; readonly text: string }): string {
  let tag = "document";
  for (let count = 2; text.includes(`</${tag}>`); count++) tag = `document-${count}`;
  return `<${tag} name="${name.replace(/["<>\s]+/g, " ")}">\n${text.trimEnd()}\n</${tag}>`;
}
