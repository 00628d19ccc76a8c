/** What the panel says about the selected element, or about the whole graph. */

import * as strings from '../../i18n/strings';
import { integerText } from '../../i18n/translation';
import { bundleOf, isOfEnds } from '../../model/bundles';
import {
  boundaryText,
  callText,
  contentsText,
  repeatText,
  scopeClass,
  scopeName,
  shortKind,
  string,
} from '../../model/describe';
import { bytesText, elementText } from '../../model/elementdetails';
import {
  groupElement,
  kindOf,
  boundaryName,
  boundaryValue,
  outputsOf,
  scopeOf,
  type Element,
  type Hierarchy,
} from '../../model/hierarchy';
import { scopesWithin } from '../../model/repeats';
import {
  argumentTable,
  changeSection,
  detailList,
  jumpButton,
  kindCounts,
  parameterList,
  parametersIn,
  section,
  valueList,
  warningSection,
  warningsWhere,
  type Jump,
} from './sections';
import { element } from '../ui/dom';
import { icon } from '../ui/icons';
import { callStack, sourceExcerpt } from './sourceexcerpt';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

function nodeDetails(h: Hierarchy, node: number, jump: Jump): Node[] {
  const { document } = h;
  const { nodes } = document;
  const kind = string(document, nodes.kind[node]);
  const schema = string(document, nodes.schema[node]);
  const source = nodes.source[node];
  const stack = source < 0 ? [] : callStack(document, source);
  const scope = nodes.scope[node];
  const parts: (Node | null)[] = [
    element('h2', { text: shortKind(kind) }),
    nodes.failed === node ? element('p', { class: 'failed', text: `✕ ${strings.operatorFailed()}` }) : null,
    detailList([
      [strings.kind(), kind],
      [strings.module(), scope === 0 ? scopeName(h, 0) : h.paths[scope]],
      [strings.classLabel(), scopeClass(h, scope)],
    ]),
    changeSection(h, node),
    schema ? element('pre', { class: 'code schema', text: schema }) : null,
    warningSection(
      h,
      warningsWhere(h, (at) => at === node),
      null,
    ),
    argumentTable(h, node),
    nodes.inputs[node].length > 0
      ? section(strings.headingInputs(), valueList(h, [...new Set(nodes.inputs[node])], jump, 'in'))
      : null,
    outputsOf(h, node).length > 0
      ? section(strings.headingOutputs(), valueList(h, outputsOf(h, node), jump, 'out'))
      : null,
    stack.length > 0 ? section(strings.headingSource(), sourceExcerpt(document, stack[0])) : null,
    stack.length > 1
      ? element(
          'details',
          { class: 'call-stack' },
          element('summary', {
            text: strings.callStack(stack.length - 1),
          }),
          ...stack.slice(1, 30).map((frame) => sourceExcerpt(document, frame)),
        )
      : null,
  ];
  return parts.filter((part): part is Node => part !== null);
}

/** Of the inputs or outputs of one structure, each. */
function bundleDetails(h: Hierarchy, scope: number, jump: Jump): Node[] {
  const bundle = bundleOf(h, scope)!;
  if (!isOfEnds(bundle)) {
    const note = bundle.kind === 'unused' ? strings.unusedNote() : strings.constantsNote();
    return [element('h2', { text: scopeName(h, scope) }), element('p', { text: note })];
  }
  const members = h.children[scope];
  const isInput = kindOf(h, members[0]) === 'input';
  const values = members.map((member) => boundaryValue(h, member));
  return [
    element('h2', { text: scopeName(h, scope) }),
    detailList([[strings.kind(), contentsText(h, scope)]]),
    section(
      isInput ? strings.headingInputs() : strings.headingOutputs(),
      valueList(h, values, jump, isInput ? 'out' : 'in'),
    ),
  ];
}

function groupDetails(h: Hierarchy, scope: number, jump: Jump): Node[] {
  if (bundleOf(h, scope) !== undefined) {
    return bundleDetails(h, scope, jump);
  }
  const { document } = h;
  const parameters = parametersIn(h, scope);
  const within = scopesWithin(h, scope);
  const inside = (node: number): boolean => node >= 0 && within[document.nodes.scope[node]] === 1;
  const parts: (Node | null)[] = [
    element('h2', { text: scopeName(h, scope) }),
    detailList([
      [strings.kind(), h.isFunction[scope] ? callText(h, scope) : ''],
      [strings.classLabel(), scopeClass(h, scope)],
      [strings.path(), h.paths[scope]],
      [strings.repeated(), repeatText(h, scope)],
      [strings.operators(), integerText(h.opCount[scope])],
      [strings.parameters(), integerText(h.parameterCount[scope])],
    ]),
    changeSection(h, groupElement(h, scope)),
    warningSection(h, warningsWhere(h, inside), jump),
    section(strings.headingOperators(), kindCounts(h, scope)),
    parameters.length > 0 ? section(strings.headingParameters(), parameterList(h, parameters)) : null,
  ];
  return parts.filter((part): part is Node => part !== null);
}

