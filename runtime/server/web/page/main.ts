/** Puts the page into the document. */
import { html } from "../../../tracing/view/html.ts";
import { render } from "../../../tracing/view/preact.ts";
import { AppView } from "./app-view.ts";
import { Store } from "./store.ts";

const place = document.getElementById("page");
if (place === null) throw new Error("The document has no place for the page.");
const store: Store = new Store(() => render(html`<${AppView} store=${store} />`, place));
render(html`<${AppView} store=${store} />`, place);
addEventListener(
  "hashchange",
  () => void store.openFromAddress().catch((error: unknown) => store.fail(error)),
);
void store.start();
