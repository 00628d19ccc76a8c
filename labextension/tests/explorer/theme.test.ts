// @vitest-environment happy-dom
import { afterEach, describe, expect, it } from 'vitest';
import { diffColor } from '../../src/explorer/diff/marks';
import { STEPS, stepColor } from '../../src/explorer/run/overlay';
import { cssVariables, readTheme, type Theme } from '../../src/explorer/ui/theme';
import { DiffStatus } from '../../src/model/diff/differences';

/** Relative luminance and contrast ratio as WCAG 2.2 defines them. */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const theme = (dark: boolean, name = ''): Theme => {
  document.body.setAttribute('data-jp-theme-light', String(!dark));
  document.body.setAttribute('data-jp-theme-name', name);
  return readTheme(document.body);
};

afterEach(() => {
  document.body.removeAttribute('data-jp-theme-light');
  document.body.removeAttribute('data-jp-theme-name');
});

const THEMES: [string, boolean, string][] = [
  ['light', false, ''],
  ['dark', true, ''],
  ['light, high contrast', false, 'JupyterLab Light High Contrast'],
  ['dark, high contrast', true, 'JupyterLab Dark High Contrast'],
];

describe.each(THEMES)('%s', (_, dark, name) => {
  it('has text of contrast AA on every ground', () => {
    const {
      text,
      muted: faint,
      edgeLabel,
      background,
      box,
      closed,
      depths,
      input,
      output,
    } = theme(dark, name);
    const poor: string[] = [];
    for (const ground of [background, box, closed, input, output, ...depths]) {
      for (const ink of [text, faint, edgeLabel]) {
        if (contrast(ink, ground) < 4.5) {
          poor.push(`${ink} on ${ground}: ${contrast(ink, ground).toFixed(2)}`);
        }
      }
    }
    expect(poor).toEqual([]);
  });

  it('has text of contrast AA in the panels', () => {
    const css = cssVariables(theme(dark, name));
    const pairs = [
      ['--tl-text', '--tl-surface'],
      ['--tl-muted', '--tl-surface'],
      ['--tl-muted', '--tl-background'],
      ['--tl-muted', '--tl-raised'],
      ['--tl-muted', '--tl-mark'],
      ['--tl-text', '--tl-mark'],
      ['--tl-accent', '--tl-surface'],
      ['--tl-accent', '--tl-raised'],
      ['--tl-error', '--tl-surface'],
      ['--tl-warning-ink', '--tl-warning'],
    ];
    const poor = pairs.filter(([ink, ground]) => contrast(css[ink], css[ground]) < 4.5);
    expect(poor.map((pair) => [...pair, ...pair.map((each) => css[each])])).toEqual([]);
  });

  it('has numbers and words laid over the picture of contrast AA', () => {
    const { text, background } = theme(dark, name);
    // `drawTag` writes all of them in the one on the other.
    expect(contrast(text, background)).toBeGreaterThanOrEqual(4.5);
  });

  it('has frames around gauges of contrast 3 to 1, whatever the color inside', () => {
    const { muted: faint, background, box, closed } = theme(dark, name);
    const poor = [background, box, closed].filter((ground) => contrast(faint, ground) < 3);
    expect(poor).toEqual([]);
  });

  it('has gauges whose colors go one way, so that they are told apart without hue', () => {
    const shades = Array.from({ length: STEPS }, (_, step) => luminance(stepColor(theme(dark, name), step)));
    const steps = shades.slice(1).map((shade, at) => (dark ? shade / shades[at] : shades[at] / shade));
    expect(steps.filter((ratio) => ratio < 1.15)).toEqual([]);
  });

  it('has marks of differences of contrast 3 to 1 on the page, and in lists', () => {
    const read = theme(dark, name);
    const grounds = [
      read.background,
      read.box,
      read.closed,
      ...read.depths,
      cssVariables(read)['--tl-surface'],
    ];
    const poor = [DiffStatus.Added, DiffStatus.Removed, DiffStatus.Changed].flatMap((mark) =>
      grounds.filter((ground) => contrast(diffColor(read, mark), ground) < 3).map((ground) => [mark, ground]),
    );
    expect(poor).toEqual([]);
  });

  it('has signs on badges of contrast 3 to 1', () => {
    const { warning, warningInk, error, background } = theme(dark, name);
    expect(Math.min(contrast(warningInk, warning), contrast(background, error))).toBeGreaterThanOrEqual(3);
  });

  it('has marks of contrast 3 to 1 on the page', () => {
    const { selected, match, edge, incoming, outgoing, error, background } = theme(dark, name);
    const poor = [selected, match, edge, incoming, outgoing, error].filter(
      (mark) => contrast(mark, background) < 3,
    );
    expect(poor).toEqual([]);
  });
});