function boundaryDetails(h: Hierarchy, at: Element, jump: Jump): Node[] {
  const value = boundaryValue(h, at);
  const kind = kindOf(h, at);
  const warnings = h.document.warnings.flatMap((warning, index) =>
    kind === 'output' && warning.affects.includes(value) ? [index] : [],
  );
  const parts: (Node | null)[] = [
    element('h2', { text: boundaryName(h, at) }),
    detailList([[strings.kind(), boundaryText(h, at)]]),
    changeSection(h, at),
    warningSection(h, warnings, jump),
    section(strings.headingValue(), valueList(h, [value], jump, kind === 'input' ? 'out' : 'in')),
  ];
  return parts.filter((part): part is Node => part !== null);
}

function graphDetails(h: Hierarchy, jump: Jump): Node[] {
  const { document } = h;
  const { summary } = document;
  const failed = document.nodes.failed ?? -1;
  const parts: (Node | null)[] = [
    element('h2', { text: document.name }),
    failed >= 0
      ? element(
          'p',
          { class: 'failed' },
          element('span', { text: `✕ ${strings.failedAt()} ` }),
          jumpButton(failed, elementText(h, failed), jump),
        )
      : null,
    detailList([
      [strings.classLabel(), scopeClass(h, 0)],
      [strings.operators(), integerText(summary.ops)],
      [strings.parameters(), integerText(summary.parameters)],
      [strings.memory(), summary.parameter_bytes > 0 ? bytesText(summary.parameter_bytes) : ''],
      [strings.torch(), document.torch],
    ]),
    warningSection(
      h,
      document.warnings.map((_, index) => index),
      jump,
    ),
    h.inputs.length > 0 ? section(strings.headingInputs(), valueList(h, h.inputs, jump, 'out')) : null,
    h.outputs.length > 0 ? section(strings.headingOutputs(), valueList(h, h.outputs, jump, 'in')) : null,
    h.nodes > 0 ? section(strings.headingOperators(), kindCounts(h, 0)) : null,
  ];
  return parts.filter((part): part is Node => part !== null);
}

/** The contents of the panel; -1 stands for the whole graph. */
export function details(h: Hierarchy, selected: Element, jump: Jump): Node[] {
  if (selected < 0) {
    return graphDetails(h, jump);
  }
  switch (kindOf(h, selected)) {
    case 'op':
      return nodeDetails(h, selected, jump);
    case 'group':
      return groupDetails(h, scopeOf(h, selected), jump);
    default:
      return boundaryDetails(h, selected, jump);
  }
}

/** What can be done with the selected element: features put their actions into `view.actions`. */
function actionRow(view: View): HTMLElement {
  const at = view.selected;
  return element(
    'div',
    { class: 'actions', attributes: { role: 'group', 'aria-label': strings.actions() } },
    ...view.actions
      .filter((action) => action.available?.(at) ?? true)
      .map((action) =>
        element('button', {
          class: 'link-button',
          text: action.label,
          attributes: { type: 'button' },
          onClick: () => action.run(at),
        }),
      ),
  );
}

export function detailsFeature(view: View): void {
  const { panel, keys, toolbar } = view;
  const toggle = (): void => {
    if (panel.shown) {
      view.closePanel();
    } else {
      view.openPanel(undefined, true);
    }
  };
  panel.add({
    id: 'details',
    title: strings.details(),
    order: 0,
    render() {
      if (view.graph === null) {
        return [];
      }
      const [title, ...more] = details(view.graph, view.selected, (to) => void view.goTo(to));
      return view.selected < 0 ? [title, ...more] : [title, actionRow(view), ...more];
    },
  });
  toolbar.add({ label: strings.toggleDetails(), face: icon('details'), order: ORDER.panel, run: toggle });
  keys.bind({ keys: ['i'], help: ['i', strings.helpDetails()], anywhere: true, run: toggle });
}
