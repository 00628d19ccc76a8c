/**
 * The language of what people read. JupyterLab hands over its translation of `tracelab`; everywhere else it is English,
 * in which all texts are written.
 */

/** What is used of JupyterLab's `TranslationBundle`: `%1`, `%2` … stand for values. */
export interface Translation {
  __(text: string, ...values: unknown[]): string;
  /** `%1` stands for the count. */
  _n(one: string, many: string, count: number, ...values: unknown[]): string;
}

const filled = (text: string, values: unknown[]): string =>
  text.replace(/%(\d)/g, (_, place: string) => String(values[Number(place) - 1]));

const ENGLISH: Translation = {
  __: (text, ...values) => filled(text, values),
  _n: (one, many, count, ...values) => filled(count === 1 ? one : many, [count, ...values]),
};

/** Where the plugins leave the translation for widgets, which are bundles of their own. */
const SHARED = Symbol.for('tracelab.translation');

const page = globalThis as unknown as Record<symbol, Translation | undefined>;

const current = (): Translation => page[SHARED] ?? ENGLISH;

/** Sets the language of the page. */
export function setTranslation(to: Translation | undefined): void {
  page[SHARED] = to;
}

/** Named as in JupyterLab, whose tools find texts to translate by these calls. */
export const trans: Translation = {
  __: (text, ...values) => current().__(text, ...values),
  _n: (one, many, count, ...values) => current()._n(one, many, count, ...values),
};

/** `11,689,512`. */
export const integerText = (value: number): string => value.toLocaleString('en-US');
