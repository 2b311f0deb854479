import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { eventLog, readGoldenCases } from "./golden.ts";

const folder = new URL("../golden/harmony/", import.meta.url);
const tokenizer = loadO200kHarmony();

for (const file of readdirSync(folder).filter((name) => name.endsWith(".md"))) {
  describe(file, () => {
    for (const golden of readGoldenCases(readFileSync(new URL(file, folder), "utf8"))) {
      it(golden.name, () => {
        const { options, input, events } = golden;
        expect(eventLog(tokenizer, options, [input])).toBe(events);
        expect(eventLog(tokenizer, options, input.split(""))).toBe(events);
        if (golden.textOnly) return;
        expect(eventLog(tokenizer, options, tokenizer.encodeWithSpecials(input))).toBe(events);
      });
    }
  });
}
