/** The search in conversations in Postgres, with the meaning that `search.ts` gives to words and phrases. */
import type { LogEntry } from "./entry.ts";
import type { Row, Run } from "./postgres-database.ts";
import { foldedWords, searchableText } from "./search.ts";

/** Characters of a word in the index: a lexeme has less than 2 KB. */
const LONGEST_LEXEME = 500;

/** Belongs into the transaction of the entries. */
export async function writeWords(
  run: Run,
  threadId: string,
  entries: readonly LogEntry[],
): Promise<void> {
  for (const entry of entries) {
    const words = foldedWords(searchableText(entry));
    if (words.length === 0) continue;
    await run(
      "INSERT INTO chorale.thread_words (thread_id, seq, words, lexemes) VALUES ($1, $2, $3, array_to_tsvector($4::text[]))",
      [threadId, entry.seq, joined(words), lexemesOf(words)],
    );
  }
}

export async function removeWords(run: Run, threadId: string): Promise<void> {
  await run("DELETE FROM chorale.thread_words WHERE thread_id = $1", [threadId]);
}

/**
 * Of each thread that has all terms, the entry that has most of them; the best match first.
 * @returns rows with the columns `entry` and `summary`
 */
export function findEntries(
  run: Run,
  terms: readonly string[],
  limit: number | undefined,
): Promise<readonly Row[]> {
  const asked = terms.map(foldedWords);
  const patterns = asked.map((words) => `%${joined(words)}%`);
  return run(FIND, [patterns, asked.map(tsqueryOf), terms.length, limit ?? null]);
}

/** The index finds candidates; the text of their words decides. */
const FIND = `
  WITH term AS (
    SELECT pattern, query::tsquery AS query, number
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS term (pattern, query, number)
  ), hit AS MATERIALIZED (
    SELECT found.thread_id, found.seq, term.number, ts_rank(found.lexemes, term.query) AS rank
    FROM term JOIN chorale.thread_words AS found
      ON found.lexemes @@ term.query AND found.words LIKE term.pattern
  ), matching AS (
    SELECT thread_id FROM hit GROUP BY thread_id HAVING count(DISTINCT number) = $3
  ), best AS (
    SELECT DISTINCT ON (thread_id) thread_id, seq, count(*) AS terms, sum(rank) AS rank
    FROM hit JOIN matching USING (thread_id)
    GROUP BY thread_id, seq
    ORDER BY thread_id, terms DESC, rank DESC, seq
  ), first AS (
    SELECT thread_id, seq, summary,
      row_number() OVER (ORDER BY terms DESC, rank DESC, updated_at DESC, used DESC) AS place
    FROM best JOIN chorale.threads USING (thread_id)
    ORDER BY place LIMIT $4
  )
  SELECT entry, summary FROM first JOIN chorale.thread_entries USING (thread_id, seq) ORDER BY place`;

/** A space before each word: what begins a word is found behind a space. */
function joined(words: readonly string[]): string {
  return words.map((word) => ` ${word}`).join("");
}

function lexemesOf(words: readonly string[]): readonly string[] {
  return [...new Set(words.map((word) => word.slice(0, LONGEST_LEXEME)))];
}

/** All words of a term; the last one may go on. Words are of letters and digits, so none ends its quotes. */
function tsqueryOf(words: readonly string[]): string {
  return words
    .map((word) => `'${word.slice(0, LONGEST_LEXEME)}'`)
    .join(" & ")
    .concat(":*");
}
