/**
 * Golden cases of the renderer: Markdown files of conversations in the reference's wire form and the
 * text they become, with special tokens as written.
 *
 *     ## name of the case
 *     form: conversation | completion | training
 *     policy: none | reference | turn        default none
 *     style: reference | model               default reference
 *     schemas: normalised | reference        default normalised
 *     ```json
 *     {"messages": […]}
 *     ```
 *     ```text
 *     <|start|>…
 *     ```
 */
import {
  conversationFromJson,
  conversationSegments,
  type DropPolicy,
  MODEL_HEADER_STYLE,
  REFERENCE_HEADER_STYLE,
  type RenderOptions,
  segmentsToText,
  trainingSegments,
} from "../../harmony/index.ts";

import { readSections } from "./golden-file.ts";

export type RenderCase = {
  readonly name: string;
  readonly form: string;
  readonly options: RenderOptions;
  readonly conversation: unknown;
  readonly text: string;
};

export function readRenderCases(markdown: string): RenderCase[] {
  return readSections(markdown).map(({ name, option, block }) => ({
    name,
    form: option("form") ?? "conversation",
    options: {
      dropPolicy: (option("policy") ?? "none") as DropPolicy,
      headerStyle: option("style") === "model" ? MODEL_HEADER_STYLE : REFERENCE_HEADER_STYLE,
      schemas: option("schemas") === "reference" ? "reference" : "normalised",
    },
    conversation: JSON.parse(block("json")),
    text: block("text"),
  }));
}

export function renderGolden({ form, options, conversation }: RenderCase): string {
  const messages = conversationFromJson(conversation);
  if (form === "training") return segmentsToText(trainingSegments(messages, options));
  const text = segmentsToText(conversationSegments(messages, options));
  return form === "completion" ? `${text}<|start|>assistant` : text;
}
