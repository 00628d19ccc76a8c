/** Colours of what is laid over the picture, from little to much, and for words; light and dark. */

import type { Theme } from './theme';

const LIGHT = ['#fdf1cf', '#fbd283', '#f5a24a', '#e2682b', '#b8371f', '#7f1222'];
const DARK = ['#3b3526', '#5f4b22', '#93661f', '#c98529', '#eeae4e', '#ffe0a0'];
const WORDS_LIGHT = ['#7fb2e5', '#f0b55a', '#8ccf9b', '#d79be0', '#e58f86', '#b7bcc8'];
const WORDS_DARK = ['#3f78b5', '#a9741c', '#3f8a55', '#8f55a0', '#a9493f', '#616a7c'];

export const STEPS = LIGHT.length;

/** How much of the most it is, from 0 to 1: the root, so that small ones can be told apart too. */
export const level = (value: number, most: number): number =>
  most > 0 && value > 0 ? Math.min(1, Math.sqrt(value / most)) : 0;

export const stepColour = (theme: Theme, step: number): string => (theme.dark ? DARK : LIGHT)[step];

export const levelColour = (theme: Theme, at: number): string =>
  stepColour(theme, Math.min(STEPS - 1, Math.floor(at * STEPS)));

export function wordColour(theme: Theme, place: number): string {
  const colours = theme.dark ? WORDS_DARK : WORDS_LIGHT;
  return colours[place % colours.length];
}
