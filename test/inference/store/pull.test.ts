import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../../inference/checkpoint/open.ts";
import { CheckpointError, ModelStoreError } from "../../../inference/errors.ts";
import { ModelStore } from "../../../inference/store/model-store.ts";
import { parseModelName } from "../../../inference/store/names.ts";
import type { PullProgress } from "../../../inference/store/progress.ts";
import { type PullOptions, pullModel } from "../../../inference/store/pull.ts";
import { StreamClient } from "../../../tools/index.ts";
import { FORMS, makeGguf } from "../../fixtures/make-gguf-model.ts";
import { makeRandomModel, randomWeights, TINY } from "../../fixtures/make-tiny-model.ts";
import { type Fault, ModelRegistry, sha256 } from "../../fixtures/model-registry.ts";

const SIZE = { ...TINY, swigluLimit: 7 };
const gguf = makeGguf(SIZE, randomWeights(SIZE, 5), FORMS.ollamaLater);
/** A piece of the files of these tests: each has some of them. */
const PIECE = 16 << 10;
const HF = "openai/gpt-oss-20b";
const OLLAMA = "gpt-oss:20b";

let home = "";
let files: Record<string, Uint8Array> = {};
let open: AsyncDisposableStack;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "chorale-pull-"));
  open = new AsyncDisposableStack();
  makeRandomModel(join(home, "made"), TINY, 3);
  files = Object.fromEntries(
    readdirSync(join(home, "made")).map((name) => [name, readFileSync(join(home, "made", name))]),
  );
  files["LICENSE"] = Buffer.from("Do as you like.");
});
afterEach(async () => {
  await open.disposeAsync();
  rmSync(home, { recursive: true });
});

const store = (): ModelStore => new ModelStore(join(home, "models"));

async function registryOf(
  content: Parameters<typeof ModelRegistry.open>[0] = {
    repositories: { [HF]: { files, license: "apache-2.0" } },
    images: { "library/gpt-oss:20b": { model: gguf, license: "free" } },
  },
): Promise<ModelRegistry> {
  return open.use(await ModelRegistry.open(content));
}

function pull(name: string, registry: ModelRegistry, options: Partial<PullOptions> = {}) {
  const client = open.use(new StreamClient({ trustedHosts: hostsOf(registry) }));
  return pullModel(name, {
    store: store(),
    get: (request) => client.get(request),
    endpoint: registry.url,
    pieceBytes: PIECE,
    retryMs: 1,
    ...options,
  });
}

const hostsOf = ({ url, redirectTo }: ModelRegistry): string[] =>
  [url, redirectTo ?? url].map((text) => new URL(text).host);

/** The n-th request for content has a fault, and so on. */
function faults(...list: readonly (Fault | undefined)[]): () => Fault | undefined {
  const left = [...list];
  return () => left.shift();
}

