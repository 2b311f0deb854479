/**
 * What sites write at the beginning of parts that are not the content, in some of the languages of the
 * web. It only counts where the part is mostly links, or is a form.
 */

const starts = (phrases: readonly string[]): RegExp =>
  new RegExp(`^[\\s→←«»‹›|•:*-]*(?:${phrases.join("|")})`, "iu");

/** Lists of other pages, and invitations. */
const OTHER_PAGES = starts([
  "(?:related|similar)(?: (?:articles?|posts?|topics?|stories|products?|reading|content|news|questions|pages|links))?(?=$|[:\\s])",
  "more (?:from|on this|in this|stories|articles|news|posts|like this|to explore|by)",
  "(?:recommended|suggested)\\b",
  "(?:you|readers) (?:may|might|could) (?:also )?(?:like|be interested|enjoy)",
  "(?:customers|people|others|those) (?:who|also)\\b",
  "(?:most|top) (?:read|popular|viewed|shared|stories)",
  "(?:trending|popular|latest|recent) (?:now|posts?|articles?|news|stories|topics?|comments|videos)",
  "(?:read|see|up|what to read|keep reading) next\\b",
  "(?:also|further) (?:on|in) this (?:site|section)",
  "(?:previous|next|older|newer|prev)(?: (?:article|post|page|story|topic|chapter|entry|entries|posts))?(?=$|[:\\s→»])",
  "(?:share|follow|connect)(?: (?:this|on|us|via|with))?(?=$|[:\\s])",
  "(?:sign|log) (?:up|in)\\b",
  "(?:create|open) an? (?:free )?account",
  "(?:subscribe|newsletter|get (?:the|our) (?:latest|newsletter))",
  "(?:leave|post|write) (?:a|your) (?:reply|comment|review)|leave a response|your answer|join the (?:conversation|discussion)",
  "(?:have more|any other|still have|more) questions|(?:still )?need (?:more )?help",
  "(?:found|spotted) (?:a|an) (?:mistake|error|typo)|(?:edit|improve) this page",
  "(?:filed|posted) (?:under|in)|tagged(?: with)?(?=$|[:\\s])|tags?(?=$|[:\\s])|categories(?=$|[:\\s])",
  "(?:ähnliche|verwandte|weitere|mehr|meistgelesen|das könnte|lesen sie auch|passend dazu|empfohlen|aktuelle|neueste|teilen|vorherige|nächste|schlagw)",
  "(?:à lire aussi|lire aussi|articles? (?:similaires|liés|récents)|sur le même (?:sujet|thème)|les plus lus|partager|vous aimerez|recommandé)",
  "(?:relacionad|te puede interesar|más (?:leíd|noticias|sobre)|artículos|noticias relacionadas|compartir|leia (?:também|mais)|mais lidas|você também)",
  "(?:leggi anche|articoli correlati|potrebbe interessarti|condividi|lees ook|meer over|meest gelezen|les også|läs också|læs også|relatert)",
  "(?:читайте также|похожие|по теме|рекоменду|поделиться|популярн|czytaj (?:także|również)|podobne|udostępnij)",
  "(?:関連(?:記事|リンク|商品)?|あわせて読みたい|おすすめ|人気|シェア|次の記事|前の記事)",
  "(?:相关(?:文章|阅读|推荐|新闻)?|相關(?:文章|閱讀|新聞)?|推荐阅读|推薦閱讀|热门|熱門|猜你喜欢|上一篇|下一篇|分享)",
  "(?:관련(?:기사| 기사| 글)?|이 시각|많이 본|추천|인기|공유|이전 글|다음 글)",
  "(?:مقالات ذات صلة|مواضيع ذات صلة|اقرأ أيضا|الأكثر قراءة|شارك|קראו גם|כתבות נוספות|שתפו)",
]);

const OPINION = starts([
  "(?:was|is|did you find) this (?:\\w+ )?.{0,20}(?:helpful|useful)",
  "(?:war dies|hat .{0,30} geholfen|cette page vous a|¿te ha (?:sido )?|esta página)",
]);

/** The mark of an advertisement, and nothing else. */
const ADVERTISEMENT =
  /^\s*(?:advertisement|sponsored|ad|anzeige|werbung|publicité|publicidad|pubblicità|advertentie|annonse?|annons|reklama|реклама|広告|广告|廣告|광고|إعلان|פרסומת)\s*$/iu;

/** What links to the content of the same page say. */
const SKIP =
  /^\s*(?:skip|jump|zum (?:inhalt|hauptinhalt)|direkt zum|aller au|passer au|accéder au|saltar|ir al|pular|vai al|ga naar|hopp til|hoppa till|gå til|перейти к|przejdź do|メインコンテンツ|本文へ|跳至|跳到|본문)/iu;

/** The owner of a site, at its end. */
const OWNER =
  /©|\(c\) ?(?:19|20)\d\d|copyright|all rights reserved|alle rechte|tous droits|todos los derechos|版权所有|all rechten/iu;

const COOKIES =
  /cookie|personal data|your privacy|datenschutz|confidentialité|privacidad|隐私|プライバシー/iu;
const CHOICE =
  /accept|agree|reject|allow all|manage|got it|akzept|zustimm|ablehn|accepter|refuser|aceptar|rechazar|aceitar|accett|accepteren|godta|принять|同意|接受|동의/iu;

const SCRIPTS = /java-?script|ecmascript/i;

export function asksForScripts(text: string): boolean {
  return SCRIPTS.test(text);
}

export function announcesOtherPages(text: string): boolean {
  return OTHER_PAGES.test(text);
}

/** The part asks what the reader thinks of the page. */
export function asksForOpinion(text: string): boolean {
  return OPINION.test(text);
}

export function isAdvertisementMark(text: string): boolean {
  return ADVERTISEMENT.test(text);
}

export function isSkipLink(text: string): boolean {
  return SKIP.test(text);
}

/** The line of the owner, or a question for consent. */
export function isNotice(text: string): boolean {
  return OWNER.test(text) || (COOKIES.test(text) && CHOICE.test(text));
}
