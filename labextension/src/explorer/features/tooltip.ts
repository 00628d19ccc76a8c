/** A few lines beside the pointer about what lies under it. */

import * as strings from '../../i18n/strings';
import * as toolStrings from '../../i18n/toolstrings';
import { bundleOf } from '../../model/bundles';
import {
  boundaryText,
  contentsText,
  labelOf,
  repeatText,
  scopeClass,
  shapeText,
  string,
} from '../../model/describe';
import { fullType, placeText } from '../../model/elementdetails';
import {
  kindOf,
  boundaryName,
  boundaryValue,
  outputsOf,
  scopeOf,
  type Element,
  type Hierarchy,
} from '../../model/hierarchy';
import { element } from '../ui/dom';
import { hitTest } from '../core/positions';
import { truncate } from '../canvas/scene';
import type { View } from '../core/view';

const DELAY_MS = 450;
const LONGEST = 90;

function lines(h: Hierarchy, at: Element): string[] {
  const { document } = h;
  const { nodes, values } = document;
  const { title } = labelOf(h, at);
  const name = (value: number): string => `%${string(document, values.name[value])}`;
  switch (kindOf(h, at)) {
    case 'op': {
      const inputs = [...new Set(nodes.inputs[at])];
      return [
        string(document, nodes.kind[at]),
        ...outputsOf(h, at)
          .slice(0, 3)
          .map((value) => `→ ${name(value)}  ${fullType(h, value)}`),
        ...inputs.slice(0, 4).map((value) => `← ${name(value)}  ${shapeText(h, value)}`),
        ...(inputs.length > 4 ? [toolStrings.moreInputs(inputs.length - 4)] : []),
        placeText(h, nodes.source[at]),
        h.nodeWarnings[at] > 0 ? toolStrings.warned(strings.warnings(h.nodeWarnings[at])) : '',
        nodes.failed === at ? toolStrings.failedHere() : '',
      ];
    }
    case 'group': {
      const scope = scopeOf(h, at);
      return [
        bundleOf(h, scope) === undefined ? h.paths[scope] || title : title,
        scopeClass(h, scope),
        bundleOf(h, scope) === undefined
          ? repeatText(h, scope) || toolStrings.operators(h.opCount[scope])
          : contentsText(h, scope),
        h.parameterCount[scope] > 0 ? toolStrings.parameters(h.parameterCount[scope]) : '',
        h.scopeWarnings[scope] > 0 ? toolStrings.warned(strings.warnings(h.scopeWarnings[scope])) : '',
        h.scopeFailed[scope] ? toolStrings.failedInside() : '',
      ];
    }
    default: {
      const value = boundaryValue(h, at);
      return [toolStrings.boundary(boundaryText(h, at), boundaryName(h, at)), fullType(h, value)];
    }
  }
}

export function tooltipFeature(view: View): void {
  const { tree, stage } = view;
  const node = element('div', { class: 'tooltip', attributes: { 'aria-hidden': 'true' } });
  node.hidden = true;
  stage.node.append(node);
  let timer = 0;
  let shownFor = -1;
  const hide = (): void => {
    clearTimeout(timer);
    node.hidden = true;
    shownFor = -1;
  };
  const show = (index: number, x: number, y: number): void => {
    if (view.graph === null || view.scene === null) {
      return;
    }
    shownFor = index;
    node.replaceChildren(
      ...lines(view.graph, view.scene.visible.elements[index])
        .filter(Boolean)
        .map((text) => element('div', { text: truncate(text, LONGEST) })),
    );
    node.hidden = false;
    node.style.left = `${Math.max(4, Math.min(x + 14, stage.width - node.offsetWidth - 6))}px`;
    const below = y + 18;
    const top = below + node.offsetHeight > stage.height ? y - node.offsetHeight - 10 : below;
    node.style.top = `${Math.max(4, top)}px`;
  };
  tree.node.addEventListener('pointermove', (event) => {
    if (event.pointerType === 'touch' || event.buttons !== 0) {
      hide();
      return;
    }
    const bounds = tree.node.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    const { index, isBackground: ground } = hitTest(view, x, y);
    if (index !== shownFor) {
      hide();
    }
    if (index >= 0 && !ground && shownFor < 0) {
      clearTimeout(timer);
      timer = window.setTimeout(() => show(index, x, y), DELAY_MS);
    }
  });
  for (const event of ['pointerleave', 'pointerdown', 'wheel', 'keydown'] as const) {
    tree.node.addEventListener(event, hide, { passive: true });
  }
  view.events.on('scene', hide);
  view.events.on('destroy', hide);
}
