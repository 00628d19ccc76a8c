/** The language of the search field: words, `qualifier:word`, `"two words"`, and `-` for what must not be there. */

export const QUALIFIERS = [
  'op',
  'in',
  'shape',
  'name',
  'dtype',
  'device',
  'src',
  'line',
  'warn',
  'failed',
] as const;

export type Qualifier = (typeof QUALIFIERS)[number];

export interface Term {
  /** Null: any word written about the element. */
  qualifier: Qualifier | null;
  /** In lower case; empty after a bare `warn:`, which any warning satisfies. */
  text: string;
  negated: boolean;
}

/** `op:conv -in:"my layer" relu` in terms. An unknown qualifier is a word with a colon in it: `aten::relu`. */
export function parseQuery(query: string): Term[] {
  const terms: Term[] = [];
  for (const [whole] of query.toLowerCase().matchAll(/(?:[^\s"]|"[^"]*"?)+/g)) {
    const negated = whole.length > 1 && whole.startsWith('-');
    const word = negated ? whole.slice(1) : whole;
    const colon = word.indexOf(':');
    const qualifier = QUALIFIERS.find((each) => each === word.slice(0, colon)) ?? null;
    const known = qualifier !== null && word[colon + 1] !== ':';
    const text = (known ? word.slice(colon + 1) : word).replace(/"/g, '');
    if (text === '' && !(known && (qualifier === 'warn' || qualifier === 'failed'))) {
      // `op:` on its way to `op:conv` says nothing yet.
      continue;
    }
    terms.push({ qualifier: known ? qualifier : null, text, negated });
  }
  return terms;
}
