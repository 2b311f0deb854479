/** Pages saved with their parts (MHTML) and mails: what they say, decoded. */
import type { PageContent } from "../page.ts";
import { escapeHtml } from "./escape-html.ts";
import { htmlToPage } from "./html.ts";
import { type TextSource, textToPage } from "./plain-text.ts";
import { PostalMime } from "./postal-mime.ts";

/** A mail in a mail in a mail … ends here. */
const MAX_NESTING = 16;

export async function mimeToPage(
  bytes: Uint8Array,
  { url, title }: Omit<TextSource, "text">,
): Promise<PageContent> {
  const mail = await PostalMime.parse(bytes, { maxNestingDepth: MAX_NESTING });
  const saved = /^\s*$|saved by/i.test(mail.from?.name ?? "") || mail.from?.address === undefined;
  const head = saved ? "" : headToHtml(mail);
  if (mail.html !== undefined) {
    return htmlToPage({
      html: head + mail.html,
      url,
      title: saved ? undefined : mail.subject,
      fallbackTitle: mail.subject ?? title,
    });
  }
  if (mail.text === undefined) throw new Error("it holds neither HTML nor text");
  if (head === "") return textToPage({ text: mail.text, url, title: mail.subject ?? title });
  return htmlToPage({
    html: `${head}<pre>\n${escapeHtml(mail.text)}</pre>`,
    url,
    title: mail.subject,
    fallbackTitle: title,
  });
}

function headToHtml({
  from,
  to,
  date,
  subject,
}: Awaited<ReturnType<typeof PostalMime.parse>>): string {
  const lines: string[] = [];
  if (from !== undefined) lines.push(`From: ${from.name} (${from.address ?? ""})`);
  if (to !== undefined)
    lines.push(`To: ${to.map(({ name, address }) => name || address).join(", ")}`);
  if (date !== undefined) lines.push(`Date: ${date}`);
  if (subject !== undefined) lines.push(`Subject: ${subject}`);
  return (
    lines.map((line) => `<div>${escapeHtml(line)}</div>`).join("") +
    (lines.length > 0 ? "<hr>" : "")
  );
}
