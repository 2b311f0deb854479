/**
 * The page in a real browser, against a real server. Each scenario is a conversation with what a person does; behind
 * each of them nothing foreign was asked for, no script of the model ran, and axe finds nothing serious.
 */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pageAssets } from "../../../../runtime/server/web/assets.ts";
import { pageCode } from "../../../../scripts/bundle.ts";
import { createBrowserTools, createPythonTool } from "../../../../tools/index.ts";
import type { Reply } from "../serve.ts";
import { chromiumPath, launchBrowser, seriousFindings } from "./browser.ts";
import { answer, call, type PageServer, pageServer, python, thought } from "./page-server.ts";

const SCREENSHOTS = fileURLToPath(new URL("./screenshots/", import.meta.url));
const ROOT = new URL("../../../../", import.meta.url);

type Hands = {
  readonly page: Page;
  readonly server: PageServer;
  /** Types a message and sends it. */
  readonly say: (text: string) => Promise<void>;
  /** Waits for the end of the turn that was begun last. */
  readonly done: () => Promise<void>;
  readonly button: (name: string | RegExp) => Locator;
};

type Scenario = {
  readonly name: string;
  readonly replies?: readonly Reply[];
  readonly options?: Parameters<typeof pageServer>[1];
  readonly context?: BrowserContextOptions;
  readonly act: (hands: Hands) => Promise<void>;
};

const HOSTILE = [
  "<script>globalThis.canary = 1</script>",
  '<img src=x onerror="globalThis.canary = 1">',
  '<svg onload="globalThis.canary = 1"><a href="javascript:globalThis.canary=1">x</a></svg>',
  '<iframe srcdoc="<script>parent.canary=1</script>"></iframe>',
  "<style>* { display: none }</style><base href=https://evil.example>",
  '<form action="https://evil.example"><button>go</button></form>',
  '"><meta http-equiv="refresh" content="0;url=https://evil.example">',
].join("\n\n");
const LINKS =
  "[one](javascript:globalThis.canary=1) [two](JaVaScRiPt:globalThis.canary=1) [three](data:text/html,<script>canary=1</script>) " +
  "[four](vbscript:x) [five](//evil.example/x) [six](https://user@good.example@evil.example/) [fine](https://example.com/page) " +
  "![picture](https://evil.example/pixel.png) <https://example.org/auto>";
/** A picture of one pixel, as a library would write it. */
const PLOT = `import base64
with open("/outputs/plot.png", "wb") as file:
    file.write(base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="))
print("drawn")`;
const schema = JSON.stringify({
  type: "object",
  properties: { city: { type: "string" }, sights: { type: "array", items: { type: "string" } } },
  required: ["city", "sights"],
});

