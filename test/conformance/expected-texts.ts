/** Texts that must, or must not, be in another, as the areas with `contains` and `lacks` have them. */

/** Each element is a text, or a list of texts of which one must be there. */
export type ContainedTexts = readonly (string | readonly string[])[];

/** One line for each text of `contains` that is not there, and each of `lacks` that is. */
export function textProblems(
  text: string,
  { contains = [], lacks = [] }: { contains?: ContainedTexts; lacks?: readonly string[] },
): readonly string[] {
  const missing = contains.filter((one) => ![one].flat().some((each) => text.includes(each)));
  const present = lacks.filter((one) => text.includes(one));
  return [
    ...missing.map((one) => `lacks ${[one].flat().map(quote).join(" or ")}`),
    ...present.map((one) => `contains ${quote(one)}`),
  ];
}

const quote = (text: string): string => JSON.stringify(text);
