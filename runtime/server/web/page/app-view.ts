/** The whole page. */

import type { TraceToken } from "../../../tracing/index.ts";
import { html, type Markup } from "../../../tracing/view/html.ts";
import {
  type ComponentChild,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "../../../tracing/view/preact.ts";
import { shortened, TokenList, TraceView } from "../../../tracing/view/trace-view.ts";
import { api } from "./api.ts";
import { Composer } from "./composer.ts";
import type { Store } from "./store.ts";
import { visibleText } from "./text.ts";
import { ThreadsView } from "./threads-view.ts";
import { TurnView } from "./turn-view.ts";

export function AppView({ store }: { store: Store }): Markup {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => shortcut(event, store);
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  useEffect(() => {
    const [first] = store.conversation.turns;
    document.title = first === undefined ? "Chorale" : `${shortened(first.question, 60)} – Chorale`;
  });
  const { problem, announcement, needsKey, conversation, trace, isNavOpen } = store;
  return html`<div class="page">
    <a class="skip" href="#message" onClick=${(event: Event) => {
      event.preventDefault();
      document.getElementById("message")?.focus();
    }}>To the message field</a>
    <header>
      <button type="button" class="menu" aria-expanded=${isNavOpen} aria-controls="threads" onClick=${() => store.toggleNav()}>Conversations</button>
      <h1>Chorale</h1>
      ${conversation.id !== null && html`<${Actions} store=${store} />`}
    </header>
    <${ThreadsView} store=${store} />
    <main>
      ${problem !== null && html`<p class="problem" role="alert"><span dir="auto">${visibleText(problem)}</span> <button type="button" onClick=${() => store.dismiss()}>Close</button></p>`}
      ${needsKey ? html`<${KeyView} store=${store} />` : trace === null ? html`<${TurnsView} store=${store} />` : html`<${TraceSection} store=${store} />`}
      ${!needsKey && html`<${Composer} store=${store} />`}
    </main>
    <p class="hidden" role="status" aria-live="polite">${visibleText(announcement)}</p>
  </div>`;
}

function Actions({ store }: { store: Store }): Markup {
  const isTrace = store.trace !== null;
  return html`<div class="actions">
    <button type="button" aria-pressed=${isTrace} onClick=${() => store.toggleTrace()}>Trace</button>
    <button type="button" onClick=${() => store.fork(null)}>Fork</button>
    <details class="menu-list">
      <summary>Export</summary>
      <div>
        <button type="button" onClick=${() => store.save("markdown")}>Markdown</button>
        <button type="button" onClick=${() => store.save("jsonl")}>Log (JSON Lines)</button>
        <button type="button" onClick=${() => store.save("harmony")}>Harmony</button>
      </div>
    </details>
  </div>`;
}

function TurnsView({ store }: { store: Store }): Markup {
  const { turns } = store.conversation;
  const box = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  // Who reads further up is left there.
  useLayoutEffect(() => {
    const { current } = box;
    if (current !== null && isAtEnd.current) current.scrollTop = current.scrollHeight;
  });
  const onScroll = (): void => {
    const { current } = box;
    if (current === null) return;
    isAtEnd.current = current.scrollHeight - current.scrollTop - current.clientHeight < 60;
  };
  return html`<section class="turns" ref=${box} onScroll=${onScroll} tabindex="0" aria-label="Conversation">
    ${turns.length === 0 && html`<${Welcome} />`}
    ${turns.map((turn, at) => html`<${TurnView} key=${at} turn=${turn} number=${at + 1} store=${store} />`)}
  </section>`;
}

function Welcome(): Markup {
  return html`<div class="welcome">
    <h2>What is it about?</h2>
    <p>Conversations stay on this machine, and chorale sessions lists them too.</p>
    <h3>Keys</h3>
    <dl class="keys">
      ${[
        ["Enter", "send; with Shift a new line"],
        ["Alt+N", "new conversation"],
        ["Alt+K", "search conversations"],
        ["Alt+M", "to the message field"],
        ["Alt+T", "trace"],
        ["Escape", "stop the model"],
      ].map(([key, what]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}
    </dl>
  </div>`;
}

function TraceSection({ store }: { store: Store }): Markup {
  const { trace, conversation } = store;
  return html`<section class="turns" tabindex="0" aria-label="Trace">
    <h2>Trace</h2>
    <${TraceView} trace=${trace} tokensOf=${(turn: number, message: number) => html`<${Tokens} threadId=${conversation.id} turn=${turn} message=${message} />`} />
  </section>`;
}

/** Tokens of a message, fetched when they are asked for. */
function Tokens({
  threadId,
  turn,
  message,
}: {
  threadId: string;
  turn: number;
  message: number;
}): ComponentChild {
  const [tokens, setTokens] = useState<readonly TraceToken[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const show = async (): Promise<void> => {
    try {
      setTokens((await api.tokens(threadId, turn, message)).tokens);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  if (tokens !== null) return html`<${TokenList} tokens=${tokens} />`;
  return html`<p><button type="button" onClick=${show}>Tokens</button> ${problem !== null && visibleText(problem)}</p>`;
}

function KeyView({ store }: { store: Store }): Markup {
  const [key, setKey] = useState("");
  return html`<div class="welcome">
    <h2>This server asks for a key</h2>
    <p><label for="key">Key</label>
    <input id="key" type="password" autocomplete="off" value=${key} onInput=${(event: InputEvent) => setKey((event.target as HTMLInputElement).value)} />
    <button type="button" class="main" onClick=${() => store.useKey(key)}>Use it</button></p>
  </div>`;
}

/** With Alt, so that no key of a text field is taken. */
function shortcut(event: KeyboardEvent, store: Store): void {
  // In the search field it empties the field.
  const isSearch = event.target === document.getElementById("search");
  if (event.key === "Escape" && !isSearch && store.conversation.run !== null) {
    void store.stop();
    return;
  }
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  switch (event.code) {
    case "KeyN":
      store.begin();
      document.getElementById("message")?.focus();
      break;
    case "KeyK":
      if (!store.isNavOpen) store.toggleNav();
      // It is drawn with the next frame where it was not seen.
      setTimeout(() => document.getElementById("search")?.focus(), 150);
      break;
    case "KeyM":
      document.getElementById("message")?.focus();
      break;
    case "KeyT":
      void store.toggleTrace();
      break;
    default:
      return;
  }
  event.preventDefault();
}
