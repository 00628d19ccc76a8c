/** What is read when it is needed; in the widget's bundle another module stands here: see `build/parts.mjs`. */

export const later = (): Promise<typeof import('./deferred')> => import('./deferred');

/** The text of a script that starts a standalone page; null where the bundle holds none. */
export const pageText = (): Promise<string | null> => Promise.resolve(null);
