import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type GenerationDefaults,
  readGenerationDefaults,
} from "../../inference/checkpoint/generation-config.ts";

function defaultsOf(content: string): GenerationDefaults {
  const folder = mkdtempSync(join(tmpdir(), "chorale-generation-"));
  try {
    const path = join(folder, "generation_config.json");
    writeFileSync(path, content);
    return readGenerationDefaults(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("no file says nothing", () => {
  expect(readGenerationDefaults(undefined)).toEqual({
    temperature: undefined,
    topP: undefined,
  });
});

test("the published form", () => {
  const json = { bos_token_id: 199998, do_sample: true, eos_token_id: [200002, 199999] };
  expect(defaultsOf(JSON.stringify(json))).toEqual({
    temperature: undefined,
    topP: undefined,
  });
  expect(defaultsOf('{"temperature": 0.5, "top_p": 0.9, "eos_token_id": 7}')).toEqual({
    temperature: 0.5,
    topP: 0.9,
  });
});

test("cuts and penalties, where they are said", () => {
  expect(defaultsOf('{"top_k": 50, "min_p": 0.1, "repetition_penalty": 1.1}')).toMatchObject({
    topK: 50,
    minP: 0.1,
    repetitionPenalty: 1.1,
  });
  expect(defaultsOf('{"repetition_penalty": 0}').repetitionPenalty).toBeUndefined();
});

test("do_sample false is temperature 0, whatever stands beside it", () => {
  expect(defaultsOf('{"do_sample": false, "temperature": 1}').temperature).toBe(0);
});

test.each([
  ['{"temperature": "hot"}', /temperature is not a number/],
  ['{"temperature": -1}', /temperature is not a number/],
  ['{"top_p": 2}', /top_p is not a number 0 … 1/],
  ["[", /it is not JSON/],
  ["null", /not a JSON object/],
])("%s is refused", (content, message) => {
  expect(() => defaultsOf(content)).toThrow(message);
});
