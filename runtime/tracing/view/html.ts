/** Markup as template strings: values become text and properties, never markup. */
import { h, htm, type VNode } from "./preact.ts";

export type Markup = VNode;

type Template = (strings: TemplateStringsArray, ...values: unknown[]) => Markup;

/** Its declarations are those of a CommonJS module, which it is not. */
const { bind } = htm as unknown as { readonly bind: (make: typeof h) => Template };

/** Of one element; several beside each other have to stand in one. */
export const html: Template = bind.call(htm as never, h);
