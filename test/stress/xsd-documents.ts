/**
 * Documents of the XML Schemas in `test/fixtures/xsd/`, written under constraint at temperature 1 and closed at a
 * limit of tokens, and held against the validator: by the embedded model, and by a model of random weights.
 */
import { copyFileSync, globSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveSettings } from "../../runtime/agent/settings.ts";
import { DeclaredTools } from "../../runtime/calls/declared-tools.ts";
import { describeOutput, type HarmonyModel, loadModel, runAgent } from "../../runtime/index.ts";
import { userMessage } from "../../runtime/model/opening.ts";
import { createValidator, readXmlSchema, type XmlSchemaSource } from "../../tools/index.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";

const FOLDER = fileURLToPath(new URL("../fixtures/xsd/", import.meta.url));
const TOKENIZER = fileURLToPath(new URL("../../inference/demo/tokenizer.json", import.meta.url));
/** At least as many ids as the embedded model's tokenizer has. */
const VOCABULARY = 4104;
/** Of a document, before it is closed. */
const MAX_TOKENS = 300;
const PROMPT = "Capture this as XML: Maria Keller is 34 years old and lives in Oslo.";

export type DocumentReport = {
  readonly schemas: number;
  readonly models: readonly {
    readonly model: string;
    readonly documents: number;
    /** Not valid, in a way that the schema's grammar does not leave to the validator. */
    readonly invalid: readonly string[];
    /** Not valid by what is checked afterwards: keys, identities, bounds of dates. */
    readonly leftOpen: number;
    /** The limit came before an answer had begun, or no ending was found. */
    readonly unwritten: number;
  }[];
};

export async function writeDocuments(options: {
  /** Of each schema, by each model. */
  readonly documents: number;
  /** For the random model. */
  readonly folder: string;
  readonly onProgress?: (name: string) => void;
}): Promise<DocumentReport> {
  makeRandomModel(options.folder, { ...TINY, vocab: VOCABULARY }, 3);
  copyFileSync(TOKENIZER, join(options.folder, "tokenizer.json"));
  const names = globSync("*.xsd", { cwd: FOLDER }).filter((name) => name !== "units.xsd");
  const models: DocumentReport["models"][number][] = [];
  for (const path of [undefined, options.folder]) {
    await using model = await loadModel(path);
    const label = path === undefined ? "embedded" : "random";
    const report = {
      model: label,
      documents: 0,
      invalid: [] as string[],
      leftOpen: 0,
      unwritten: 0,
    };
    for (const name of names) {
      options.onProgress?.(`${label}: ${name}`);
      const source = await readXmlSchema(FOLDER + name);
      const validator = await createValidator(source);
      const { checkedAfterwards } = await describeOutput(source);
      for (let seed = 1; seed <= options.documents; seed++) {
        const text = await (path === undefined ? write : writeAtOnce)(model, source, seed);
        if (text === null) {
          report.unwritten++;
          continue;
        }
        report.documents++;
        const { action, errors } = await validator.validate(text);
        if (action === "accept") continue;
        const isLeftOpen =
          checkedAfterwards.length > 0 && errors.every(({ message }) => LEFT_OPEN.test(message));
        if (isLeftOpen) report.leftOpen++;
        else report.invalid.push(`${name} ${seed}: ${errors[0]?.message}`);
      }
    }
    models.push(report);
  }
  return { schemas: names.length, models };
}

/** What the validator says of what a grammar of an XSD leaves to it. */
const LEFT_OPEN = /unique|key-sequence|keyref|xs:ID\b|IDREF|minInclusive|must be >=/i;

/** The text of the answer, also of one that the run did not accept; null where there is none. */
async function write(
  model: HarmonyModel,
  source: XmlSchemaSource,
  seed: number,
): Promise<string | null> {
  const { thread, output } = await runAgent({
    model,
    prompt: PROMPT,
    output: source,
    sampling: { temperature: 1, seed },
    maxReasoningTokens: 16,
    maxTokens: MAX_TOKENS,
    maxRepairs: 0,
    onLimit: "close",
  });
  if (output !== null) return output;
  const finals = (await thread.entries()).flatMap((entry) =>
    entry.type === "sampled" ? entry.messages.filter(({ channel }) => channel === "final") : [],
  );
  const last = finals.at(-1);
  return last?.terminator === "return" ? last.text : null;
}

/** A model of random weights would never begin an answer: its header is put there. */
async function writeAtOnce(
  model: HarmonyModel,
  source: XmlSchemaSource,
  seed: number,
): Promise<string | null> {
  const tools = new DeclaredTools([]);
  const options = { sampling: { temperature: 1, seed }, onLimit: "close" } as const;
  const output = { type: "xml", ...source } as const;
  let text: string | null = null;
  const step = await model.sample(
    {
      threadId: "random",
      settings: resolveSettings(options, tools, output, {}),
      tools,
      transcript: [{ message: userMessage(PROMPT) }],
      prefill: "final",
      toolChoice: "none",
      maxTokens: MAX_TOKENS,
      maxReasoningTokens: null,
      shouldPause: () => false,
      signal: new AbortController().signal,
    },
    (event) => {
      if (event.type === "message_ended") text = event.message.text;
    },
  );
  return step.finish === "stop" ? text : null;
}
