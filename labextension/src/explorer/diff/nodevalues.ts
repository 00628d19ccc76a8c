/** Numbers on boxes, such as the error of each operator; a closed group shows the largest inside. */

import * as toolStrings from '../../i18n/toolstrings';
import { kindOf, scopeOf } from '../../model/hierarchy';
import { element } from '../ui/dom';
import { TEXT_FROM } from '../canvas/paint/paint';
import { drawPill } from '../canvas/paint/badges';
import { ORDER } from '../ui/toolbar';
import type { Overlay } from '../../protocol/viewdocument';
import type { Hierarchy } from '../../model/hierarchy';
import type { View } from '../core/view';

/** Three digits: `0.0123`, `1.2e-7`, `inf`. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  }
  const size = Math.abs(value);
  return value === 0 || (size >= 0.001 && size < 10000)
    ? String(Number(value.toPrecision(3)))
    : value.toExponential(1);
}

export const numberOf = (value: number | string | null): number | null =>
  value === null ? null : typeof value === 'number' ? value : Number(value.replace('inf', 'Infinity'));

/** What stands for a group: NaN where there is one inside, else the largest. */
export function largestInside(h: Hierarchy, overlay: Overlay): (number | null)[] {
  const found: (number | null)[] = new Array<number | null>(h.scopes).fill(null);
  const worse = (old: number | null, value: number): number =>
    old === null || Number.isNaN(value) || (!Number.isNaN(old) && value > old) ? value : old;
  overlay.values.forEach((raw, node) => {
    const value = numberOf(raw);
    if (value !== null) {
      const scope = h.document.nodes.scope[node];
      found[scope] = worse(found[scope], value);
    }
  });
  const put = (scope: number, value: number | null): void => {
    if (value !== null) {
      found[scope] = worse(found[scope], value);
    }
  };
  const { parent } = h.document.scopes;
  for (let scope = parent.length - 1; scope > 0; scope--) {
    put(parent[scope], found[scope]);
  }
  h.repeats.forEach(({ scope, members }) => members.forEach((member) => put(scope, found[member])));
  return found;
}

export function nodeValuesFeature(view: View): void {
  const { events, stage, toolbar } = view;
  let shown: Overlay | null = null;
  let groups: (number | null)[] = [];
  const select = element('select', {
    class: 'button',
    attributes: { 'aria-label': toolStrings.valuesOnNodes() },
  });
  toolbar.place(select, ORDER.warnings + 1);
  const show = (h: Hierarchy, index: number): void => {
    shown = h.document.overlays?.[index] ?? null;
    groups = shown === null ? [] : largestInside(h, shown);
    stage.repaint();
  };
  select.addEventListener('change', () => view.graph !== null && show(view.graph, Number(select.value)));
  events.on('graph', (h) => {
    const overlays = h.document.overlays ?? [];
    select.hidden = overlays.length === 0;
    const option = (text: string, value: number): HTMLElement =>
      element('option', { text, attributes: { value: String(value) } });
    select.replaceChildren(
      ...overlays.map(({ name }, index) => option(name, index)),
      option(toolStrings.noValues(), -1),
    );
    show(h, 0);
  });
  stage.addLayer((paint, boxes) => {
    if (shown === null || paint.camera.scale < TEXT_FROM) {
      return;
    }
    for (const [index, box] of boxes) {
      const at = paint.scene.visible.elements[index];
      const kind = paint.scene.visible.kinds[index];
      const value =
        kind === 'closed'
          ? groups[scopeOf(paint.h, at)]
          : kindOf(paint.h, at) === 'op'
            ? numberOf(shown.values[at])
            : null;
      if (value !== null && value !== undefined) {
        const bad = !Number.isFinite(value);
        drawPill(
          paint,
          box.x + box.width - 4,
          box.y + box.height,
          shortNumber(value),
          bad ? paint.theme.error : paint.theme.muted,
        );
      }
    }
  });
}
