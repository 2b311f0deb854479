/** The parts of a turn: what was thought, said, called, and what came of it. */
import type { CodeExecutionItem, ToolCallItem } from "../../../events.ts";
import { html, type Markup } from "../../../tracing/view/html.ts";
import { type ComponentChild, useEffect, useMemo, useState } from "../../../tracing/view/preact.ts";
import { shortened } from "../../../tracing/view/trace-view.ts";
import { api } from "./api.ts";
import { CodeView } from "./code-view.ts";
import type { ApprovalView, ItemView, NoteView } from "./conversation.ts";
import { JsonTree } from "./json-tree.ts";
import { markdown } from "./markdown.ts";
import { bytesText, toolName, visibleText } from "./text.ts";

export type PartProps = {
  readonly part: ItemView | NoteView;
  readonly threadId: string | null;
  /** Absent: nothing can be decided here any more. */
  readonly onDecide:
    | ((call: string, decision: "allow" | "deny", remember: "session" | null) => void)
    | null;
};

export function PartView({ part, threadId, onDecide }: PartProps): ComponentChild {
  // A part that did not change is the same object, and is not drawn again.
  return useMemo(
    () =>
      part.kind === "note"
        ? html`<p class="note"><strong>${visibleText(part.name)}</strong> <span dir="auto">${visibleText(part.text)}</span></p>`
        : itemOf(part, threadId, onDecide),
    [part, threadId, onDecide === null],
  );
}

function itemOf(view: ItemView, threadId: string | null, onDecide: PartProps["onDecide"]): Markup {
  const { item, live, isComplete } = view;
  switch (item.type) {
    case "reasoning":
      return html`<details class="reasoning">
        <summary>Reasoning<span class="quiet"> ${isComplete ? `${live.length} characters` : shortened(live.slice(-160), 80)}</span></summary>
        <div class="prose" dir="auto">${markdown(live)}</div>
      </details>`;
    case "agent_message":
      return item.phase === "commentary"
        ? html`<div class="prose commentary" dir="auto">${markdown(live, item.annotations)}</div>`
        : html`<${Answer} view=${view} />`;
    case "tool_call":
      return html`<${ToolCall} view=${view} onDecide=${onDecide} />`;
    case "code_execution":
      return html`<${CodeExecution} view=${view} threadId=${threadId} onDecide=${onDecide} />`;
    case "error":
      return html`<p class="note problem"><strong>${visibleText(item.code)}</strong> <span dir="auto">${visibleText(item.message)}</span></p>`;
  }
}

function Answer({ view }: { view: ItemView }): Markup {
  const { item, live, isComplete } = view;
  const annotations = item.type === "agent_message" ? (item.annotations ?? []) : [];
  const parsed = isComplete ? parsedJson(live) : view.value;
  const [isText, setText] = useState(false);
  if (parsed === undefined || isText) {
    return html`<div class="answer">
      <div class="prose" dir="auto">${markdown(live, annotations)}</div>
      ${parsed !== undefined && html`<button type="button" onClick=${() => setText(false)}>As a tree</button>`}
    </div>`;
  }
  return html`<div class="answer">
    <${JsonTree} value=${parsed} />
    <button type="button" onClick=${() => setText(true)}>As text</button>
  </div>`;
}

/** Only an object or a list is a tree. */
function parsedJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const STATUS: Readonly<Record<string, string>> = {
  in_progress: "at work",
  completed: "done",
  failed: "failed",
  cancelled: "stopped",
  declined: "not allowed",
};

function CallHead({ name, status }: { name: string; status: string }): Markup {
  return html`<summary>
    <span class=${`status status-${status}`}>${STATUS[status] ?? status}</span>
    <strong><bdi>${visibleText(name)}</bdi></strong>
  </summary>`;
}

function ToolCall({ view, onDecide }: { view: ItemView; onDecide: PartProps["onDecide"] }): Markup {
  const item = view.item as ToolCallItem;
  const input = parsedJson(view.live);
  const data = item.result?.data;
  return html`<div class="call">
    <details open=${item.status === "in_progress" || item.status === "failed"}>
      <${CallHead} name=${toolName(item.tool)} status=${item.status} />
      ${input === undefined ? html`<pre dir="auto" tabindex="0">${visibleText(view.live)}</pre>` : html`<${JsonTree} value=${input} />`}
      <${LiveOutput} view=${view} />
      ${item.result && html`<${LongText} label="Result" text=${item.result.text} />`}
      ${typeof data === "object" && data !== null && html`<details><summary>Data</summary><${JsonTree} value=${data} /></details>`}
      ${item.error && html`<p class="problem" dir="auto">${visibleText(item.error.message)}</p>`}
    </details>
    <${Approval} callId=${item.id} name=${toolName(item.tool)} approval=${view.approval} onDecide=${onDecide} />
  </div>`;
}

