/** The real llama-server with the embedded model: it has to say what our exact mode says. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  convertModel,
  type HarmonyModel,
  loadModel,
  loadRemoteModel,
  type RemoteModel,
} from "../../runtime/index.ts";
import { chorale } from "../cli/chorale.ts";
import { Beside, type BesideSummary } from "../eval/beside.ts";
import { generateTasks } from "../eval/generate.ts";
import { missingLlamaServer } from "./installed.ts";
import { type LlamaServer, startLlamaServer } from "./llama-server.ts";
import { writeModelWithRoundedRope } from "./rounded-rope.ts";
import { writeWidenedGguf } from "./widened-gguf.ts";

const missing = missingLlamaServer();
let folder = "";
/** The file as it is exported, and one with the same values as float32. */
let rounding: LlamaServer;
let exact: LlamaServer;
/** The embedded model, and it with positions as llama.cpp turns them. */
let local: HarmonyModel;
let likewise: HarmonyModel;
let remote: RemoteModel;

beforeAll(async () => {
  if (missing !== null) return;
  folder = mkdtempSync(join(tmpdir(), "chorale-llama-"));
  const gguf = join(folder, "demo.gguf");
  await convertModel(undefined, { to: gguf, format: "gguf" });
  const wide = join(folder, "wide.gguf");
  writeWidenedGguf(gguf, wide);
  rounding = await startLlamaServer(gguf);
  exact = await startLlamaServer(
    wide,
    ...["--cache-type-k", "f32", "--cache-type-v", "f32", "--flash-attn", "off"],
  );
  local = await loadModel();
  writeModelWithRoundedRope(join(folder, "likewise"));
  likewise = await loadModel(join(folder, "likewise"), { precision: "exact" });
  remote = await loadRemoteModel([exact.address]);
}, 120_000);
beforeEach(({ skip }) => {
  if (missing !== null) skip(missing);
});
afterAll(async () => {
  if (missing !== null) return;
  await remote.close();
  await local.close();
  await likewise.close();
  await rounding[Symbol.asyncDispose]();
  await exact[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test("is found out to take ids, to give them, and to tell probabilities", async () => {
  const [found] = remote.engine.servers;
  expect(found).toMatchObject({ kind: "llama-server", contextLength: 2048 });
  expect(found?.capabilities).toMatchObject({
    idsIn: true,
    idsOut: true,
    exactStreams: true,
    logprobs: true,
    allowedIds: false,
    tokenizes: true,
  });
  expect(remote.engine.vocabSize).toBe(local.engine.vocabSize);
  expect(remote.vocabulary).toBe(local.vocabulary);
});

function completed(model: HarmonyModel, text: string, maxTokens: number, temperature = 0) {
  return model.complete(
    {
      threadId: text,
      prompt: model.tokenizer.encodeWithSpecials(text),
      maxTokens,
      stopIds: new Set([model.tokenizer.special.return]),
      allowedIds: null,
      sampling: { temperature, topP: 1, seed: 3 },
      topLogprobs: null,
      signal: new AbortController().signal,
    },
    async () => {},
  );
}

test("streams every id, those of characters of several bytes as well", async () => {
  for (const text of [
    "<|start|>user<|message|>Repeat: 漢字 🙂 naïve<|end|><|start|>assistant",
    "漢字かな交じり文 🙂🙃",
    "Ünïcödé ",
    "<|start|>user<|message|>What is 12 * 34?<|end|><|start|>assistant",
  ]) {
    const { ids } = await completed(remote, text, 48);
    expect(ids).toEqual((await completed(likewise, text, 48)).ids);
    // At a high temperature anything comes, parts of characters above all; a seed gives the same again.
    const wild = (await completed(remote, text, 48, 4)).ids;
    expect(wild.length).toBeGreaterThan(0);
    expect((await completed(remote, text, 48, 4)).ids).toEqual(wild);
  }
});

/** Tasks of every family. */
const TASKS = 40;

/** What the model here and a server do. @returns shares and the places where they part */
async function besideOf(here: HarmonyModel, there: RemoteModel): Promise<BesideSummary> {
  await using beside = new Beside(here, there);
  for (const task of generateTasks(1, TASKS)) await beside.run(task);
  const summary = beside.summary();
  const { same, tasks, others } = summary;
  console.log(`${same} of ${tasks} tasks with the same ids`, JSON.stringify(others));
  return summary;
}

/**
 * @param tolerance  of natural logarithms: how much one id may be likelier here, and the other there
 */
function expectTies({ others }: BesideSummary, tolerance: number): void {
  for (const { id, gapHere, gapThere } of others) {
    expect(gapHere, id).not.toBeNull();
    expect((gapHere ?? 0) + (gapThere ?? 0), id).toBeLessThan(tolerance);
  }
}

test("does tasks with the same ids, where both compute in float32 and turn positions alike", async () => {
  const summary = await besideOf(likewise, remote);
  expectTies(summary, 0.001);
  expect(summary.same / summary.tasks).toBeGreaterThanOrEqual(0.98);
});

test("does tasks with the same ids as it is, but for those that are nearly as likely", async () => {
  await using model = await loadRemoteModel([rounding.address]);
  const summary = await besideOf(local, model);
  expectTies(summary, 0.6);
  expect(summary.same / summary.tasks).toBeGreaterThanOrEqual(0.9);
});

test("the commands say whether both are the same model", async () => {
  const home = { home: join(folder, "home") };
  const compare = ["models", "compare", "--engine"];
  const alike = ["models", "compare", join(folder, "likewise"), "--precision", "exact", "--engine"];
  const same = await chorale([...alike, exact.address, "--tolerance", "0.001", "--json"], home);
  expect(same.code).toBe(0);
  const { max } = JSON.parse(same.stdout) as { max: number };
  expect(max).toBeLessThan(0.001);
  // Inputs of 8 bits, which a small model feels.
  const rounded = await chorale([...compare, rounding.address], home);
  expect(rounded.stdout).toMatch(/another likeliest id:/);
  const looser = await chorale([...compare, rounding.address, "--tolerance", "4"], home);
  expect(looser.stdout).toMatch(/They agree: within 4/);
  expect(looser.code).toBe(0);
  const measured = await chorale(
    ["bench", "--engine", exact.address, "--prompt", "64", "--generate", "32", "--rounds", "1"],
    home,
  );
  expect(measured).toMatchObject({ code: 0 });
  expect(measured.stdout).toMatch(/llama-server .* 4 of 4 answers/);
  const ran = await chorale(["run", "--engine", exact.address, "What can you do?"], home);
  expect(ran.stdout).toMatch(/can help|can do/);
});