describe("what is pulled", () => {
  test("from the layout of the Hugging Face hub: weights, configuration, licence and source", async () => {
    const registry = await registryOf();
    files["model.bin"] = Buffer.alloc(10);
    files["original/model.safetensors"] = Buffer.alloc(9000);
    const seen: PullProgress[] = [];
    const { model, receivedBytes, wasPresent } = await pull(HF, registry, {
      onProgress: (progress) => seen.push(progress),
    });
    expect(wasPresent).toBe(false);
    expect(model.manifest.files.map(({ name }) => name)).toEqual([
      "LICENSE",
      "config.json",
      "model.safetensors",
    ]);
    expect(model.manifest).toMatchObject({
      name: HF,
      format: "safetensors",
      license: "apache-2.0",
      source: { repository: HF, revision: "main", commit: expect.stringMatching(/^c0ffee0+$/) },
    });
    const total = model.manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(receivedBytes).toBe(total);
    const checkpoint = openCheckpoint(model.path);
    const original = openCheckpoint(join(home, "made"));
    expect(checkpoint.fingerprint()).toBe(original.fingerprint());
    checkpoint.close();
    original.close();
    expect(seen[0]).toEqual({ state: "manifest" });
    expect(seen.at(-1)).toEqual({ state: "done" });
    const last = seen.findLast((one) => one.state === "receiving");
    expect(last).toMatchObject({ modelCompleted: total, modelTotal: total });
    expect(store().pending()).toEqual([]);
  });

  test("from the layout of Ollama's registry, and again nothing", async () => {
    const registry = await registryOf();
    const { model } = await pull(OLLAMA, registry);
    expect(model.manifest.files).toEqual([
      { name: "LICENSE", sha256: sha256(Buffer.from("free")), bytes: 4 },
      { name: "model.gguf", sha256: sha256(gguf), bytes: gguf.byteLength },
    ]);
    openCheckpoint(model.path).close();
    const before = registry.sentBytes;
    const again = await pull(OLLAMA, registry);
    expect(again).toMatchObject({ wasPresent: true, receivedBytes: 0 });
    expect(registry.sentBytes - before).toBeLessThan(200);
  });

  test("a file that two models have is received and kept once", async () => {
    const repositories = { "a/x": { files: { "x-F16.gguf": gguf } } };
    const images = { "library/gpt-oss:20b": { model: gguf } };
    const registry = await registryOf({ repositories, images });
    await pull(OLLAMA, registry);
    const second = await pull("a/x", registry);
    expect(second.receivedBytes).toBe(0);
    const { signal } = new AbortController();
    expect(await store().remove(parseModelName("a/x"), signal)).toEqual({
      freedBytes: 0,
      sharedBytes: gguf.byteLength,
    });
    openCheckpoint(
      join(home, "models/manifests/registry.ollama.ai/library/gpt-oss/20b.json"),
    ).close();
    const removed = await store().remove(parseModelName(OLLAMA), signal);
    expect(removed?.freedBytes).toBeGreaterThanOrEqual(gguf.byteLength);
    expect(readdirSync(join(home, "models/blobs"))).toEqual([]);
    expect(await store().remove(parseModelName(OLLAMA), signal)).toBeUndefined();
  });

  test("one of several GGUF files by its quantisation", async () => {
    const other = makeGguf(SIZE, randomWeights(SIZE, 6), FORMS.llamaCppF16);
    const quants = { "m-Q8_0.gguf": gguf, "m-F16.gguf": other, "m-Q4_K_M.gguf": gguf };
    const registry = await registryOf({
      repositories: {
        "a/x": { files: quants },
        "a/y": { files: { "m-Q5_0.gguf": gguf, "m-Q4_0.gguf": gguf } },
      },
    });
    const { model } = await pull("hf.co/a/x:q4_k_m", registry);
    expect(model.manifest.files).toMatchObject([{ name: "m-Q4_K_M.gguf" }]);
    // Without one: what was quantised least.
    expect((await pull("a/x", registry)).model.manifest.files).toMatchObject([
      { name: "m-F16.gguf" },
    ]);
    await expect(pull("a/x:Q2_K", registry)).rejects.toThrow(
      /accepted: hf.co\/a\/x:QUANT with one of F16, Q4_K_M, Q8_0/,
    );
    await expect(pull("a/y", registry)).rejects.toThrow(/does not say which of 2 GGUF models/);
  });

  test("two at a time receive it once", async () => {
    const registry = await registryOf();
    registry.fault = () => ({ kind: "slow", ms: 20 });
    const both = await Promise.all([pull(OLLAMA, registry), pull(OLLAMA, registry)]);
    for (const { model } of both) openCheckpoint(model.path).close();
    expect(registry.sentBytes).toBeLessThan(1.1 * gguf.byteLength);
  });
});