function CodeExecution({
  view,
  threadId,
  onDecide,
}: {
  view: ItemView;
  threadId: string | null;
  onDecide: PartProps["onDecide"];
}): Markup {
  const item = view.item as CodeExecutionItem;
  const { artifacts = [] } = item;
  return html`<div class="call">
    <details open=${item.status !== "completed"}>
      <${CallHead} name="Python" status=${item.status} />
      <${CodeView} text=${view.live} language="python" />
      <${LiveOutput} view=${view} />
      ${item.output !== "" && html`<${LongText} label="Output" text=${item.output} />`}
    </details>
    ${artifacts.map(
      ({ name, bytes }, index) =>
        threadId !== null &&
        html`<${Artifact} threadId=${threadId} call=${item.id} index=${index} name=${name} bytes=${bytes} />`,
    )}
    <${Approval} callId=${item.id} name="Python" approval=${view.approval} onDecide=${onDecide} />
  </div>`;
}

function LiveOutput({ view }: { view: ItemView }): ComponentChild {
  if (view.isComplete || (view.output === "" && view.progress === null)) return null;
  return html`<div class="live">
    ${view.progress !== null && html`<p class="quiet" dir="auto">${visibleText(view.progress)}</p>`}
    ${view.output !== "" && html`<pre dir="auto" tabindex="0">${visibleText(view.output.slice(-MAX_TEXT))}</pre>`}
  </div>`;
}

const MAX_TEXT = 20_000;

function LongText({ label, text }: { label: string; text: string }): Markup {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? text : text.slice(0, MAX_TEXT);
  return html`<div>
    <pre dir="auto" tabindex="0" role="region" aria-label=${label}>${visibleText(shown)}</pre>
    ${
      shown.length < text.length &&
      html`<button type="button" onClick=${() => setWhole(true)}>Show all ${text.length} characters</button>`
    }
  </div>`;
}

/** Pictures that an <img> draws without running anything. */
const PICTURES: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  svg: "image/svg+xml",
};
/** Larger ones are only saved. */
const MAX_PICTURE = 16 << 20;

function Artifact({
  threadId,
  call,
  index,
  name,
  bytes,
}: {
  threadId: string;
  call: string;
  index: number;
  name: string;
  bytes: number;
}): Markup {
  const [url, setUrl] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const type = PICTURES[(name.split(".").at(-1) ?? "").toLowerCase()];
  const isPicture = type !== undefined && bytes <= MAX_PICTURE;
  useEffect(() => {
    if (!isPicture) return;
    let made: string | null = null;
    let isGone = false;
    api.file(threadId, call, index).then(
      (content) => {
        if (isGone) return;
        made = URL.createObjectURL(new Blob([content], { type }));
        setUrl(made);
      },
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      isGone = true;
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [threadId, call, index]);
  const save = async (): Promise<void> => {
    try {
      saveAs(new Blob([await api.file(threadId, call, index)]), name);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return html`<figure class="artifact">
    ${url !== null && html`<img src=${url} alt=${visibleText(name)} />`}
    <figcaption>
      <bdi>${visibleText(name)}</bdi> <span class="quiet">${bytesText(bytes)}</span>
      <button type="button" class="plain" onClick=${save}>Save</button>
      ${problem !== null && html`<span class="problem" dir="auto">${visibleText(problem)}</span>`}
    </figcaption>
  </figure>`;
}

/** Hands a file to the browser, which keeps it where it keeps downloads. */
export function saveAs(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name.replace(/[^\p{L}\p{N}._-]+/gu, "_") || "file";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function Approval({
  callId,
  name,
  approval,
  onDecide,
}: {
  callId: string;
  name: string;
  approval: ApprovalView | null;
  onDecide: PartProps["onDecide"];
}): ComponentChild {
  if (approval === null) return null;
  const { decision, by, reason, rule, change } = approval;
  if (decision !== "asked") {
    return html`<p class="note" dir="auto">${decision === "allowed" ? "Allowed" : "Not allowed"} by ${visibleText(by ?? "")}${reason !== null && `: ${visibleText(reason)}`}</p>`;
  }
  return html`<div class="approval" role="group" aria-label=${`May ${visibleText(name)} run?`}>
    <p dir="auto"><strong>May <bdi>${visibleText(name)}</bdi> run?</strong> ${visibleText(reason ?? `The rule ${rule} asks.`)}</p>
    ${change !== null && html`<pre dir="auto" tabindex="0">${visibleText(change)}</pre>`}
    ${
      onDecide === null
        ? html`<p class="quiet">Go on with the turn to decide.</p>`
        : html`<p class="buttons">
            <button type="button" class="main" onClick=${() => onDecide(callId, "allow", null)}>Allow</button>
            <button type="button" onClick=${() => onDecide(callId, "allow", "session")}>Allow in this conversation</button>
            <button type="button" onClick=${() => onDecide(callId, "deny", null)}>Do not allow</button>
          </p>`
    }
  </div>`;
}
