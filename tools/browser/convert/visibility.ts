/**
 * Which elements a reader does not see. Only what the markup itself says is judged: attributes and inline
 * styles, and rules of the page's own style sheet for a single class or id. What a reader can fold out
 * (tabs, menus, answers of a question list) is text of the page, and so is what a script fades in.
 */
import type { Attributes, MarkupElement } from "./markup-tree.ts";

/** Whether a reader can see an element, as far as the element itself says. */
export type Visibility = (element: MarkupElement) => boolean;

type Declarations = ReadonlyMap<string, string>;

/** Classes of what scripts fade in when it is scrolled to. */
const ANIMATED = /\b(?:wow|aos|animat|reveal|fade|lazy|js-scroll)/i;

/**
 * @param referred  ids that a control or a link of the page names: those can be folded out
 * @param styles  texts of the page's `style` elements
 */
export function visibilityOf(referred: ReadonlySet<string>, styles: readonly string[]): Visibility {
  const rules = hidingRules(styles);
  const styled = styles.length > 0;
  return (element) => {
    const { attributes } = element;
    const { hidden, style, id, color } = attributes;
    if (hidden === undefined && style === undefined && color === undefined && rules === null)
      return true;
    if (id !== undefined && referred.has(id)) return true;
    if (hidden !== undefined && hidden.toLowerCase() !== "until-found") return false;
    if (rules !== null && matches(rules, attributes)) return false;
    if (style !== undefined && hides(declarationsOf(style), attributes)) return false;
    return color === undefined && style === undefined
      ? true
      : !isInvisiblyColoured(element, styled);
  };
}

function hides(style: Declarations, attributes: Attributes): boolean {
  if (style.get("display") === "none") return true;
  const animated =
    style.has("transform") ||
    style.has("transition") ||
    style.has("animation-name") ||
    ANIMATED.test(attributes["class"] ?? "");
  if (!animated && (isNotShown(style) || isZero(style.get("opacity")))) return true;
  if (isZero(style.get("font-size"))) return true;
  const ink = style.get("color");
  if (ink === "transparent" || (ink !== undefined && /^rgba\(.*,0?\.?0\)$/.test(ink))) return true;
  // One pixel, clipped, is how text for screen readers is written.
  if (style.has("clip") || style.has("clip-path")) return false;
  const flat = ["height", "width", "max-height", "max-width"].some((name) =>
    isZero(style.get(name)),
  );
  if (flat && (style.get("overflow") ?? "").startsWith("hidden")) return true;
  return ["text-indent", "left", "right", "top", "margin-left"].some((name) =>
    /^-(?:\d{4,}px|\d{3,}em|9{3,})/.test(style.get(name) ?? ""),
  );
}

function isNotShown(style: Declarations): boolean {
  const visibility = style.get("visibility");
  return (
    visibility === "hidden" ||
    visibility === "collapse" ||
    style.get("content-visibility") === "hidden"
  );
}

function isZero(value: string | undefined): boolean {
  return value !== undefined && /^0(?:\.0+)?(?:[a-z%]{1,4})?$/.test(value);
}

/** Styles longer than this say nothing that a person wrote. */
const MAX_STYLE_CHARACTERS = 2000;

/** Lower case, without blanks and `!important`. */
function declarationsOf(style: string): Declarations {
  const declarations = new Map<string, string>();
  const text = style.slice(0, MAX_STYLE_CHARACTERS).toLowerCase().replace(/\s+/g, "");
  for (const declaration of text.split(";")) {
    const colon = declaration.indexOf(":");
    if (colon < 0) continue;
    const value = declaration.slice(colon + 1).replace("!important", "");
    declarations.set(declaration.slice(0, colon), value);
  }
  return declarations;
}

/** Text in the colour of its ground, as far as inline styles and the old attributes tell. */
function isInvisiblyColoured(element: MarkupElement, styled: boolean): boolean {
  const ink = inkOf(element.attributes);
  if (ink === null) return false;
  for (let at: MarkupElement | null = element; at !== null; at = at.parent) {
    const ground = groundOf(at.attributes);
    if (ground !== null) return ground === ink;
    // A class may bring a ground that is not known here.
    if (styled && at.attributes["class"] !== undefined) return false;
  }
  return ink === WHITE && !styled;
}