describe("a connection or server that fails", () => {
  const passing: readonly [string, Fault][] = [
    ["cuts off", { kind: "cut", after: 5000 }],
    ["is overloaded", { kind: "status", status: 503, retryAfter: "0" }],
    ["limits the rate", { kind: "status", status: 429 }],
    ["sends another range", { kind: "wrong range" }],
    ["knows no ranges", { kind: "no ranges" }],
    ["sends a changed byte", { kind: "wrong bytes" }],
  ];
  test.each(passing)("%s: the model is right nevertheless", async (_, fault) => {
    const registry = await registryOf();
    registry.fault = faults(undefined, undefined, fault, fault);
    const { model } = await pull(OLLAMA, registry);
    expect(sha256(readFileSync(store().blob(sha256(gguf))))).toBe(sha256(gguf));
    openCheckpoint(model.path).close();
  });

  test("one without ranges is read in one stream, from the beginning after each break", async () => {
    const registry = await registryOf();
    let requests = 0;
    registry.fault = ({ url }) => {
      if (!url.includes(sha256(gguf))) return undefined;
      return requests++ === 8 ? { kind: "cut", after: 50_000 } : { kind: "no ranges" };
    };
    await pull(OLLAMA, registry);
    expect(sha256(readFileSync(store().blob(sha256(gguf))))).toBe(sha256(gguf));
  });

  test("an answer that breaks off while a block of it is written counts each byte once", async () => {
    const registry = await registryOf();
    const client = open.use(new StreamClient({ trustedHosts: hostsOf(registry) }));
    let broken = 0;
    const most = { bytes: 0 };
    const { receivedBytes } = await pull(OLLAMA, registry, {
      pieceBytes: 1 << 20,
      onProgress: (one) => {
        if (one.state === "receiving") most.bytes = Math.max(most.bytes, one.completed);
      },
      get: async (request) => {
        const response = await client.get(request);
        if (request.headers["range"] === undefined || broken++ > 0) return response;
        const breakOff = (sink: Parameters<typeof response.read>[0]): Promise<void> =>
          new Promise((_, reject) => {
            const never = new Promise<boolean>(() => {});
            void response.read((chunk) => {
              void sink(chunk);
              reject(new Error("the connection is gone"));
              return never;
            });
          });
        return { ...response, read: breakOff };
      },
    });
    expect(broken).toBeGreaterThan(1);
    expect(most.bytes).toBe(gguf.byteLength);
    expect(receivedBytes).toBe(gguf.byteLength + 4);
  });

  test("a model that is being pulled cannot be removed", async () => {
    const registry = await registryOf();
    registry.fault = () => ({ kind: "slow", ms: 10 });
    let removed: Promise<unknown> | undefined;
    const { model } = await pull(OLLAMA, registry, {
      connections: 1,
      onProgress: (one) => {
        if (one.state !== "receiving" || one.completed < 30_000) return;
        removed ??= store()
          .remove(parseModelName(OLLAMA), new AbortController().signal)
          .catch((error: unknown) => error);
      },
    });
    expect(await removed).toMatchObject({ code: "CHORALE_MODEL_IN_USE" });
    for (const file of model.manifest.files) {
      expect(store().blobBytes(file.sha256)).toBe(file.bytes);
    }
  });

  const lasting: readonly [string, Fault, string, RegExp][] = [
    ["cuts off", { kind: "cut", after: 0 }, "CHORALE_PULL_NETWORK", /after 6 tries in a row/],
    [
      "fails",
      { kind: "status", status: 500 },
      "CHORALE_PULL_NETWORK",
      /answers 500, after 6 tries/,
    ],
    ["sends another range", { kind: "wrong range" }, "CHORALE_PULL_NETWORK", /sends another range/],
    [
      "sends other bytes",
      { kind: "wrong bytes" },
      "CHORALE_PULL_HASH",
      /is not what the registry promised/,
    ],
    ["has no file", { kind: "status", status: 404 }, "CHORALE_PULL_NOT_FOUND", /answers 404/],
  ];
  test.each(lasting)(
    "always %s: a clear error, and nothing wrong is kept",
    async (_, fault, code, message) => {
      const registry = await registryOf();
      registry.fault = ({ url }) => (url.includes(sha256(gguf)) ? fault : undefined);
      const error = await pull(OLLAMA, registry).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ModelStoreError);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
      expect(store().list().models).toEqual([]);
      expect(existsSync(store().blob(sha256(gguf)))).toBe(false);
    },
  );

  test("an interrupted pull goes on where it ended, and can be taken back", async () => {
    const registry = await registryOf();
    const interrupt = new AbortController();
    const half = gguf.byteLength / 2;
    registry.fault = () => ({ kind: "slow", ms: 5 });
    const stopped = pull(OLLAMA, registry, {
      signal: interrupt.signal,
      connections: 1,
      onProgress: (one) => {
        if (one.state === "receiving" && one.completed > half) interrupt.abort(new Error("Ctrl-C"));
      },
    });
    await expect(stopped).rejects.toThrow("Ctrl-C");
    expect(store().pending()).toMatchObject([{ name: OLLAMA }]);
    registry.fault = () => undefined;
    const before = registry.sentBytes;
    const { receivedBytes } = await pull(OLLAMA, registry);
    expect(receivedBytes).toBeLessThan(half);
    expect(registry.sentBytes - before).toBeLessThan(half + 200);
    expect(readdirSync(join(home, "models/partial"))).toEqual([]);

    await store().remove(parseModelName(OLLAMA), new AbortController().signal);
    registry.fault = ({ range }) =>
      range === undefined
        ? undefined
        : { kind: "cut", after: range.startsWith("bytes=0-") ? 900 : 0 };
    await expect(pull(OLLAMA, registry)).rejects.toMatchObject({ code: "CHORALE_PULL_NETWORK" });
    expect(readdirSync(join(home, "models/partial"))).toHaveLength(2);
    await store().remove(parseModelName(OLLAMA), new AbortController().signal);
    expect(readdirSync(join(home, "models/partial"))).toEqual([]);
    expect(store().pending()).toEqual([]);
  });
});

