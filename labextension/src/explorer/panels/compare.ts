/** Pinned elements, side by side with each other and with what is selected. */

import { compare, elementText, textOf } from '../../model/elementdetails';
import type { Element } from '../../model/hierarchy';
import { element } from '../ui/dom';
import { drawTag } from '../canvas/paint/badges';
import type { View } from '../core/view';

const MOST_COLUMNS = 6;

export function compareFeature(view: View): void {
  const { actions, events, keys, panel, stage } = view;
  const shown = (): Element[] =>
    [...new Set([...view.pinned, view.selected])].filter((at) => at >= 0).slice(0, MOST_COLUMNS);

  const table = (): Node[] => {
    const graph = view.graph!;
    const columns = shown();
    const rows = compare(graph, columns).filter(({ texts }) => texts.some(Boolean));
    const differing = rows.filter(({ same }) => !same).length;
    const head = columns.map((at) =>
      element(
        'th',
        { attributes: { scope: 'col' } },
        element('button', {
          class: 'jump',
          text: elementText(graph, at),
          attributes: { type: 'button' },
          onClick: () => void view.goTo(at),
        }),
        view.pinned.includes(at)
          ? element('button', {
              class: 'jump',
              text: '×',
              title: 'Let go',
              attributes: { type: 'button', 'aria-label': `Let go of ${elementText(graph, at)}` },
              onClick: () => view.pin(at),
            })
          : element('span', { class: 'faint', text: 'selected' }),
      ),
    );
    return [
      element('h2', { text: 'Side by side' }),
      element('p', {
        class: 'faint',
        text:
          columns.length < 2
            ? 'Select another element to compare it with, or pin more: Shift and a click, or m.'
            : `${differing} of ${rows.length} facts differ, marked ≠.`,
      }),
      element('button', {
        class: 'jump',
        text: 'Copy as text',
        attributes: { type: 'button' },
        onClick: () => view.copy(columns.map((at) => textOf(graph, at)).join('\n\n')),
      }),
      element(
        'div',
        { class: 'wide', attributes: { tabindex: '0', role: 'region', 'aria-label': 'Comparison' } },
        element(
          'table',
          {},
          element('thead', {}, element('tr', {}, element('td', {}), ...head)),
          element(
            'tbody',
            {},
            ...rows.map(({ name, texts, same }) =>
              element(
                'tr',
                { class: same || columns.length < 2 ? '' : 'differs' },
                element('th', {
                  text: same || columns.length < 2 ? name : `≠ ${name}`,
                  attributes: { scope: 'row' },
                }),
                ...texts.map((text) => element('td', { text })),
              ),
            ),
          ),
        ),
      ),
    ];
  };

  panel.add({
    id: 'compare',
    title: 'Compare',
    order: 30,
    available: () => view.graph !== null && view.pinned.length > 0,
    render: table,
  });
  actions.push({
    label: 'Pin',
    available: (at) => !view.pinned.includes(at),
    run: (at) => view.pin(at),
  });
  actions.push({
    label: 'Let go',
    available: (at) => view.pinned.includes(at),
    run: (at) => view.pin(at),
  });
  actions.push({ label: 'Copy as text', run: (at) => view.copy(textOf(view.graph!, at)) });
  keys.bind({
    keys: ['m'],
    help: ['m', 'pin what is selected, or let go of it'],
    run: () => view.selected >= 0 && view.pin(view.selected),
  });
  keys.bind({
    keys: ['y'],
    help: ['y', 'copy what is selected as text'],
    run: () => view.graph !== null && view.selected >= 0 && view.copy(textOf(view.graph, view.selected)),
  });
  stage.addLayer((paint, boxes) => {
    if (view.pinned.length === 0 || paint.camera.scale < 0.3) {
      return;
    }
    for (const [index, box] of boxes) {
      const number = view.pinned.indexOf(paint.scene.visible.elements[index]);
      if (number >= 0) {
        drawTag(paint, box.x + 26, box.y - 3, `pin ${number + 1}`, paint.theme.selected);
      }
    }
  });
  events.on('pin', () => {
    if (view.pinned.length > 1) {
      view.openPanel('compare');
    }
  });
}
