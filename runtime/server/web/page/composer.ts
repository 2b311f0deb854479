/** Where a person writes, and says how the model is to answer. */
import { html, type Markup } from "../../../tracing/view/html.ts";
import { useRef, useState } from "../../../tracing/view/preact.ts";
import type { Settings, Store } from "./store.ts";
import { bytesText, visibleText } from "./text.ts";

const EFFORTS: readonly Settings["effort"][] = ["low", "medium", "high"];

export function Composer({ store }: { store: Store }): Markup {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const isRunning = store.conversation.run !== null;
  const isOpen =
    !isRunning && ["open", "pending"].includes(store.conversation.turns.at(-1)?.status ?? "");
  const send = async (): Promise<void> => {
    if (text.trim() === "" || isOpen) return;
    setText("");
    // What was not taken is not lost.
    if (!(await store.send(text))) setText(text);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // While a word is composed, Enter takes the word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  };
  return html`<div class="composer">
    <label class="hidden" for="message">${isRunning ? "Say something more to the model" : "Message"}</label>
    <textarea id="message" ref=${field} dir="auto" rows="3" value=${text} onKeyDown=${onKeyDown}
      placeholder=${isRunning ? "Say more: the model reads it in its next step" : "Ask something"}
      onInput=${(event: InputEvent) => setText((event.target as HTMLTextAreaElement).value)}></textarea>
    <div class="buttons">
      <button type="button" class="main" disabled=${text.trim() === "" || isOpen} onClick=${send}>${isRunning ? "Add" : "Send"}</button>
      ${isRunning && html`<button type="button" onClick=${() => store.stop()}>Stop</button>`}
    </div>
    <${SettingsView} store=${store} />
  </div>`;
}

function SettingsView({ store }: { store: Store }): Markup {
  const { settings, facts } = store;
  const models = facts?.models ?? [];
  const tools = facts?.tools ?? [];
  const used = tools.length - settings.withoutTools.size;
  const toggle = (name: string): void => {
    const next = new Set(settings.withoutTools);
    if (!next.delete(name)) next.add(name);
    store.set({ withoutTools: next });
  };
  return html`<div class="settings">
    <label>Model
      <select value=${settings.model} onChange=${(event: Event) => store.set({ model: (event.target as HTMLSelectElement).value })}>
        ${models.map(({ name }) => html`<option value=${name}>${visibleText(name)}</option>`)}
      </select>
    </label>
    <label>Effort
      <select value=${settings.effort} onChange=${(event: Event) => store.set({ effort: (event.target as HTMLSelectElement).value as Settings["effort"] })}>
        ${EFFORTS.map((effort) => html`<option value=${effort}>${effort}</option>`)}
      </select>
    </label>
    ${
      tools.length > 0 &&
      html`<details>
        <summary>Tools: ${used} of ${tools.length}</summary>
        <fieldset>
          <legend class="hidden">Tools that the model may use</legend>
          ${tools.map(
            ({ name, description }) =>
              html`<label><input type="checkbox" checked=${!settings.withoutTools.has(name)} onChange=${() => toggle(name)} />
                <strong><bdi>${visibleText(name)}</bdi></strong> <span class="quiet" dir="auto">${visibleText(description.slice(0, 120))}</span></label>`,
          )}
        </fieldset>
      </details>`
    }
    <details>
      <summary>Structured answer${settings.schema.trim() === "" ? "" : ": on"}</summary>
      <label>JSON Schema that the answer has to pass
        <textarea rows="5" spellcheck="false" value=${settings.schema} onInput=${(event: InputEvent) => store.set({ schema: (event.target as HTMLTextAreaElement).value })}></textarea>
      </label>
    </details>
    <${MemoryView} store=${store} />
  </div>`;
}

function MemoryView({ store }: { store: Store }): Markup {
  const { facts, settings } = store;
  if (facts === null) return html`<span class="quiet">…</span>`;
  const loaded = facts.loaded.find(({ name }) => name === settings.model);
  const known = facts.models.find(({ name }) => name === settings.model);
  const model =
    loaded === undefined
      ? "not loaded yet"
      : `loaded, ${loaded.bytes > 0 ? `${bytesText(loaded.bytes)}, ` : ""}context ${loaded.context_length}`;
  const own = known === undefined ? "" : `${known.parameters} ${known.quantization}, `;
  const memory = `${bytesText(facts.memory.used)} of ${bytesText(facts.memory.total)}`;
  return html`<span class="quiet">${visibleText(own)}${model}; the server uses ${memory}</span>`;
}
