/** The models of this machine behind the server: by name alone, and only what a request may change. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { machineSource } from "../../../runtime/server/models/machine-source.ts";
import { findByName } from "../../../runtime/server/models/model-source.ts";
import { makeRandomModel, TINY } from "../../fixtures/make-tiny-model.ts";
import { ModelRegistry } from "../../fixtures/model-registry.ts";
import { linesOf, type ServedModel, serve } from "./serve.ts";

let root = "";
let made = "";
let registry: ModelRegistry;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "chorale-served-"));
  made = join(root, "made");
  makeRandomModel(made, TINY, 3);
  const files = Object.fromEntries(
    readdirSync(made).map((name) => [name, readFileSync(join(made, name))]),
  );
  registry = await ModelRegistry.open({
    repositories: { "openai/gpt-oss-20b": { files, license: "apache-2.0" } },
  });
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

function serveMachine(home: string, model?: string): Promise<ServedModel> {
  const env = {
    HOME: root,
    CHORALE_HOME: join(root, home),
    OLLAMA_MODELS: join(root, "no-ollama"),
    HF_ENDPOINT: registry.url,
  };
  const source = machineSource({
    env,
    model,
    contextLength: null,
    open: () => Promise.reject(new Error("nothing is opened here")),
  });
  return serve([], { source });
}

const names = async (server: ServedModel): Promise<string[]> => {
  const { models } = (await (await server.get("/api/tags")).json()) as {
    models: { name: string }[];
  };
  return models.map(({ name }) => name);
};

test("a model is pulled, listed, copied and deleted by requests", async () => {
  await using server = await serveMachine("home");
  expect(await names(server)).toEqual(["chorale-demo"]);
  const lines = await linesOf(await server.post("/api/pull", { model: "openai/gpt-oss-20b" }));
  const told = lines.map(({ status }) => String(status));
  expect(told[0]).toBe("pulling manifest");
  expect(told.some((status) => /^pulling [0-9a-f]{12}$/.test(status))).toBe(true);
  expect(told.at(-1)).toBe("success");
  const received = lines.filter(({ digest }) => digest !== undefined);
  expect(received.at(-1)).toMatchObject({ digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  expect(await names(server)).toEqual(["chorale-demo", "openai/gpt-oss-20b"]);
  const shown = await server.post("/api/show", { model: "gpt-oss:20b" });
  expect(await shown.json()).toMatchObject({
    model_info: { "gptoss.embedding_length": 64 },
    details: { quantization_level: "MXFP4" },
  });
  const copied = await server.post("/api/copy", {
    source: "openai/gpt-oss-20b",
    destination: "mine",
  });
  expect([copied.status, await copied.text()]).toEqual([200, ""]);
  expect(await names(server)).toContain("mine:latest");
  const deleted = await server.post("/api/delete", { name: "mine" }, { method: "DELETE" });
  expect([deleted.status, await deleted.text()]).toEqual([200, ""]);
  expect(await names(server)).not.toContain("mine:latest");
});

test("what is not the store's stays, what is no name is refused, other registries are not asked", async () => {
  await using server = await serveMachine("other", made);
  expect(await names(server)).toEqual(["made"]);
  const status = async (path: string, body: object, method = "POST"): Promise<number> =>
    (await server.post(path, body, { method })).status;
  expect(await status("/api/delete", { name: "made" }, "DELETE")).toBe(400);
  expect(await status("/api/pull", { model: "made", stream: false })).toBe(200);
  expect(await status("/api/pull", { model: "../../etc/passwd" })).toBe(400);
  expect(await status("/api/pull", { model: "127.0.0.1:1/team/model" })).toBe(403);
  expect(await status("/api/copy", { source: "made", destination: "../x" })).toBe(404);
  const seen = registry.requests.length;
  expect(await status("/api/pull", { model: "evil.example/team/model" })).toBe(403);
  expect(registry.requests.length).toBe(seen);
});

test("a request cannot name a path: nothing is told of what lies there", async () => {
  await using server = await serveMachine("paths", made);
  for (const model of [made, "/etc/passwd", "./made", `${made}/config.json`, "~"]) {
    const shown = await server.post("/api/show", { model });
    expect(shown.status).toBe(404);
    expect(await shown.json()).toEqual({ error: `model '${model}' not found` });
    expect(
      (
        await server.post("/v1/chat/completions", {
          model,
          messages: [{ role: "user", content: "x" }],
        })
      ).status,
    ).toBe(404);
  }
});

test("a name means the model that is called so before one that is called alike", () => {
  const facts = (name: string): Parameters<typeof findByName>[0][number] =>
    ({ name, aliases: [] }) as never;
  const models = [facts("openai/gpt-oss-20b"), facts("gpt-oss:20b"), facts("mine:latest")];
  const found = (name: string): string | undefined => findByName(models, name)?.name;
  expect(found("gpt-oss:20b")).toBe("gpt-oss:20b");
  expect(found("OpenAI/GPT-OSS-20B")).toBe("openai/gpt-oss-20b");
  expect(found("gpt-oss-20b")).toBe("openai/gpt-oss-20b");
  expect(found("mine")).toBe("mine:latest");
  expect(found("other")).toBeUndefined();
});
