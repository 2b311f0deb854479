/** A real browser for tests, where the machine has one. */
import { accessSync, constants } from "node:fs";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";

const PLACES = [
  process.env["CHORALE_CHROMIUM"],
  ...["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
];

/** Where Chromium is; undefined where there is none. */
export const chromiumPath: string | undefined = PLACES.find((path) => {
  try {
    accessSync(path ?? "", constants.X_OK);
    return path !== undefined;
  } catch {
    return false;
  }
});

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
    // Containers give root no sandbox of Chromium's own, and little shared memory.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
}

export type Finding = {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly string[];
};

/** What axe finds that keeps people from using the page. */
export async function seriousFindings(page: Page): Promise<readonly Finding[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      readonly axe: {
        run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
      };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, impact, nodes }) => ({
        id,
        impact,
        nodes: nodes.map(({ html }) => html.slice(0, 300)),
      }));
  });
}
