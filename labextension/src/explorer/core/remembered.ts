/** What a person chose to see drawn, kept by the browser for the pictures that come. */

import { STORY, type Story } from '../../model/hierarchy';

const KEY = 'tracelab:not-drawn';

/** The story as it was told last. */
export function rememberedStory(): Story {
  try {
    const off = new Set((window.localStorage.getItem(KEY) ?? '').split(' '));
    const parts = Object.keys(STORY).map((part) => [part, !off.has(part)]);
    return Object.fromEntries(parts) as unknown as Story;
  } catch {
    // A page that may keep nothing.
    return STORY;
  }
}

export function rememberStory(story: Story): void {
  const off = (Object.keys(story) as (keyof Story)[]).filter((part) => !story[part]);
  try {
    if (off.length === 0) {
      window.localStorage.removeItem(KEY);
    } else {
      window.localStorage.setItem(KEY, off.join(' '));
    }
  } catch {
    // As above.
  }
}
