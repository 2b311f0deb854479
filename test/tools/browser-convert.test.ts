/** What documents of the web do that files seldom do: looks, character sets, types that servers get wrong. */
import { describe, expect, it } from "vitest";
import { extractPage } from "../../tools/browser/convert/extract.ts";
import { disarmCitations } from "../../tools/browser/text/clean-text.ts";

async function textOf(
  bytes: Uint8Array | string,
  contentType?: string,
  url = "https://sea.example/page",
): Promise<string> {
  const source = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  const { text } = await extractPage({ url, bytes: source, ...(contentType && { contentType }) });
  return text.replace(/^\nURL: .*\n/, "");
}

describe("what a reader sees", () => {
  it.each([
    ["white letters on a dark page", '<body bgcolor="black"><font color="white">Seen</font>'],
    [
      "on a page that a style sheet darkens",
      "<style>body{background:#000}</style><p style='color:#fff'>Seen",
    ],
    [
      "on a picture",
      "<div style='background-image:url(x.png)'><b style='color:#fff'>Seen</b></div>",
    ],
    [
      "in a part that a foreign style sheet may darken",
      "<link rel=stylesheet href=x.css><div class=hero><h1 style='color:#fff'>Seen</h1></div>",
    ],
    [
      "letters of their own in a wrapper without size",
      "<style>.row{font-size:0}</style><div class=row><b>Seen</b></div>",
    ],
    ["what is faded in", "<style>.fade{opacity:0;transition:opacity 1s}</style><p class=fade>Seen"],
    ["a panel that a control names", "<button aria-controls=a>x</button><p id=a hidden>Seen"],
    [
      "a state that another rule shows",
      "<style>.tab{display:none}.tab.on{display:block}</style><p class=tab>Seen",
    ],
    [
      "text for screen readers",
      "<style>.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip:rect(0 0 0 0)}</style><p class=sr>Seen",
    ],
  ])("%s", async (_, html) => {
    expect(await textOf(`<!doctype html><html>${html}`, "text/html")).toContain("Seen");
  });

  it.each([
    ["letters in the colour of the page", "<p style='color:#fefefe'>Not"],
    ["of its own ground", "<p style='color:#123456;background:rgb(18,52,86)'>Not"],
    ["of a dark page", "<body bgcolor=black><font color='#000'>Not</font>"],
    ["letters without size, by a rule", "<style>.a{font-size:0}</style><p class=a>Not"],
    [
      "outside of the screen, by a rule",
      "<style>.a{position:absolute;left:-9999px}</style><p class=a>Not",
    ],
    ["without height", "<div style='height:0;overflow:hidden'>Not</div>"],
    ["without opacity, by a rule", "<style>#a{opacity:0}</style><p id=a>Not"],
    ["many small parts, on a page with little else", "<p hidden>Not</p>".repeat(200)],
  ])("not %s", async (_, html) => {
    const page = await extractPage({
      url: "https://sea.example/page",
      bytes: Buffer.from(`<!doctype html><html><p>Plain.</p>${html}`),
      contentType: "text/html",
    });
    expect(page.text).toContain("Plain.");
    expect(page.text).not.toContain("Not");
    expect(page.hiddenCharacters).toBeGreaterThan(0);
  });
});

describe("character sets", () => {
  const cafe = (label: string): Buffer =>
    Buffer.from(`<!doctype html>${label}<p>Caf\u00e9 \u2013 na\u00efve`, "utf8");

  it.each([
    ["by the transport", "<p>Caf\xe9</p>", "text/html; charset=iso-8859-1", "Caf\u00e9"],
    [
      "by the document",
      '<meta charset="windows-1251"><p>\xcc\xee\xf0\xe5</p>',
      "text/html",
      "\u041c\u043e\u0440\u0435",
    ],
    [
      "by XML",
      '<?xml version="1.0" encoding="koi8-r"?><html><body><p>\xed\xcf\xd2\xc5</p></body></html>',
      "application/xhtml+xml",
      "\u041c\u043e\u0440\u0435",
    ],
    [
      "the transport before the document",
      '<meta charset="utf-8"><p>Caf\xe9</p>',
      "text/html; charset=windows-1252",
      "Caf\u00e9",
    ],
  ])("declared %s", async (_, bytes, type, expected) => {
    expect(await textOf(Buffer.from(bytes, "latin1"), type)).toBe(expected);
  });

  it("declared wrong, or unknown, or by a mark", async () => {
    expect(await textOf(cafe('<meta charset="iso-8859-1">'), "text/html")).toContain(
      "Caf\u00e9 \u2013",
    );
    expect(await textOf(cafe('<meta charset="x-nothing">'), "text/html")).toContain("na\u00efve");
    const marked = Buffer.from("\ufeff<p>\u6e2f</p>", "utf16le");
    expect(await textOf(marked, "text/html; charset=iso-8859-1")).toBe("\u6e2f");
  });
});

describe("types that servers send", () => {
  const RSS =
    "<rss version='2.0'><channel><title>Notices</title><item><title>Buoy 7</title><link>https://a.example/7</link></item></channel></rss>";
  it.each([
    [
      "a feed as HTML",
      "text/html",
      `<?xml version="1.0"?>${RSS}`,
      "## \u30100\u2020Buoy 7\u2020a.example\u3011",
    ],
    ["a feed as XML", "application/xml", RSS, "## \u30100\u2020Buoy 7\u2020a.example\u3011"],
    [
      "a sitemap as text",
      "text/plain",
      "<?xml version='1.0'?><urlset><url><loc>https://a.example/x</loc></url></urlset>",
      "\u30100\u2020https://a.example/x\u2020a.example\u3011",
    ],
    ["HTML as nothing", "application/octet-stream", "<!DOCTYPE html><h1>Tide</h1>", "# Tide"],
    ["a table as CSV", "text/csv; charset=utf-8", 'a;b\n1;"x;y"', "a | b\n1 | x;y"],
    ["JSON on one line", "application/ld+json", '{"a":[1]}', '{\n "a": [\n  1\n ]\n}'],
    ["Markdown", "text/markdown", "# A\n\n- b", "# A\n\n  * b"],
    ["text", "text/plain", "# not a heading <b>", "# not a heading <b>"],
  ])("%s", async (_, type, source, expected) => {
    expect(await textOf(source, type)).toContain(expected);
  });
});

it("nothing that a page writes begins like a citation", () => {
  expect(
    disarmCitations(
      "\u301612\u2020L5\u3017 [ 3\u2020L1] \uff3b\u0663\u2021x\uff3d Smith\u2020 (1\u2020) \u30100\u2020a\u3011",
    ),
  ).toBe(
    "\u301612*L5\u3017 [ 3*L1] \uff3b\u0663*x\uff3d Smith\u2020 (1\u2020) \u30100\u2020a\u3011",
  );
});
