/** What a person chose, kept by the browser for the pictures that come. */

import type { Flow } from '../../layout/types';
import { STORY, type Story } from '../../model/hierarchy';

/** What was kept under a name; null: nothing, or the page may keep nothing. */
export function remembered(name: string): string | null {
  try {
    return window.localStorage.getItem(`tracelab:${name}`);
  } catch {
    return null;
  }
}

/** An empty text forgets. */
export function remember(name: string, text: string): void {
  try {
    if (text === '') {
      window.localStorage.removeItem(`tracelab:${name}`);
    } else {
      window.localStorage.setItem(`tracelab:${name}`, text);
    }
  } catch {
    // A page that may keep nothing.
  }
}

const NOT_DRAWN = 'not-drawn';
const PARTS = Object.keys(STORY) as (keyof Story)[];

/** The story as it was told last. */
export function rememberedStory(): Story {
  const off = new Set((remembered(NOT_DRAWN) ?? '').split(' '));
  return Object.fromEntries(PARTS.map((part) => [part, !off.has(part)])) as unknown as Story;
}

export const rememberStory = (story: Story): void =>
  remember(NOT_DRAWN, PARTS.filter((part) => !story[part]).join(' '));

const FLOW = 'flow';

/** Where the main path is to run; null, where nobody chose: as each graph fits. */
export function rememberedFlow(): Flow | null {
  const flow = remembered(FLOW);
  return flow === 'down' || flow === 'right' || flow === 'columns' ? flow : null;
}

export const rememberFlow = (flow: Flow | null): void => remember(FLOW, flow ?? '');
