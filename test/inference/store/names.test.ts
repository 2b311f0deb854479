import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelStoreError } from "../../../inference/errors.ts";
import {
  isSameModel,
  manifestParts,
  modelNameText,
  parseModelName,
  readModelName,
} from "../../../inference/store/names.ts";

describe("what a person writes", () => {
  const spellings: readonly [string, string, string][] = [
    ["gpt-oss:20b", "registry.ollama.ai/library/gpt-oss/20b.json", "gpt-oss:20b"],
    ["gpt-oss", "registry.ollama.ai/library/gpt-oss/latest.json", "gpt-oss:latest"],
    ["GPT-OSS:20B", "registry.ollama.ai/library/gpt-oss/20b.json", "GPT-OSS:20B"],
    [
      "ollama.com/library/gpt-oss:20b",
      "registry.ollama.ai/library/gpt-oss/20b.json",
      "gpt-oss:20b",
    ],
    ["ollama.com/me/own:q4", "registry.ollama.ai/me/own/q4.json", "ollama.com/me/own:q4"],
    [
      "localhost:5000/team/own",
      "localhost+5000/team/own/latest.json",
      "localhost:5000/team/own:latest",
    ],
    ["gpt-oss-20b", "huggingface.co/openai/gpt-oss-20b/main.json", "openai/gpt-oss-20b"],
    ["openai/gpt-oss-20b", "huggingface.co/openai/gpt-oss-20b/main.json", "openai/gpt-oss-20b"],
    [
      "hf.co/openai/gpt-oss-20b",
      "huggingface.co/openai/gpt-oss-20b/main.json",
      "openai/gpt-oss-20b",
    ],
    [
      "https://huggingface.co/openai/gpt-oss-20b/tree/v2",
      "huggingface.co/openai/gpt-oss-20b/v2.json",
      "openai/gpt-oss-20b@v2",
    ],
    [
      "hf.co/unsloth/gpt-oss-20b-GGUF:Q4_K_M",
      "huggingface.co/unsloth/gpt-oss-20b-gguf/main+q4_k_m.json",
      "unsloth/gpt-oss-20b-GGUF:Q4_K_M",
    ],
    ["a/b:F16@v1", "huggingface.co/a/b/v1+f16.json", "a/b:F16@v1"],
  ];
  test.each(spellings)("%s", (text, path, full) => {
    const name = parseModelName(text);
    expect(manifestParts(name).join("/")).toBe(path);
    expect(modelNameText(name)).toBe(full);
    expect(isSameModel(parseModelName(full), name)).toBe(true);
  });
});

describe("what is no name", () => {
  const refused = [
    "",
    ".",
    "..",
    "../x",
    "a/..",
    "../../etc/passwd:x",
    "gpt-oss:../../x",
    "gpt-oss:",
    "gpt-oss:20b:x",
    "a/b@",
    "a/b@x@y",
    "a/b:c:d",
    "a//b",
    "/a/b",
    "a/b/",
    "http://huggingface.co/a/b",
    "ftp://x/a/b",
    "host:99999999/a/b",
    "user@host/a/b:c",
    "a/b/c/d",
    "gpt oss",
    "gpt-oss\0",
    "gpt-oss\n",
    "gpt-oss?x=1",
    "gpt-oss%2e%2e",
    "-rf",
    "é",
    `${"a".repeat(200)}`,
    `a/${"b".repeat(600)}`,
  ];
  test.each(refused)("%j", (text) => {
    expect(() => parseModelName(text)).toThrow(ModelStoreError);
  });
});

test("no text leads out of the store, and every name is read back as itself", () => {
  const part = fc.string({
    unit: fc.constantFrom(..."aZ0_.-:/@+\\%\0 é~".split("")),
    maxLength: 12,
  });
  const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(text, (written) => {
      const name = readModelName(written);
      if (name === undefined) return;
      for (const one of manifestParts(name)) {
        expect(one).toMatch(/^[a-z0-9_][a-z0-9_.+-]*$/);
        expect(one).not.toMatch(/^\.\.?$/);
      }
      const again = parseModelName(modelNameText(name));
      expect(isSameModel(again, name)).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
