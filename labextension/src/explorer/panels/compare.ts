/** Pinned elements, side by side with each other and with what is selected. */

import * as toolStrings from '../../i18n/toolstrings';
import { compare, elementText, textOf } from '../../model/elementdetails';
import type { Element } from '../../model/hierarchy';
import { element } from '../ui/dom';
import { drawPill } from '../canvas/paint/badges';
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
          class: 'link-button',
          text: elementText(graph, at),
          attributes: { type: 'button' },
          onClick: () => void view.goTo(at),
        }),
        view.pinned.includes(at)
          ? element('button', {
              class: 'link-button',
              text: '×',
              title: toolStrings.unpin(),
              attributes: { type: 'button', 'aria-label': toolStrings.unpinElement(elementText(graph, at)) },
              onClick: () => view.pin(at),
            })
          : element('span', { class: 'muted', text: toolStrings.selected() }),
      ),
    );
    return [
      element('h2', { text: toolStrings.sideBySide() }),
      element('p', {
        class: 'muted',
        text:
          columns.length < 2 ? toolStrings.selectAnother() : toolStrings.rowsDiffer(differing, rows.length),
      }),
      element('button', {
        class: 'link-button',
        text: toolStrings.copyAsText(),
        attributes: { type: 'button' },
        onClick: () => view.copy(columns.map((at) => textOf(graph, at)).join('\n\n')),
      }),
      element(
        'div',
        {
          class: 'comparison',
          attributes: { tabindex: '0', role: 'region', 'aria-label': toolStrings.comparison() },
        },
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
    title: toolStrings.compare(),
    order: 30,
    available: () => view.graph !== null && view.pinned.length > 0,
    render: table,
  });
  actions.push({
    label: toolStrings.pin(),
    available: (at) => !view.pinned.includes(at),
    run: (at) => view.pin(at),
  });
  actions.push({
    label: toolStrings.unpin(),
    available: (at) => view.pinned.includes(at),
    run: (at) => view.pin(at),
  });
  actions.push({ label: toolStrings.copyAsText(), run: (at) => view.copy(textOf(view.graph!, at)) });
  keys.bind({
    keys: ['m'],
    help: ['m', toolStrings.helpPin()],
    run: () => view.selected >= 0 && view.pin(view.selected),
  });
  keys.bind({
    keys: ['y'],
    help: ['y', toolStrings.helpCopy()],
    run: () => view.graph !== null && view.selected >= 0 && view.copy(textOf(view.graph, view.selected)),
  });
  stage.addLayer((paint, boxes) => {
    if (view.pinned.length === 0 || paint.camera.scale < 0.3) {
      return;
    }
    for (const [index, box] of boxes) {
      const number = view.pinned.indexOf(paint.scene.visible.elements[index]);
      if (number >= 0) {
        drawPill(paint, box.x + 26, box.y - 3, toolStrings.pinNumber(number + 1), paint.theme.selected);
      }
    }
  });
  events.on('pin', () => {
    if (view.pinned.length > 1) {
      view.openPanel('compare');
    }
  });
}
