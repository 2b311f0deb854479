/** The conversations that are kept: found, opened, removed. */
import { html, type Markup } from "../../../tracing/view/html.ts";
import { useLayoutEffect, useRef, useState } from "../../../tracing/view/preact.ts";
import { shortened } from "../../../tracing/view/trace-view.ts";
import type { ListedThread } from "./api.ts";
import type { Store } from "./store.ts";
import { visibleText } from "./text.ts";

export function ThreadsView({ store }: { store: Store }): Markup {
  const { threads, query, conversation, isNavOpen } = store;
  return html`<nav id="threads" class=${isNavOpen ? "open" : ""} aria-label="Conversations">
    <button type="button" class="main" onClick=${() => store.begin()}>New conversation</button>
    <label class="hidden" for="search">Search conversations</label>
    <input id="search" type="search" dir="auto" placeholder="Search conversations" value=${query} maxlength="500"
      onInput=${(event: InputEvent) => store.search((event.target as HTMLInputElement).value)} />
    <ul>
      ${threads.map(
        (thread) =>
          html`<${ThreadLine} key=${thread.id} thread=${thread} isCurrent=${thread.id === conversation.id} store=${store} />`,
      )}
    </ul>
    ${threads.length === 0 && html`<p class="quiet">${query === "" ? "There are none yet." : "None has these words."}</p>`}
  </nav>`;
}

function ThreadLine({
  thread,
  isCurrent,
  store,
}: {
  thread: ListedThread;
  isCurrent: boolean;
  store: Store;
}): Markup {
  const { id, title, turns, updated_at: updatedAt, run, is_open: isOpen, excerpt } = thread;
  const [asks, setAsks] = useState<"nothing" | "title" | "removal">("nothing");
  const name = title === null ? "(no question)" : shortened(title, 80);
  const state = run !== null ? ", at work" : isOpen ? ", not finished" : "";
  return html`<li>
    <a href=${`#${encodeURIComponent(id)}`} aria-current=${isCurrent ? "page" : undefined}>
      <bdi>${name}</bdi>
      <span class="quiet">${updatedAt.slice(0, 10)}, ${turns} ${turns === 1 ? "turn" : "turns"}${state}</span>
      ${excerpt !== null && html`<span class="excerpt" dir="auto">${visibleText(excerpt)}</span>`}
    </a>
    ${
      asks === "title" &&
      html`<${TitleField} title=${title ?? ""} onTitle=${(next: string | null) => {
        setAsks("nothing");
        if (next !== null) void store.rename(id, next);
      }} />`
    }
    ${
      asks === "removal" &&
      html`<span class="buttons"><button type="button" onClick=${() => store.remove(id)} aria-label=${`Remove ${name} for good`}>Remove for good</button>
        <button type="button" onClick=${() => setAsks("nothing")}>Keep</button></span>`
    }
    ${
      asks === "nothing" &&
      html`<span><button type="button" class="plain" onClick=${() => setAsks("title")} aria-label=${`Rename ${name}`}>Rename</button>
        <button type="button" class="plain" onClick=${() => setAsks("removal")} aria-label=${`Remove ${name}`}>Remove</button></span>`
    }
  </li>`;
}

function TitleField({
  title,
  onTitle,
}: {
  title: string;
  onTitle: (title: string | null) => void;
}): Markup {
  const [text, setText] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    if (event.key === "Enter" && text.trim() !== "") onTitle(text);
    if (event.key !== "Escape") return;
    // It would stop the model as well.
    event.stopPropagation();
    onTitle(null);
  };
  return html`<span class="buttons">
    <input ref=${field} aria-label="Title" dir="auto" maxlength="200" value=${text} onKeyDown=${onKeyDown}
      onInput=${(event: InputEvent) => setText((event.target as HTMLInputElement).value)} />
    <button type="button" disabled=${text.trim() === ""} onClick=${() => onTitle(text)}>Save</button>
    <button type="button" onClick=${() => onTitle(null)}>Cancel</button>
  </span>`;
}
