/** The commands about models, against a registry on this machine. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelOffer } from "../../runtime/cli/models/offer.ts";
import { bytesText, transferProgress } from "../../runtime/cli/models/transfer-progress.ts";
import { FORMS, makeGguf } from "../fixtures/make-gguf-model.ts";
import { makeRandomModel, randomWeights, TINY } from "../fixtures/make-tiny-model.ts";
import { ModelRegistry, sha256 } from "../fixtures/model-registry.ts";
import { type ChoraleOptions, chorale, type Ran } from "./chorale.ts";

const SIZE = { ...TINY, swigluLimit: 7 };
const model = makeGguf(SIZE, randomWeights(SIZE, 5), FORMS.ollamaLater);
/** With so many bytes behind it that they do not come at once. */
const large = Buffer.concat([model, Buffer.alloc(3 << 20, 1)]);

let root = "";
let home = "";
let registry: ModelRegistry;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "chorale-models-"));
  home = join(root, "home");
  makeRandomModel(join(root, "made"), TINY, 3);
  const files = Object.fromEntries(
    readdirSync(join(root, "made")).map((name) => [name, readFileSync(join(root, "made", name))]),
  );
  registry = await ModelRegistry.open({
    repositories: { "openai/gpt-oss-20b": { files, license: "apache-2.0" } },
    images: {
      "library/gpt-oss:20b": { model, license: "free" },
      "library/gpt-oss:120b": { model: large },
    },
  });
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

const run = (args: readonly string[], options: Partial<ChoraleOptions> = {}): Promise<Ran> =>
  // No models of programs that this machine has.
  chorale(args, { home, ...options, env: { HOME: root, OLLAMA_MODELS: "", ...options.env } });

async function json(args: readonly string[], code = 0): Promise<Record<string, unknown>> {
  const ran = await run([...args, "--json"]);
  expect(ran.stderr + String(ran.code)).toMatch(new RegExp(`${code}$`));
  return JSON.parse(ran.stdout) as Record<string, unknown>;
}

test("a model from its registry to its removal", async () => {
  expect((await run(["list"])).stderr).toMatch(/No models are in .*; chorale pull brings one/);
  const pulled = await run(["pull", "gpt-oss:20b", "--from", registry.url]);
  expect(pulled.code).toBe(0);
  expect(pulled.stdout).toMatch(/^gpt-oss:20b is there: 111 kB from http:\S+, in [\d.]+ s\.\n$/);
  expect(pulled.stderr).toBe("chorale: To use it: chorale --model gpt-oss:20b\n");
  const again = await run(["pull", "gpt-oss:20b", "--from", registry.url]);
  expect(again.stdout).toBe("gpt-oss:20b is there already, as the registry has it now.\n");

  const hub = await run(["pull", "openai/gpt-oss-20b", "--json"], {
    env: { HF_ENDPOINT: registry.url },
  });
  expect(JSON.parse(hub.stdout)).toMatchObject({
    name: "openai/gpt-oss-20b",
    present: false,
    format: "safetensors",
    license: "apache-2.0",
    source: { repository: "openai/gpt-oss-20b", revision: "main" },
  });
  const { models, pending } = await json(["list"]);
  expect(models).toMatchObject([{ name: "gpt-oss:20b" }, { name: "openai/gpt-oss-20b" }]);
  expect(pending).toEqual([]);

  const shown = await json(["show", "gpt-oss-20b", "--context", "128"]);
  expect(shown).toMatchObject({
    name: "openai/gpt-oss-20b",
    architecture: "gpt-oss",
    license: "apache-2.0",
    memory: { context_length: 128, fits: true },
  });
  expect(
    (shown["speed"] as { decode_limit_tokens_per_s: number }).decode_limit_tokens_per_s,
  ).toBeGreaterThan(0);
  expect((await run(["show", "gpt-oss:20b"])).stdout).toMatch(
    /\n {2}experts +MXFP4, .* in [\d.]+ kB\n/,
  );

  expect((await run(["cp", "gpt-oss:20b", "mine"])).stdout).toBe(
    "mine:latest is gpt-oss:20b now.\n",
  );
  expect(await json(["models", "rm", "gpt-oss:20b"])).toMatchObject({
    removed: [{ name: "gpt-oss:20b", freed_bytes: 0 }],
  });
  // The name of another model in another spelling removes nothing.
  expect((await run(["rm", "gpt-oss:20b"])).stderr).toMatch(/accepted: openai\/gpt-oss-20b/);
  const ran = await run(["run", "--model", "none:1", "hi"]);
  expect(ran.code).toBe(6);
  expect(ran.stderr).toMatch(/there are: .*mine:latest/);

  expect((await run(["verify"])).stdout).toMatch(
    /^mine:latest: 2 files \(111 kB\) as expected, \d+ tensors with finite numbers\nopenai\/gpt-oss-20b: /,
  );
  const blob = join(home, "models/blobs", `sha256-${sha256(model)}`);
  chmodSync(blob, 0o600);
  const changed = Uint8Array.from(model);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  writeFileSync(blob, changed);
  const broken = await run(["verify", "mine"]);
  expect(broken.code).toBe(1);
  expect(broken.stdout).toMatch(/^BROKEN mine:latest: model\.gguf: its SHA-256 is /);
  expect(broken.stderr).toMatch(/chorale rm mine:latest, then chorale pull/);

  const { removed } = await json(["rm", "mine", "openai/gpt-oss-20b"]);
  expect(removed).toMatchObject([{ name: "mine:latest" }, { name: "openai/gpt-oss-20b" }]);
  expect(readdirSync(join(home, "models/blobs"))).toEqual([]);
});

