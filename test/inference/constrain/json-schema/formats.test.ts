import { describe, expect, test } from "vitest";
import { formatLanguage } from "../../../../inference/constrain/json-schema/formats.ts";
import { matches } from "../../../../inference/constrain/json-schema/language.ts";
import { createValidator } from "../../../../tools/index.ts";

/** Texts on both sides of the edges of all formats; each format is held against all of them. */
const TEXTS = [
  ...[
    "2024-02-29",
    "1900-02-29",
    "2000-02-29",
    "2026-11-31",
    "2026-1-1",
    "0000-02-29",
    "2026-13-01",
  ],
  ...[
    "06:40:00Z",
    "6:40",
    "23:59:59.123456789+23:59",
    "24:00:00Z",
    "23:59:60Z",
    "06:40:00",
    "06:40:00z",
  ],
  ...[
    "2026-05-01T06:40:00Z",
    "2026-05-01 06:40:00-0500",
    "2026-05-01T06:40:00",
    "2026-02-30T06:40:00Z",
  ],
  ...["P1Y", "P", "PT", "P1W", "P1Y2M3DT4H5M6S", "P1W1D", "PT1D", "P1DT"],
  ...[
    "2eb8aa08-aa98-11ea-b4aa-73b441d16380",
    "urn:uuid:2EB8AA08-AA98-11EA-B4AA-73B441D16380",
    "2eb8aa08",
  ],
  ...["a@b.co", "a@b", "a..b@c.de", "a.b@c-d.example", "joe bloggs@example.com", "é@b.co"],
  ...["example.com", "-a.example", "a-.example", "a".repeat(63), "a".repeat(64), "a.b.", "a_b"],
  ...["127.0.0.1", "256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5"],
  ...[
    "::",
    "::1",
    "1::",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1::2::3",
    "12345::",
  ],
  ...[
    "::1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5::1.2.3.4",
    "1:2:3:4:5:6:7",
  ],
  ...[
    "https://a.example/b?q=1#x",
    "http://[::1]:80/",
    "urn:x:y",
    "a b",
    "//a/b",
    "/a/b",
    "x:",
    "1x:y",
  ],
  ...["http://a.example/%zz", "http://a.example/%20", "mailto:a@b.co", "../a?b#c", "", "#", "?"],
  ...[
    "http://{host}/{+path}{?q*,r:3}",
    "{",
    "{}",
    "{a",
    "http://example.com/dictionary/{term:1}/{term}",
  ],
  ...["ftp://a.example:21/x", "http://a.b--c.example", "https://example.com"],
  ...["/a~1b/0", "/a~2", "a", "0#", "1/a", "01/a", "0", "#/a~0", "#/a%25", "#a"],
  ...["", "abcd", "abc=", "ab==", "abc", "a===", "ab=="],
];

const FORMATS =
  "date time date-time iso-time iso-date-time duration uuid email hostname ipv4 ipv6 uri uri-reference uri-template url json-pointer relative-json-pointer json-pointer-uri-fragment byte";

describe("formats", () => {
  test.each(FORMATS.split(" "))("%s has no text that the validator refuses", async (format) => {
    const validator = await createValidator({ jsonSchema: { type: "string", format } });
    const found = formatLanguage(format);
    if (found === undefined) throw new Error(`no language for ${format}`);
    const refused: string[] = [];
    for (const text of TEXTS) {
      const { action } = await validator.validateValue(text);
      const isValid = action === "accept";
      if (matches(found.language, text)) expect([text, isValid]).toEqual([text, true]);
      else if (isValid) refused.push(text);
    }
    // What is left out is said.
    if (refused.length > 0)
      expect([refused, found.narrower ?? "nothing"]).not.toEqual([refused, "nothing"]);
    expect(refused.length).toBeLessThan(3);
  });
});
