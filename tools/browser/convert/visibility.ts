/**
 * Which elements a reader does not see. Only what the markup itself says is judged: attributes and inline
 * styles, and rules of the page's own style sheet for a single class or id. What a reader can fold out
 * (tabs, menus, answers of a question list) is text of the page, and so is what a script fades in.
 */
import type { Attributes, MarkupElement } from "./markup-tree.ts";

/** Whether a reader can see an element, as far as the element itself says. */
export type Visibility = (element: MarkupElement) => boolean;

/** What the document says of its looks as a whole. */
export type Looks = {
  /** Ids that a control or a link of the page names: those can be folded out. */
  readonly referred: ReadonlySet<string>;
  /** Texts of the page's `style` elements. */
  readonly styles: readonly string[];
  /** Attributes of `body`. */
  readonly body: Attributes;
  /** A style sheet in another file is not read, and may give a ground to anything. */
  readonly hasLinkedStyles: boolean;
};

type Declarations = ReadonlyMap<string, string>;

/** Classes of what scripts fade in when it is scrolled to. */
const ANIMATED = /\b(?:wow|aos|animat|reveal|fade|lazy|js-scroll)/i;

export function visibilityOf(looks: Looks): Visibility {
  const { referred } = looks;
  const sheet = readSheet(looks.styles);
  const { rules } = sheet;
  return (element) => {
    const { attributes } = element;
    const { hidden, style, id, color } = attributes;
    if (hidden === undefined && style === undefined && color === undefined && rules === null)
      return true;
    if (id !== undefined && referred.has(id)) return true;
    if (hidden !== undefined && hidden.toLowerCase() !== "until-found") return false;
    if (rules !== null && matches(rules, element)) return false;
    if (style !== undefined && hides(declarationsOf(style), attributes)) return false;
    return color === undefined && style === undefined
      ? true
      : !isInvisiblyColoured(element, looks, sheet);
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
  const ground = style.get("background-color") ?? style.get("background");
  if (
    ink !== undefined &&
    ground !== undefined &&
    looksAlike(normaliseColour(ink), normaliseColour(ground))
  )
    return true;
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
function isInvisiblyColoured(element: MarkupElement, looks: Looks, sheet: Sheet): boolean {
  const ink = inkOf(element.attributes);
  if (ink === null) return false;
  const hasStyles = looks.hasLinkedStyles || sheet.hasGrounds;
  for (let at: MarkupElement | null = element; at !== null; at = at.parent) {
    const ground = groundOf(at.attributes);
    if (ground !== null) return looksAlike(ground, ink);
    // A rule of a style sheet may bring a ground that is not known here.
    const { class: classes, id } = at.attributes;
    if (hasStyles && (classes !== undefined || id !== undefined)) return false;
  }
  const ground = groundOf(looks.body);
  if (ground !== null) return looksAlike(ground, ink);
  return !sheet.hasPageGround && looksAlike(WHITE, ink);
}

const WHITE = "255,255,255";

function inkOf({ style, color }: Attributes): string | null {
  const value = (style && declarationsOf(style).get("color")) ?? color;
  return value === undefined || value === "" ? null : normaliseColour(value);
}

function groundOf({ style, bgcolor }: Attributes): string | null {
  const declarations = style === undefined ? null : declarationsOf(style);
  const value = declarations?.get("background-color") ?? declarations?.get("background") ?? bgcolor;
  if (value === undefined) return declarations?.has("background-image") ? PICTURE : null;
  return value === "transparent" || value === "none" ? null : normaliseColour(value);
}

/** A ground of no one colour. */
const PICTURE = "picture";

/** How far the parts of two colours may differ, of 255, so that a person cannot tell them apart. */
const INDISTINGUISHABLE = 12;

function looksAlike(one: string, other: string): boolean {
  if (one === other) return true;
  const parts = one.split(",").map(Number);
  const others = other.split(",").map(Number);
  return (
    parts.length === 3 &&
    others.length === 3 &&
    parts.every((part, at) => Math.abs(part - (others[at] ?? Number.NaN)) <= INDISTINGUISHABLE)
  );
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

type HidingRules = {
  readonly classes: ReadonlySet<string>;
  readonly ids: ReadonlySet<string>;
  /** Names whose rule makes the letters of an element nothing; elements inside of it may have letters again. */
  readonly letters: ReadonlySet<string>;
};

/** What the style sheets in the document say, as far as it is read. */
type Sheet = {
  readonly rules: HidingRules | null;
  /** Some rule gives a ground to something. */
  readonly hasGrounds: boolean;
  /** A rule gives a ground to the page as a whole. */
  readonly hasPageGround: boolean;
};

const MAX_SHEET_CHARACTERS = 300_000;
const OF_PAGE = /(?:^|,)\s*(?:body|html|:root|\*)(?=[\s,.:#>[]|$)/i;

/** What the declarations of a rule that hides something have in them. */
const MAY_HIDE =
  /none|hidden|collapse|opacity|font-size\s*:\s*0|-\s*\d{3}|transparent|rgba|background|(?:height|width)\s*:\s*0/i;

type Rule = { readonly selectors: string; readonly body: string };

/**
 * Classes and ids that a rule of its own hides. A class that another rule shows again (`.tab.active`) is
 * a state, not a hiding place.
 */
function readSheet(styles: readonly string[]): Sheet {
  if (styles.length === 0) return { rules: null, hasGrounds: false, hasPageGround: false };
  const rules = rulesOf(styles);
  const hidden = new Set<string>();
  const letters = new Set<string>();
  let hasGrounds = false;
  let hasPageGround = false;
  for (const { selectors, body } of rules) {
    if (!MAY_HIDE.test(body)) continue;
    if (/background/i.test(body)) {
      hasGrounds = true;
      hasPageGround ||= OF_PAGE.test(selectors);
    }
    const style = declarationsOf(body);
    if (!hides(style, { class: selectors })) continue;
    for (const selector of selectors.split(",")) {
      const name = /^\s*[a-z]*([.#][\w-]+)\s*$/i.exec(selector)?.[1];
      if (name === undefined) continue;
      hidden.add(name);
      if (isZero(style.get("font-size"))) letters.add(name);
    }
  }
  const certain = hidden.size === 0 ? [] : notShownAgain(hidden, rules);
  if (certain.length === 0) return { rules: null, hasGrounds, hasPageGround };
  const named = (mark: string): ReadonlySet<string> =>
    new Set(certain.filter((name) => name.startsWith(mark)).map((name) => name.slice(1)));
  return {
    rules: { classes: named("."), ids: named("#"), letters },
    hasGrounds,
    hasPageGround,
  };
}

function rulesOf(styles: readonly string[]): readonly Rule[] {
  const css = styles.join("\n").slice(0, MAX_SHEET_CHARACTERS);
  const rules: Rule[] = [];
  for (const rule of outsideOfAtRules(css).split("}")) {
    const brace = rule.indexOf("{");
    if (brace >= 0) rules.push({ selectors: rule.slice(0, brace), body: rule.slice(brace + 1) });
  }
  return rules;
}

function notShownAgain(hidden: ReadonlySet<string>, rules: readonly Rule[]): readonly string[] {
  const shown = new Set<string>();
  for (const { selectors, body } of rules) {
    const names = selectors.match(/[.#][\w-]+/g)?.filter((name) => hidden.has(name)) ?? [];
    if (names.length === 0) continue;
    const style = declarationsOf(body);
    if ((style.has("display") || isShowing(style)) && !hides(style, { class: selectors })) {
      for (const name of names) shown.add(name);
    }
  }
  return [...hidden].filter((name) => !shown.has(name));
}

/** It undoes what another rule may have done. */
function isShowing(style: Declarations): boolean {
  return [
    "visibility",
    "opacity",
    "left",
    "right",
    "top",
    "height",
    "max-height",
    "font-size",
    "transform",
  ].some((name) => style.has(name));
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

function matches(rules: HidingRules, element: MarkupElement): boolean {
  const { class: classes, id } = element.attributes;
  const name =
    id !== undefined && rules.ids.has(id)
      ? `#${id}`
      : classes
          ?.split(/\s+/)
          .filter((each) => rules.classes.has(each))
          .map((each) => `.${each}`)[0];
  if (name === undefined) return false;
  return !rules.letters.has(name) || element.children.every((child) => typeof child === "string");
}
