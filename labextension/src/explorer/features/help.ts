/** Keys and legend, shown by `?`. */

import * as toolStrings from '../../i18n/toolstrings';
import type { Category } from '../../model/category';
import { button, element } from '../ui/dom';
import type { KeyBinding } from '../ui/keys';
import type { Theme } from '../ui/theme';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

export interface Help {
  node: HTMLElement;
  toggle(shown?: boolean): void;
  readonly shown: boolean;
  paint(theme: Theme): void;
}

const CATEGORIES: [Category, () => string][] = [
  ['compute', toolStrings.categoryCompute],
  ['norm', toolStrings.categoryNorm],
  ['activation', toolStrings.categoryActivation],
  ['pool', toolStrings.categoryPool],
  ['shape', toolStrings.categoryShape],
  ['region', toolStrings.categoryRegion],
  ['other', toolStrings.categoryOther],
];

export function createHelp(bindings: () => readonly KeyBinding[], onClose: () => void): Help {
  const list = element('div', { class: 'columns' });
  const legend = element('div', { class: 'columns' });
  const hide = (): void => {
    node.hidden = true;
    onClose();
  };
  const close = button(toolStrings.closeHelp(), '×', hide);
  const node = element(
    'div',
    {
      class: 'help',
      attributes: { role: 'dialog', 'aria-label': toolStrings.keysAndLegend() },
      onClick: (event) => {
        if (event.target === node) {
          hide();
        }
      },
    },
    element(
      'div',
      { class: 'card' },
      element('div', { attributes: { style: 'float:right' } }, close),
      element('h2', { text: toolStrings.keys() }),
      list,
      element('p', {
        class: 'muted',
        text: toolStrings.pointerHelp(),
      }),
      element('h2', { text: toolStrings.legend() }),
      legend,
    ),
  );
  node.hidden = true;
  return {
    node,
    get shown() {
      return !node.hidden;
    },
    toggle(shown = node.hidden) {
      if (!shown) {
        hide();
        return;
      }
      list.replaceChildren(
        ...bindings().flatMap(({ help }) =>
          help === undefined
            ? []
            : [element('div', {}, element('kbd', { text: help[0] }), element('span', { text: help[1] }))],
        ),
      );
      node.hidden = false;
      close.focus();
    },
    paint(theme) {
      const row = (color: string, text: string, border = color, round = false): HTMLElement => {
        const swatch = element('span', { class: 'swatch' });
        swatch.style.background = color;
        swatch.style.borderColor = border;
        swatch.style.borderRadius = round ? '8px' : '4px';
        return element('div', {}, swatch, element('span', { text }));
      };
      legend.replaceChildren(
        row(theme.input, toolStrings.legendInput(), theme.inputBorder, true),
        row(theme.output, toolStrings.legendOutput(), theme.outputBorder, true),
        row(theme.closed, toolStrings.legendClosed(), theme.closedBorder),
        row(theme.depths[1], toolStrings.legendOpen(), theme.groupBorder),
        ...CATEGORIES.map(([category, text]) => row(theme.categories[category], text())),
        row(theme.incoming, toolStrings.legendIncoming()),
        row(theme.outgoing, toolStrings.legendOutgoing()),
        row(theme.warning, toolStrings.legendWarning()),
        row(theme.error, toolStrings.legendFailed()),
      );
    },
  };
}

export function helpFeature(view: View): void {
  const help = createHelp(
    () => view.keys.bindings,
    () => view.tree.node.focus(),
  );
  view.addDialog(help.node);
  view.events.on('theme', (theme) => help.paint(theme));
  view.toolbar.add({
    label: toolStrings.keysAndLegendKey(),
    face: '?',
    order: ORDER.help,
    run: () => help.toggle(),
  });
  view.keys.bind({
    keys: ['?'],
    help: ['?', toolStrings.helpHelp()],
    anywhere: true,
    run: () => help.toggle(true),
  });
  // While it is open it takes every key.
  help.node.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' || event.key === '?') {
      help.toggle(false);
      event.preventDefault();
    }
    event.stopPropagation();
  });
}
