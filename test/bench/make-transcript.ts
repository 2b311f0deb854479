/**
 * Makes transcript.json: what an agent says and reads in a conversation whose calls and answers quote
 * what its tools gave back, in ids of o200k_harmony. `generated` segments are the model's own words; the
 * others were put before it.
 *
 *     node test/bench/make-transcript.ts
 */
import { writeFileSync } from "node:fs";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";

export type TranscriptSegment = { readonly generated: boolean; readonly ids: readonly number[] };

const LOG = Array.from({ length: 36 }, (_, i) => {
  const second = String((i * 7) % 60).padStart(2, "0");
  const minute = String(10 + Math.floor((i * 7) / 60)).padStart(2, "0");
  const at = `2026-03-14T02:${minute}:${second}Z`;
  const order = 48_210 + ((i * 7919) % 977);
  if (i % 9 === 5) {
    return `${at} ERROR import.orders row ${3000 + i * 41}: order ${order}: currency "${["CHF", "SEK", "JPY", "CHF"][(i / 9) | 0]}" is not in allowed_currencies`;
  }
  if (i % 9 === 7) return `${at} WARN  import.orders retry ${i % 4} of 3 for batch ${120 + i}`;
  return `${at} INFO  import.orders batch ${120 + i} committed, ${400 + ((i * 131) % 97)} rows, ${(i * 37) % 900} ms`;
});

const CONFIG = `[import.orders]
source = "sftp://partner.example/outgoing/orders.csv"
schedule = "0 2 * * *"
batch_size = 500
retries = 3
retry_delay_seconds = 20
on_error = "skip_row"

[import.orders.columns]
order_id = "integer"
customer_id = "integer"
placed_at = "timestamp"
currency = "text"
amount = "decimal(12, 2)"
note = "text"

[import.orders.checks]
allowed_currencies = ["EUR", "USD", "GBP"]
max_amount = 250000
unique = ["order_id"]

[notify]
channel = "#imports"
after_errors = 5
mention = ["@on-call"]`;

const ERRORS = LOG.filter((line) => line.includes("ERROR"));
const FIXED = CONFIG.replace(
  '["EUR", "USD", "GBP"]',
  '["EUR", "USD", "GBP", "CHF", "SEK", "JPY"]',
).replace("after_errors = 5", "after_errors = 1");
const PATCH = `from pathlib import Path
path = Path("/data/import.toml")
path.write_text('''${FIXED}
''')
print(path.read_text())`;

const turns: readonly { readonly generated: boolean; readonly text: string }[] = [
  {
    generated: false,
    text:
      "<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n" +
      "Knowledge cutoff: 2024-06\nCurrent date: 2026-03-14\n\nReasoning: medium\n\n# Tools\n\n" +
      "## python\n\nUse this tool to execute Python code. The files of the user are in /data.\n\n" +
      "# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>" +
      "<|start|>user<|message|>Rows are missing after last night's order import. Find out why from " +
      "/data/import.log, correct /data/import.toml so that it does not happen again and that we hear of " +
      "the first such error, and show me the errors and the corrected file.<|end|><|start|>assistant",
  },
  {
    generated: true,
    text:
      "<|channel|>analysis<|message|>I should look at the log first.<|end|><|start|>assistant" +
      '<|channel|>analysis to=python code<|message|>print(open("/data/import.log").read())<|call|>',
  },
  {
    generated: false,
    text: `<|start|>python to=assistant<|channel|>analysis<|message|>${LOG.join("\n")}<|end|><|start|>assistant`,
  },
  {
    generated: true,
    text:
      `<|channel|>analysis<|message|>There are ${ERRORS.length} errors of one kind, the first is: ${ERRORS[0]}. ` +
      "Rows whose currency is not in allowed_currencies are skipped. Now the configuration.<|end|>" +
      '<|start|>assistant<|channel|>analysis to=python code<|message|>print(open("/data/import.toml").read())<|call|>',
  },
  {
    generated: false,
    text: `<|start|>python to=assistant<|channel|>analysis<|message|>${CONFIG}<|end|><|start|>assistant`,
  },
  {
    generated: true,
    text:
      "<|channel|>analysis<|message|>allowed_currencies lacks CHF, SEK and JPY, and notify waits for " +
      "after_errors = 5, so nobody was told of four errors. I write both.<|end|>" +
      `<|start|>assistant<|channel|>analysis to=python code<|message|>${PATCH}<|call|>`,
  },
  {
    generated: false,
    text: `<|start|>python to=assistant<|channel|>analysis<|message|>${FIXED}<|end|><|start|>assistant`,
  },
  {
    generated: true,
    text:
      "<|channel|>final<|message|>The rows are missing because their currency is not in " +
      '`allowed_currencies`, and `on_error = "skip_row"` leaves such rows out. The log has these errors:\n\n' +
      `\`\`\`\n${ERRORS.join("\n")}\n\`\`\`\n\nNobody was told, because \`[notify]\` waits for ` +
      "`after_errors = 5` and there were four. I changed both; `/data/import.toml` now reads:\n\n" +
      `\`\`\`toml\n${FIXED}\n\`\`\`\n\nThe skipped rows are not imported yet: run the import of that file once more.<|return|>`,
  },
];

const tokenizer = loadO200kHarmony();
const segments: TranscriptSegment[] = turns.map(({ generated, text }) => ({
  generated,
  ids: tokenizer.encodeWithSpecials(text),
}));
const lines = segments.map((segment) => `  ${JSON.stringify(segment)}`);
writeFileSync(
  new URL("./transcript.json", import.meta.url),
  `{"vocabulary":"o200k_harmony","segments":[\n${lines.join(",\n")}\n]}\n`,
);
const count = (generated: boolean): number =>
  segments.reduce(
    (sum, segment) => sum + (segment.generated === generated ? segment.ids.length : 0),
    0,
  );
console.error(`transcript.json: ${count(true)} tokens generated, ${count(false)} read`);