describe("a registry that is not to be trusted", () => {
  test.each([
    "sha256:../../../../../../tmp/evil",
    `sha256:${"a".repeat(63)}`,
    `sha256:${"A".repeat(64)}`,
    `sha256:${"a".repeat(64)}/../x`,
    `sha512:${"a".repeat(64)}`,
    "",
    7,
  ])("gives the digest %j", async (digest) => {
    const registry = await registryOf();
    registry.edit = (_, json) => {
      const manifest = structuredClone(json) as { layers: { digest: unknown }[] };
      if (manifest.layers[0] !== undefined) manifest.layers[0].digest = digest;
      return manifest;
    };
    await expect(pull(OLLAMA, registry)).rejects.toMatchObject({ code: "CHORALE_PULL_REGISTRY" });
    expect(readdirSync(join(home, "models/blobs"))).toEqual([]);
  });

  test.each([-1, 2 ** 53, 1.5, "9"])("gives the size %j", async (size) => {
    const registry = await registryOf();
    registry.edit = (_, json) => {
      const manifest = structuredClone(json) as { layers: { size: unknown }[] };
      if (manifest.layers[0] !== undefined) manifest.layers[0].size = size;
      return manifest;
    };
    await expect(pull(OLLAMA, registry)).rejects.toMatchObject({ code: "CHORALE_PULL_REGISTRY" });
  });

  test("names files that lead out of the store: they are no files of a model", async () => {
    files["../../evil.safetensors"] = Buffer.alloc(5000);
    files["/etc/evil.safetensors"] = Buffer.alloc(5000);
    files["a\\b.safetensors"] = Buffer.alloc(5000);
    const { model } = await pull(HF, await registryOf());
    expect(model.manifest.files.map(({ name }) => name)).toEqual([
      "LICENSE",
      "config.json",
      "model.safetensors",
    ]);
  });

  test("answers without an end, with what is no JSON, or with another model", async () => {
    const registry = await registryOf({
      repositories: { "a/llama": { files, architecture: "llama" } },
      images: { "library/llama:7b": { model: gguf, family: "llama" } },
    });
    await expect(pull("a/llama", registry)).rejects.toThrow(
      /the architecture "llama", which Chorale cannot run/,
    );
    await expect(pull("llama:7b", registry)).rejects.toThrow(/the architecture "llama"/);
    await expect(pull("a/none", registry)).rejects.toMatchObject({
      code: "CHORALE_PULL_NOT_FOUND",
    });
    await expect(pull("none:7b", registry)).rejects.toMatchObject({
      code: "CHORALE_PULL_NOT_FOUND",
    });
    registry.edit = () => "x".repeat(2 << 20);
    await expect(pull("llama:7b", registry)).rejects.toThrow(/sends more than 1048576 bytes/);
    registry.edit = () => [];
    await expect(pull("llama:7b", registry)).rejects.toThrow(/no manifest with a list of layers/);
    expect(registry.sentBytes).toBeLessThan(1000);
  });

  test("has weights that are none", async () => {
    files["model.safetensors"] = Buffer.alloc(9000, 7);
    await expect(pull(HF, await registryOf())).rejects.toThrow(CheckpointError);
  });
});

