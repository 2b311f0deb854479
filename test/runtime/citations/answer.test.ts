/** An answer with everything that models write: bold labels, lists, a table, other writings, counts and ages. */
import { expect, test } from "vitest";
import { resolveCitations } from "../../../runtime/citations/resolve.ts";
import { verifyCitations } from "../../../runtime/citations/verify/verify.ts";
import { madeSources } from "./sources.ts";

const sources = madeSources([
  {
    url: "visit/opening-hours.html",
    title: "Opening hours",
    lines: [
      "# Opening hours",
      "Summer (May to September)",
      "Every day from 10:00 to 18:30",
      "Winter (October to April)",
      "Thursday to Sunday from 11:00 to 16:00",
      "> Last entry is 45 minutes before closing.",
    ],
  },
  {
    url: "https://example.org/pump",
    title: "Pump 24 – release notes",
    lines: [
      "Pump 24.0.0 was released on May 6, 2025. It upgrades the motor to version 13.6 and",
      "the valve to version 11. The flag changes from",
      "--experimental-lock to --lock. Pump 18 reached end-of-life on April 30, 2025.",
      "Rotor 7 brings better flow: up to 2.5x more water in tests of 1,000 litres.",
    ],
  },
  {
    url: "https://example.org/people/maria-lind",
    title: "Maria Lind",
    lines: [
      "Maria Lind-Öberg (7 November 1867 – 4 July 1934) was a Polish and naturalised-French",
      "physicist. She shared the 1903 Harbour Prize in Physics with her husband Per Lind, and",
      "won the 1911 Harbour Prize in Chemistry for finding lindium and obergium.",
    ],
  },
]);

const answer = `**Opening hours**

- **Summer (May–September):** every day, 10:00–18:30【0†L1-L2】
- **Winter (Oct–Apr):** Thursday–Sunday, 11 am – 4 pm【0†L3-L4】

> **Note:** Last entry is 45 min before closing【0†L5】.

In short, you have 8.5 hours a day in summer【0†L2】.

## The pump

1. Pump 24 came out on 6 May 2025 and has valve 11【1†L0-L1】.
2. \`--lock\` replaces \`--experimental-lock\`【1†L1-L2】.
3. Pump 18 reached its end of life in May 2025【1†L2】.
4. With Rotor 7 it moves up to 2.5× as much water【1†L3】.

| Part | Version | Source |
|---|---|---|
| Motor | 13.6 | 【1†L0】 |
| Valve | v12 | 【1†L1】 |

Maria Lind was born on November 7, 1867 and died aged 66 on July 4, 1934【2†L0】. She won two prizes, in 1903
(Physics) and 1911 (Chemistry)【2†L1-L2】. The Polish-born woman shared the first one with Per Lind【2†L0-L1】.
However, Otto Berg won in 1921【2†L1】. Lind's husband Per had one too【2†L1】.`;

test("an answer is understood as models write them", () => {
  const { annotations } = verifyCitations(answer, resolveCitations(answer, sources), sources);
  const found = annotations.map((each) =>
    each.type === "broken_citation"
      ? each.reason
      : [each.support, ...(each.missing ?? [])].join(" "),
  );
  expect(found).toEqual([
    "supported",
    "supported",
    "supported",
    "computed 8.5 hours",
    "supported",
    "supported",
    "unsupported May 2025",
    "supported",
    "supported",
    "unsupported v12",
    "computed 66",
    "computed two",
    "supported",
    "unsupported Otto Berg 1921",
    "supported",
  ]);
});