test("Ctrl-C in the middle: the same command goes on", async () => {
  const own = { home: join(root, "interrupted") };
  registry.fault = ({ range }) => (range === undefined ? undefined : { kind: "slow", ms: 25 });
  const before = registry.sentBytes;
  const stopped = await run(["pull", "gpt-oss:120b", "--from", registry.url], {
    ...own,
    whileRunning: (child) => {
      const timer = setInterval(() => {
        if (registry.sentBytes - before < 1.5 * 2 ** 20) return;
        clearInterval(timer);
        child.kill("SIGINT");
      }, 5);
    },
  });
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toMatch(/What was received stays: the same command goes on from there\./);
  registry.fault = () => undefined;
  expect(JSON.parse((await run(["list", "--json"], own)).stdout)).toMatchObject({
    models: [],
    pending: [{ name: "gpt-oss:120b" }],
  });
  const sent = registry.sentBytes;
  const pulled = await run(["pull", "gpt-oss:120b", "--from", registry.url, "--json"], own);
  expect(JSON.parse(pulled.stdout)).toMatchObject({ name: "gpt-oss:120b", present: false });
  expect(registry.sentBytes - sent).toBeLessThan(large.byteLength - 2 ** 20);
  expect((await run(["rm", "gpt-oss:120b"], own)).stdout).toBe(
    "Removed gpt-oss:120b: 3.3 MB free again.\n",
  );
});

describe("what is refused", () => {
  const refused: readonly [string, readonly string[], number, RegExp][] = [
    ["no name", ["pull"], 2, /needs|missing|argument/i],
    [
      "no model's name",
      ["pull", "../x"],
      2,
      /"\.\.\/x" is no name of a model; accepted: gpt-oss:20b/,
    ],
    [
      "an address that is none",
      ["pull", "a/b", "--from", "ftp://x"],
      2,
      /is no address of a registry/,
    ],
    ["a model that is not in the registry", ["pull", "none:1"], 1, /the registry does not have it/],
    [
      "removing what was not pulled",
      ["rm", "none:1"],
      6,
      /no model of any name is on this machine/,
    ],
    ["copying what was not pulled", ["cp", "none:1", "two"], 2, /it was not pulled/],
    ["showing what is not there", ["show", "none:1"], 6, /chorale pull gpt-oss:20b/],
    ["verifying nothing", ["verify"], 2, /No models were pulled/],
  ];
  test.each(refused)("%s", async (_, args, code, message) => {
    const mirror = args[0] === "pull" && args.length === 2 ? ["--from", registry.url] : [];
    const ran = await run([...args, ...mirror], { home: join(root, "empty") });
    expect(ran.stderr).toMatch(message);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
    expect(ran.code).toBe(code);
    expect(ran.stdout).toBe("");
  });
});

describe("what a person without a model is told", () => {
  const GIB = 2 ** 30;
  const offers: readonly [string, Parameters<typeof modelOffer>[0], RegExp | null][] = [
    [
      "there are models",
      { models: ["a:1", "b:2"], memory: 0, disk: 0 },
      /there are a:1, b:2: chorale --model a:1$/,
    ],
    [
      "the larger one fits",
      { models: [], memory: 80 * GIB, disk: 100e9 },
      /^gpt-oss:120b \(65\.4 GB\) fits .*chorale pull gpt-oss:120b$/,
    ],
    [
      "the smaller one fits",
      { models: [], memory: 20 * GIB, disk: 100e9 },
      /^gpt-oss:20b \(13\.8 GB\) fits .*chorale pull gpt-oss:20b$/,
    ],
    ["the disk is small", { models: [], memory: 80 * GIB, disk: 20e9 }, /^gpt-oss:20b/],
    [
      "the memory is small",
      { models: [], memory: 8.5 * GIB, disk: 20e9 },
      /with --memory 8G .*slowly: chorale pull gpt-oss:20b$/,
    ],
    ["nothing fits", { models: [], memory: 4 * GIB, disk: 100e9 }, null],
    ["there is no disk for it", { models: [], memory: 80 * GIB, disk: 1e9 }, null],
  ];
  test.each(offers)("%s", (_, facts, sentence) => {
    if (sentence === null) expect(modelOffer(facts)).toBeNull();
    else expect(modelOffer(facts)).toMatch(sentence);
  });
});

test("progress tells bytes, their rate and the seconds that are left", () => {
  const said: string[] = [];
  let clock = 0;
  const output = { isLive: false, progress: () => {}, note: (text: string) => said.push(text) };
  const tell = transferProgress(output, () => clock);
  for (let second = 0; second <= 30; second++) {
    clock = second * 1000;
    tell("receiving x", second * 100e6, 13.8e9);
  }
  expect(said).toEqual([
    "receiving x: 1.0 GB of 13.8 GB, 100 MB/s, 128 s left.",
    "receiving x: 2.0 GB of 13.8 GB, 100 MB/s, 118 s left.",
    "receiving x: 3.0 GB of 13.8 GB, 100 MB/s, 108 s left.",
  ]);
  expect([0, 999, 1000, 99_950, 999_600, 13.8e9].map(bytesText)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "100 kB",
    "1.0 MB",
    "13.8 GB",
  ]);
});