describe("a key", () => {
  test("reaches the registry, and no host that it redirects to", async () => {
    const repositories = { [HF]: { files, token: "hf_secret" } };
    const registry = await registryOf({ repositories });
    const network = await registryOf({ repositories: { [HF]: { files } } });
    registry.redirectTo = network.url;
    await expect(pull(HF, registry)).rejects.toThrow(/set HF_TOKEN to your key/);
    const { model } = await pull(HF, registry, { huggingFaceToken: "hf_secret" });
    openCheckpoint(model.path).close();
    expect(
      registry.requests.filter(({ authorization }) => authorization === "Bearer hf_secret").length,
    ).toBeGreaterThan(3);
    expect(network.requests.length).toBeGreaterThan(1);
    expect(network.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
    // Pieces go to where the first one was sent.
    const weights = registry.requests.filter(({ url }) => url.includes("model.safetensors"));
    expect(weights.length).toBeLessThanOrEqual(4);
  });

  test("is asked for where the hub shows a repository, but not its files", async () => {
    const registry = await registryOf();
    registry.fault = ({ range }) => (range ? { kind: "status", status: 403 } : undefined);
    await expect(pull(HF, registry)).rejects.toThrow(
      /accept them at http:\/\/\S+\/openai\/gpt-oss-20b and set HF_TOKEN/,
    );
  });

  test("of the hub does not reach a registry of the other layout", async () => {
    const registry = await registryOf();
    await pull(OLLAMA, registry, { huggingFaceToken: "hf_secret" });
    expect(registry.requests.filter(({ authorization }) => authorization !== undefined)).toEqual(
      [],
    );
  });
});

test("a disk that is too small is told before anything large is asked for", async () => {
  const registry = await registryOf();
  const small = store();
  small.freeBytes = () => gguf.byteLength;
  const error = await pull(OLLAMA, registry, { store: small }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: "CHORALE_PULL_DISK",
    message: expect.stringContaining("free"),
  });
  expect(registry.requests.filter(({ range }) => range !== undefined)).toEqual([]);
});

test("what is kept can be read by others and written by none", async () => {
  const { model } = await pull(OLLAMA, await registryOf());
  expect(statSync(store().blob(sha256(gguf))).mode & 0o777).toBe(0o444);
  expect(statSync(model.path).mode & 0o222).toBe(0o200);
});

test.each(["ftp://x", "http://user:pass@x", "https://x/?a=b", "x"])(
  "%s is no registry",
  async (endpoint) => {
    const registry = await registryOf();
    await expect(pull(OLLAMA, registry, { endpoint })).rejects.toMatchObject({
      code: "CHORALE_MODEL_NAME",
    });
  },
);