const WHITE = "255,255,255";

function inkOf({ style, color }: Attributes): string | null {
  const value = (style && declarationsOf(style).get("color")) ?? color;
  return value === undefined || value === "" ? null : normaliseColour(value);
}

function groundOf({ style, bgcolor }: Attributes): string | null {
  const declarations = style === undefined ? null : declarationsOf(style);
  const value = declarations?.get("background-color") ?? declarations?.get("background") ?? bgcolor;
  return value === undefined ? null : normaliseColour(value);
}

/** `r,g,b`; another notation stays as it is written. */
function normaliseColour(value: string): string {
  const text = value.trim().toLowerCase();
  if (text === "white") return WHITE;
  if (text === "black") return "0,0,0";
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/.exec(text)?.[1];
  if (hex !== undefined) {
    const size = hex.length / 3;
    const parts = [0, 1, 2].map((at) =>
      hex.slice(at * size, (at + 1) * size).padStart(2, hex[at] ?? "0"),
    );
    return parts.map((part) => Number.parseInt(part, 16)).join(",");
  }
  return /^rgba?\((\d{1,3},\d{1,3},\d{1,3})/.exec(text)?.[1] ?? text;
}

type HidingRules = { readonly classes: ReadonlySet<string>; readonly ids: ReadonlySet<string> };

const MAX_SHEET_CHARACTERS = 300_000;

/**
 * Classes and ids that a rule of its own hides. A class that another rule shows again (`.tab.active`) is
 * a state, not a hiding place.
 */
function hidingRules(styles: readonly string[]): HidingRules | null {
  const css = styles.join("\n").slice(0, MAX_SHEET_CHARACTERS);
  if (!/(?:display|visibility)\s*:/i.test(css)) return null;
  const hidden = new Set<string>();
  const shown = new Set<string>();
  for (const rule of outsideOfAtRules(css).split("}")) {
    const brace = rule.indexOf("{");
    if (brace < 0) continue;
    const style = declarationsOf(rule.slice(brace + 1));
    if (!style.has("display") && !style.has("visibility")) continue;
    const hiding = style.get("display") === "none" || isNotShown(style);
    for (const selector of rule.slice(0, brace).split(",")) {
      const simple = selector.trim();
      if (hiding && /^[a-z]*[.#][\w-]+$/i.test(simple)) hidden.add(simple.replace(/^[a-z]*/i, ""));
      else if (!hiding) for (const [name] of simple.matchAll(/[.#][\w-]+/g)) shown.add(name);
    }
  }
  const certain = [...hidden].filter((name) => !shown.has(name));
  if (certain.length === 0) return null;
  const named = (mark: string): ReadonlySet<string> =>
    new Set(certain.filter((name) => name.startsWith(mark)).map((name) => name.slice(1)));
  return { classes: named("."), ids: named("#") };
}

/** Without comments and without the blocks of at-rules: print, small screens. */
function outsideOfAtRules(css: string): string {
  const text = css.replace(/\/\*[\s\S]*?(?:\*\/|$)/g, "");
  const kept: string[] = [];
  let from = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", from)) {
    kept.push(text.slice(from, at));
    let depth = 0;
    for (from = at; from < text.length; from++) {
      const character = text[from];
      if (character === "{") depth++;
      else if (character === "}") depth--;
      if ((character === "}" || character === ";") && depth <= 0) break;
    }
    from++;
  }
  kept.push(text.slice(from));
  return kept.join("");
}

function matches(rules: HidingRules, { class: classes, id }: Attributes): boolean {
  if (id !== undefined && rules.ids.has(id)) return true;
  if (classes === undefined || rules.classes.size === 0) return false;
  return classes.split(/\s+/).some((name) => rules.classes.has(name));
}