const scenarios: readonly Scenario[] = [
  {
    name: "an answer is shown and told to those who do not see it",
    replies: [answer("Two and three are **five**.")],
    act: async ({ page, say, done }) => {
      await say("What is 2 + 3?");
      await done();
      expect(await page.locator(".answer strong").textContent()).toBe("five");
      expect(await page.getByRole("status").textContent()).toBe("The answer is complete");
      await page.locator("nav li a", { hasText: "What is 2 + 3?" }).waitFor();
    },
  },
  {
    name: "reasoning is folded, and opens",
    replies: [thought("Secretly I count my fingers.") + answer("Five.")],
    act: async ({ page, say, done }) => {
      await say("How many?");
      await done();
      const thoughts = page.getByText("Secretly I count");
      expect(await thoughts.isVisible()).toBe(false);
      await page.locator(".reasoning summary").click();
      expect(await thoughts.isVisible()).toBe(true);
    },
  },
  {
    name: "Markdown and code",
    replies: [
      answer(
        "# Head\n\n1. one\n2. two\n\n> said\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\ndef f(x): # why\n    return 'text'\n```\n",
      ),
    ],
    act: async ({ page, say, done }) => {
      await say("Show me");
      await done();
      expect(await page.locator(".answer h3").textContent()).toBe("Head");
      expect(await page.locator(".answer ol li").count()).toBe(2);
      expect(await page.locator(".answer td").allTextContents()).toEqual(["1", "2"]);
      expect(await page.locator(".code-keyword").first().textContent()).toBe("def");
      expect(await page.locator(".code-comment").textContent()).toBe("# why");
      expect(await page.locator(".code code").textContent()).toContain("return 'text'");
    },
  },
  {
    name: "markup of the model is text",
    replies: [thought(HOSTILE) + answer(HOSTILE)],
    act: async ({ page, say, done }) => {
      await say(HOSTILE);
      await done();
      await page.locator(".reasoning summary").click();
      expect(
        await page
          .locator(".turn script, .turn iframe, .turn svg, .turn form, .turn style")
          .count(),
      ).toBe(0);
      expect(await page.locator(".turn img").count()).toBe(0);
      expect(await page.locator(".answer").textContent()).toContain(
        "<script>globalThis.canary = 1</script>",
      );
    },
  },
  {
    name: "links lead to http and https alone and say where",
    replies: [answer(LINKS)],
    act: async ({ page, say, done }) => {
      await say("Links");
      await done();
      const links = page.locator(".turn a");
      const addresses = await links.evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      expect(addresses).toEqual([
        "https://example.com/page",
        "https://evil.example/pixel.png",
        "https://example.org/auto",
      ]);
      for (const link of await links.all()) {
        expect(await link.getAttribute("rel")).toContain("noopener");
        expect(await link.getAttribute("target")).toBe("_blank");
      }
      await page.locator(".no-link").first().click();
      expect(await page.locator(".answer").textContent()).toContain("fine (example.com)");
      expect(await page.locator(".turn img").count()).toBe(0);
    },
  },
  {
    name: "directions and control characters are shown",
    replies: [answer("run \u202egnp.exe\u202c now, \u2066hidden\u2069 \u001b[31mred \u200bzero")],
    act: async ({ page, say, done }) => {
      await say("שלום, what is \u202ethis");
      await done();
      const text = (await page.locator(".answer").textContent()) ?? "";
      expect(text).toContain("<U+202E>gnp.exe");
      expect(text).toContain("␛[31mred <U+200B>zero");
      expect(await page.locator(".question").textContent()).toContain("<U+202E>this");
      const bidi = await page
        .locator(".question")
        .evaluate((element) => [
          getComputedStyle(element).unicodeBidi,
          getComputedStyle(element).direction,
        ]);
      expect(bidi).toEqual(["isolate", "rtl"]);
    },
  },
  {
    name: "a huge answer leaves the page usable",
    replies: [answer(`${"word ".repeat(60_000)}the end`)],
    options: { modelContext: 131_072 },
    act: async ({ page, say, done }) => {
      await say("Much, please");
      await done();
      expect(await page.locator(".answer").textContent()).toContain("the end");
      await page.getByLabel("Message", { exact: true }).fill("still here");
    },
  },
  {
    name: "a tool with its arguments and its result",
    replies: [call("weather", { city: "Oslo" }), answer("Clear.")],
    act: async ({ page, say, done }) => {
      await say("Weather?");
      await done();
      await page.locator(".call summary", { hasText: "weather" }).first().click();
      await page.locator(".call .json-name", { hasText: "city" }).first().waitFor();
      expect(await page.getByRole("region", { name: "Result" }).textContent()).toContain("clear");
      expect(await page.locator(".call .status").first().textContent()).toBe("done");
    },
  },
  {
    name: "the output of a tool is shown while it works, its escapes as text",
    replies: [call("wait", {}), answer("Waited.")],
    act: async ({ page, server, say, done }) => {
      await say("Wait");
      await page.getByText("1 of 3: waiting").waitFor();
      expect(await page.locator(".live pre").textContent()).toContain("␛[31mfirst line");
      expect(await page.locator(".call .status").textContent()).toBe("at work");
      server.open();
      await done();
      await page.locator(".call summary").first().click();
      const result = await page.getByRole("region", { name: "Result" }).textContent();
      expect(result).toContain("␛[31mred");
      expect(result).toContain("<U+202E>gnp.exe");
    },
  },
  {
    name: "a tool that fails",
    replies: [call("fail", {}), answer("It failed.")],
    act: async ({ page, say, done }) => {
      await say("Try");
      await done();
      expect(await page.locator(".call .status").textContent()).toBe("failed");
      await page.getByText("No such city.").first().waitFor({ state: "attached" });
    },
  },
  {
    name: "Python and its plot",
    replies: [python(PLOT), answer("A plot.")],
    options: { tools: (artifactFolder) => [createPythonTool({ artifactFolder })] },
    act: async ({ page, say, done }) => {
      await say("Plot");
      await done();
      const picture = page.getByRole("img", { name: "plot.png" });
      await picture.waitFor();
      expect(await picture.getAttribute("src")).toMatch(/^blob:/);
      expect(await picture.evaluate((img) => (img as HTMLImageElement).naturalWidth)).toBe(1);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save" }).click(),
      ]);
      expect(download.suggestedFilename()).toBe("plot.png");
    },
  },
  {
    name: "a call is allowed",
    replies: [call("send_mail", { city: "Oslo" }), answer("Sent.")],
    act: async ({ page, say, done, button }) => {
      await say("Mail");
      await page.getByRole("group", { name: "May send_mail run?" }).waitFor();
      expect(await page.getByRole("status").textContent()).toContain("May send_mail run?");
      await button("Allow").click();
      await done();
      await page.getByText("Allowed by user").waitFor();
      expect(await page.locator(".answer").textContent()).toContain("Sent.");
    },
  },
  {
    name: "a call is not allowed",
    replies: [call("send_mail", { city: "Oslo" }), answer("Not sent.")],
    act: async ({ page, say, done, button }) => {
      await say("Mail");
      await button("Do not allow").click();
      await done();
      expect(await page.locator(".call .status").textContent()).toBe("not allowed");
    },
  },
  {
    name: "a call is allowed with the keyboard, for the whole conversation",
    replies: [call("send_mail", {}), call("send_mail", {}), answer("Sent twice.")],
    act: async ({ page, say, done, button }) => {
      await say("Mail");
      await button("Allow in this conversation").focus();
      await page.keyboard.press("Enter");
      await done();
      expect(await page.locator(".call").count()).toBe(2);
      expect(await page.locator(".answer").textContent()).toContain("Sent twice.");
    },
  },
  {
    name: "a structured answer is a tree",
    replies: [answer('{"city":"Oslo","sights":["<b>Opera</b>","Fjord"]}')],
    act: async ({ page, say, done, button }) => {
      await page.getByText("Structured answer").click();
      await page.getByLabel("JSON Schema").fill(schema);
      await say("A city");
      await done();
      expect(await page.locator(".answer .json-name").allTextContents()).toEqual([
        "city: ",
        "sights: ",
        "0: ",
        "1: ",
      ]);
      expect(await page.locator(".answer .json-string").allTextContents()).toEqual([
        "Oslo",
        "<b>Opera</b>",
        "Fjord",
      ]);
      await button("As text").click();
      await button("As a tree").waitFor();
    },
  },
  {
    name: "a schema that cannot be read is said so",
    act: async ({ page, say }) => {
      await page.getByText("Structured answer").click();
      await page.getByLabel("JSON Schema").fill("{ nonsense");
      await say("A city");
      expect(await page.getByRole("alert").textContent()).toContain("The schema is no JSON");
      // What could not be sent is back in its field.
      const field = page.getByLabel("Message", { exact: true });
      await expect.poll(() => field.inputValue()).toBe("A city");
    },
  },
  {
    name: "citations show their lines to mouse and keyboard",
    replies: [
      '<|channel|>analysis to=browser.open code<|message|>{"id":"visit/opening-hours.html"}<|call|>',
      answer("Open from 11【0†L6】, and more【9†L1】."),
    ],
    act: async ({ page, say, done, button }) => {
      await say("When?");
      await done();
      const mark = button("Source 1");
      const source = page.locator(".source").first();
      expect(await source.isVisible()).toBe(false);
      await mark.hover();
      expect(await source.isVisible()).toBe(true);
      expect(await source.textContent()).toContain("Opening hours");
      expect(await source.textContent()).toContain("line 6");
      await page.mouse.move(0, 0);
      await page.getByRole("button", { name: /Source 2, which does not hold/ }).focus();
      expect(await page.locator(".source").nth(1).isVisible()).toBe(true);
    },
  },
  {
    name: "effort and tools are the model's",
    replies: [answer("Fine.")],
    act: async ({ page, server, say, done }) => {
      await page.getByLabel("Effort").selectOption("high");
      await page.getByText(/^Tools: 5 of 5/).click();
      await page.getByLabel(/^weather/).uncheck();
      await say("Hm");
      await done();
      expect(server.prompts()[0]).toContain("Reasoning: high");
      expect(server.prompts()[0]).toContain("type send_mail");
      expect(server.prompts()[0]).not.toContain("type weather");
    },
  },
  {
    name: "model, memory and tokens are shown",
    replies: [answer("Fine.")],
    act: async ({ page, say, done }) => {
      await say("Hm");
      await done();
      expect(await page.locator(".turn footer").textContent()).toMatch(
        /\d+ read \(\d+ cached\), \d+ written/,
      );
      await page.getByText(/loaded, context 16384; the server uses/).waitFor();
      expect(await page.getByLabel("Model").inputValue()).toBe("gpt-oss:20b");
    },
  },
  {
    name: "Escape stops the model, and the turn says so",
    replies: [call("wait", {}), answer("Never.")],
    act: async ({ page, say, done }) => {
      await say("Wait");
      await page.getByText("1 of 3: waiting").waitFor();
      await page.keyboard.press("Escape");
      await done();
      expect(await page.locator(".turn footer").textContent()).toContain("cancelled");
      expect(await page.locator(".call .status").textContent()).toBe("stopped");
    },
  },
  {
    name: "what is said meanwhile is read in the next step",
    replies: [call("wait", {}), answer("Both.")],
    act: async ({ page, server, say, done, button }) => {
      await say("Wait");
      await page.getByText("1 of 3: waiting").waitFor();
      await page.getByLabel("Say something more to the model").fill("and in French");
      await button("Add").click();
      await page.getByRole("status").filter({ hasText: "Sent" }).waitFor();
      server.open();
      await done();
      expect(server.prompts()[1]).toContain("and in French");
      await page.locator(".note", { hasText: "and in French" }).waitFor();
    },
  },
  {
    name: "conversations are listed and found",
    replies: [answer("Blue whales are large."), answer("Bread is baked.")],
    act: async ({ page, say, done, button }) => {
      await say("Animals?");
      await done();
      await button("New conversation").click();
      await page.getByText("What is it about?").waitFor();
      await say("Food?");
      await done();
      await page.locator("nav li").nth(1).waitFor();
      await page.getByRole("searchbox").fill("whales");
      await page.locator("nav .excerpt").waitFor();
      expect(await page.locator("nav li").count()).toBe(1);
      await page.locator("nav li a").click();
      await page.locator(".answer", { hasText: "Blue whales" }).waitFor();
    },
  },
  {
    name: "a page that is loaded again goes on with the run that is at work",
    replies: [call("wait", {}), answer("Still here.")],
    act: async ({ page, server, say, done }) => {
      await say("Wait");
      await page.getByText("1 of 3: waiting").waitFor();
      await page.reload();
      await page.getByText("1 of 3: waiting").waitFor();
      server.open();
      await done();
      expect(await page.locator(".answer").textContent()).toContain("Still here.");
      expect(await page.locator(".turn").count()).toBe(1);
    },
  },
  {
    name: "a turn that was interrupted goes on",
    replies: [call("weather", { city: "Oslo" }), answer("Never kept."), answer("Went on.")],
    act: async ({ page, server, say, done, button }) => {
      await say("Weather?");
      await done();
      const [known] = await server.threads.list();
      const entries = await server.threads.read(known?.threadId ?? "");
      // As a process leaves it that was killed behind the call.
      const kept = entries.slice(0, entries.findIndex(({ type }) => type === "result") + 1);
      const open = kept.map((entry) =>
        entry.type === "thread" ? { ...entry, threadId: "thread_open" } : entry,
      );
      await server.threads.append("thread_open", ...open);
      await page.goto(`${server.url}/#thread_open`);
      await button("Go on with it").click();
      await done();
      await page.locator(".answer", { hasText: "Went on." }).waitFor();
      expect(await page.locator(".turn").count()).toBe(1);
    },
  },
  {
    name: "a conversation is copied from a turn on, and goes its own way",
    replies: [answer("One."), answer("Two."), answer("Another two.")],
    act: async ({ page, server, say, done, button }) => {
      await say("First");
      await done();
      await say("Second");
      await done();
      await button(/Fork here.*behind turn 1/).click();
      await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
      await page.locator(".turn").nth(1).waitFor({ state: "detached" });
      await say("Other second");
      await done();
      expect(await page.locator(".question").allTextContents()).toEqual(["First", "Other second"]);
      expect((await server.threads.list()).map(({ turns }) => turns).sort()).toEqual([2, 2]);
    },
  },
  {
    name: "a conversation is exported",
    replies: [answer("Here.")],
    act: async ({ page, say, done, button }) => {
      await say("Where?");
      await done();
      await page.getByText("Export").click();
      for (const [name, ending] of [
        ["Markdown", /\.md$/],
        ["Log (JSON Lines)", /\.jsonl$/],
        ["Harmony", /\.harmony$/],
      ] as const) {
        const [download] = await Promise.all([page.waitForEvent("download"), button(name).click()]);
        expect(download.suggestedFilename()).toMatch(ending);
      }
    },
  },
  {
    name: "a conversation is renamed",
    replies: [answer("Fine.")],
    act: async ({ page, say, done, button }) => {
      await say("Old name");
      await done();
      await button("Rename Old name").click();
      await page.waitForFunction(() => document.activeElement?.ariaLabel === "Title");
      await page.keyboard.type("<b>New</b> name");
      await page.keyboard.press("Enter");
      await page.locator("nav li a bdi", { hasText: "<b>New</b> name" }).waitFor();
      await page.getByRole("searchbox").fill("new");
      await page.locator("nav .excerpt").waitFor();
    },
  },
  {
    name: "a conversation is removed, after a question",
    replies: [answer("Gone soon.")],
    act: async ({ page, server, say, done, button }) => {
      await say("Remove me");
      await done();
      await button("Remove Remove me").click();
      await button("Remove Remove me for good").click();
      await page.getByText("There are none yet.").waitFor();
      expect(await server.threads.list()).toEqual([]);
      await page.getByText("What is it about?").waitFor();
    },
  },
  {
    name: "the trace of a run, down to token ids",
    replies: [thought("Hm.") + call("weather", { city: "Oslo" }), answer("Clear.")],
    act: async ({ page, say, done, button }) => {
      await say("Weather?");
      await done();
      await button("Trace").click();
      const rows = page.locator(".timeline tbody tr");
      await rows.nth(2).waitFor();
      expect(await rows.count()).toBe(3);
      expect(await rows.nth(1).textContent()).toContain("weather");
      await page.getByText(/messages, down to their tokens/).click();
      const final = page.locator(".trace-message", { hasText: "assistant · final" });
      await final.locator("summary").click();
      await final.getByRole("button", { name: "Tokens" }).click();
      await final.locator(".tokens li").first().waitFor();
      expect(await final.locator(".tokens small").allTextContents()).toContain("200005");
      await button("Trace").click();
      await page.locator(".answer").waitFor();
    },
  },
  {
    name: "a telephone",
    replies: [
      answer(
        `${"wide".repeat(60)}\n\n| ${"column | ".repeat(9)}\n|${"---|".repeat(9)}\n\n\`\`\`\n${"x".repeat(300)}\n\`\`\``,
      ),
    ],
    context: { viewport: { width: 320, height: 640 }, hasTouch: true },
    act: async ({ page, say, done, button }) => {
      await say("Wide");
      await done();
      const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0);
      expect(await page.getByRole("navigation").isVisible()).toBe(false);
      await button("Conversations").click();
      await page.getByRole("navigation").waitFor();
      expect(await button("Conversations").getAttribute("aria-expanded")).toBe("true");
    },
  },
  {
    name: "dark",
    replies: [
      thought("Hm.") + call("weather", { city: "Oslo" }),
      answer("```js\nconst a = 'b'; // c\n```\n[x](https://example.com/)"),
    ],
    context: { colorScheme: "dark" },
    act: async ({ page, say, done }) => {
      await say("Dark?");
      await done();
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(ground).toBe("rgb(20, 24, 29)");
    },
  },
  {
    name: "the keyboard alone",
    replies: [answer("Typed.")],
    act: async ({ page, done }) => {
      await page.keyboard.press("Tab");
      expect(await page.evaluate(() => document.activeElement?.className)).toBe("skip");
      await page.keyboard.press("Enter");
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("message");
      await page.keyboard.type("By hand");
      await page.keyboard.press("Enter");
      await done();
      await page.keyboard.press("Alt+KeyK");
      await page.waitForFunction(() => document.activeElement?.id === "search");
      await page.keyboard.press("Alt+KeyT");
      await page.getByRole("heading", { name: "Trace" }).waitFor();
      await page.keyboard.press("Alt+KeyN");
      await page.getByText("What is it about?").waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("message");
    },
  },
  {
    name: "an engine that breaks is said so",
    replies: [new Error("<img src=x onerror=canary=1> the weights are gone")],
    act: async ({ page, say, button }) => {
      await say("Anyone?");
      await page.locator(".turn .problem").waitFor();
      expect(await page.locator(".turn img").count()).toBe(0);
      expect(await button("Send").isVisible()).toBe(true);
    },
  },
  {
    name: "a server with a key asks for it",
    replies: [answer("Welcome.")],
    options: { keys: ["secret-key"] },
    act: async ({ page, say, done, button }) => {
      await page.getByRole("heading", { name: "This server asks for a key" }).waitFor();
      await page.getByLabel("Key").fill("secret-key");
      await button("Use it").click();
      await say("Hello");
      await done();
      expect(await page.locator(".answer").textContent()).toContain("Welcome.");
    },
  },
];

