/**
 * Research over a folder of documents: several searches, notes with their lines, and an answer whose citations were
 * checked. The report is Markdown.
 *
 *     npm run example examples/research.ts [FOLDER "question"]
 */
import { createBrowserTools, loadModel, research } from "chorale";

const [docs = "docs", question = "What is kept in the log of a thread?"] = process.argv.slice(2);
const model = await loadModel();
const browser = await createBrowserTools({ docs });
try {
  const started = research({
    model,
    tools: browser.tools,
    question,
    maxSearches: 3,
    maxSeconds: 120,
    onEvent: (event) => {
      if (event.type !== "item.completed" || event.item.type !== "tool_call") return;
      console.error(`${event.item.tool} ${event.item.arguments}`);
    },
  });
  const result = await started.run.result;
  console.log(started.report(result));
  for (const annotation of result.annotations) {
    if (annotation.type === "url_citation" && annotation.support === "unsupported") {
      console.error(`${annotation.url} does not say ${annotation.missing?.join(", ")}`);
    }
  }
  process.exitCode = result.status === "completed" ? 0 : 1;
} finally {
  await browser.close();
  await model.close();
}
