/** The hot spots: operators or modules with the largest values of the current overlay. */

import * as runStrings from '../../i18n/runstrings';
import { elementText } from '../../model/elementdetails';
import { groupElement, type Hierarchy } from '../../model/hierarchy';
import { hotSpots, isRanked, type HotSpot, type Metric } from '../../model/run/metrics';
import { element } from '../ui/dom';
import type { RunState } from './runstate';
import type { View } from '../core/view';

const MOST_ROWS = 100;

type Column = 'name' | 'value';

export function hotSpotsFeature(view: View, state: RunState): void {
  let groups = false;
  let column: Column = 'value';
  let descending = true;
  const refresh = (): void => view.panel.refresh('hotspots');

  const head = (id: Column, text: string): HTMLElement =>
    element(
      'th',
      {
        attributes: {
          scope: 'col',
          'aria-sort': column !== id ? 'none' : descending ? 'descending' : 'ascending',
        },
      },
      element('button', {
        text,
        attributes: { type: 'button' },
        onClick() {
          descending = column === id ? !descending : id === 'value';
          column = id;
          refresh();
        },
      }),
    );

  const table = (h: Hierarchy, metric: Metric): HTMLElement => {
    const name = (row: HotSpot): string => (row.group ? h.paths[row.at] : elementText(h, row.at));
    const rows = hotSpots(h, metric, groups, MOST_ROWS);
    if (column === 'name') {
      rows.sort((a, b) => name(a).localeCompare(name(b)));
    }
    if (descending === (column === 'name')) {
      rows.reverse();
    }
    const cells = rows.map((row) => {
      const to = row.group ? groupElement(h, row.at) : row.at;
      return element(
        'tr',
        {},
        element(
          'td',
          {},
          element('button', {
            text: name(row),
            attributes: { type: 'button' },
            onClick: () => void view.goTo(to),
          }),
        ),
        element('td', { text: metric.text(row.value) }),
        element('td', { text: row.share === null ? '' : runStrings.percent((100 * row.share).toFixed(1)) }),
      );
    });
    return element(
      'table',
      { class: 'hotspots' },
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          head('name', groups ? runStrings.module() : runStrings.operator()),
          head('value', metric.label),
          metric.isAdditive
            ? element('th', { text: runStrings.share(), attributes: { scope: 'col' } })
            : null,
        ),
      ),
      element('tbody', {}, ...cells),
    );
  };

  const choice = (text: string, value: boolean): HTMLElement =>
    element('button', {
      class: 'link-button',
      text,
      attributes: { type: 'button', 'aria-pressed': String(groups === value) },
      onClick() {
        groups = value;
        refresh();
      },
    });

  view.panel.add({
    id: 'hotspots',
    title: runStrings.hotSpots(),
    order: 30,
    available: () => isRanked(state.metric),
    render() {
      const { metric } = state;
      if (view.graph === null || metric === null) {
        return [];
      }
      return [
        element('h2', { text: runStrings.hotSpotsBy(metric.label) }),
        element(
          'div',
          { class: 'actions', attributes: { role: 'group', 'aria-label': runStrings.rows() } },
          choice(runStrings.operators(), false),
          choice(runStrings.modules(), true),
        ),
        table(view.graph, metric),
      ];
    },
  });
  state.events.on('metric', refresh);
}