const missing = chromiumPath === undefined;
if (missing)
  console.warn(
    "The page is not tried in a browser: there is no chromium (apt-get install chromium).",
  );

describe.skipIf(missing)("in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  test.each(scenarios.map((scenario, at) => ({ ...scenario, number: at + 1 })))(
    "$name",
    async ({ name, number, replies = [], options, context, act }) => {
      const tools = name.startsWith("citations")
        ? await createBrowserTools({ docs: fileURLToPath(new URL("test/fixtures/docs", ROOT)) })
        : null;
      await using server = await pageServer(replies, {
        ...options,
        ...(tools !== null && { tools: tools.tools }),
      });
      const session = await browser.newContext({ acceptDownloads: true, ...context });
      session.setDefaultTimeout(20_000);
      try {
        const page = await session.newPage();
        const asked: string[] = [];
        const problems: string[] = [];
        page.on("request", (request) => asked.push(request.url()));
        page.on("pageerror", (error) => problems.push(String(error)));
        page.on("console", (message) => {
          if (/Content Security Policy|Refused to/i.test(message.text()))
            problems.push(message.text());
        });
        await page.goto(`${server.url}/`);
        const field = page.locator("#message");
        /** Turns before what was said last. */
        let turns = 0;
        await act({
          page,
          server,
          say: async (text) => {
            turns = await page.locator(".turn").count();
            await field.fill(text);
            await field.press("Enter");
          },
          done: async () => {
            await page.locator(".turn").nth(turns).locator("footer").waitFor();
          },
          button: (name) =>
            page
              .getByRole("button", { name, ...(typeof name === "string" && { exact: true }) })
              .first(),
        });
        await page.screenshot({ path: `${SCREENSHOTS}${String(number).padStart(2, "0")}.png` });
        expect(await seriousFindings(page)).toEqual([]);
        expect(await page.evaluate(() => Object.hasOwn(globalThis, "canary"))).toBe(false);
        expect(problems).toEqual([]);
        const foreign = asked.filter(
          (url) => !url.startsWith(server.url) && !/^(?:blob|data):/.test(url),
        );
        expect(foreign).toEqual([]);
        expect(session.pages()).toHaveLength(1);
      } finally {
        await session.close();
        await tools?.close();
      }
    },
  );
});

test("the page is small", async () => {
  const { code } = await pageCode(fileURLToPath(new URL("runtime/server/web/page/main.ts", ROOT)));
  const others = ["/", "/page/style.css"].map(
    (path) => pageAssets().get(path)?.gzipped.length ?? Number.NaN,
  );
  const bytes = others.reduce((sum, size) => sum + size, gzipSync(code, { level: 9 }).length);
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThanOrEqual(150_000);
});
