/** The two graphs side by side: both panes move, open and select together. */

import * as toolStrings from '../../i18n/toolstrings';
import {
  groupElement,
  inputElement,
  kindOf,
  boundaryValue,
  scopeOf,
  type Element,
  type Hierarchy,
} from '../../model/hierarchy';
import { validScopes } from '../../model/openstate';
import { repeatNamed, collapsedPaths, repeatOf, setCollapsed } from '../../model/repeats';
import { isDocumentScope } from '../../model/bundles';
import { diffSideOf, type DiffSide, type SideName } from '../../model/diff/split';
import { button, element } from '../ui/dom';
import { ORDER } from '../ui/toolbar';
import type { MakeView, View } from '../core/view';

interface Pane {
  view: View;
  side: DiffSide;
  host: HTMLElement;
}

/** The same scopes in the other document. Scopes of the document have the same numbers in both; rows of repeats do not. */
const scopesIn = (from: Hierarchy, scopes: Iterable<number>, to: Hierarchy): number[] =>
  [...scopes].flatMap((scope) => {
    if (isDocumentScope(from, scope)) {
      return [scope];
    }
    const there = repeatNamed(to, from.paths[scope]);
    return there === undefined ? [] : [there.scope];
  });

/** The same element in the other document; -1: it is not there. */
function translate(from: Hierarchy, at: Element, to: Hierarchy, nodeOf: (node: number) => number): Element {
  if (at < 0) {
    return -1;
  }
  switch (kindOf(from, at)) {
    case 'op':
      return nodeOf(at);
    case 'group': {
      const [scope] = scopesIn(from, [scopeOf(from, at)], to);
      if (scope !== undefined && to.opCount[scope] > 0 && !to.inlined[scope]) {
        return groupElement(to, scope);
      }
      // A row that is not there as a whole, or not collapsed: its first block stands for it.
      const block = repeatOf(from, scopeOf(from, at))?.members.find((each) => to.opCount[each] > 0);
      return block === undefined || to.inlined[block] ? -1 : groupElement(to, block);
    }
    case 'input': {
      const index = to.inputIndex.get(boundaryValue(from, at));
      return index === undefined ? -1 : inputElement(to, index);
    }
    default:
      return -1;
  }
}

/** The middle of what is selected; null where it is not shown. */
function placeOf({ view }: Pane): { x: number; y: number } | null {
  const { scene, selectedIndex: at } = view;
  return scene === null || at < 0
    ? null
    : { x: scene.x[at] + scene.width[at] / 2, y: scene.y[at] + scene.height[at] / 2 };
}

export function sideBySideFeature(view: View, make: MakeView): void {
  const holder = element('div', {
    class: 'side-by-side',
    attributes: { role: 'group', 'aria-label': toolStrings.sideBySide() },
  });
  let panes: Pane[] = [];
  /** The pane that the person moves: the other one follows. */
  let leader: Pane | null = null;
  /** How many selections are on their way into the panes. */
  let busy = 0;
  let syncing = false;
  holder.hidden = true;
  view.stage.node.append(holder);
  // What happens in a pane is none of the business of the picture below it.
  for (const name of [
    'pointerdown',
    'pointermove',
    'pointerup',
    'click',
    'dblclick',
    'wheel',
    'contextmenu',
  ]) {
    holder.addEventListener(name, (event) => event.stopPropagation());
  }
  holder.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      close();
    }
    event.stopPropagation();
  });

  const toggle = button(toolStrings.sideBySide(), '◫', () => (panes.length > 0 ? close() : open()));
  toggle.setAttribute('aria-pressed', 'false');
  view.toolbar.place(toggle, ORDER.warnings - 1);

  function addPane(name: SideName): Pane {
    const side = diffSideOf(view.graph!.document, name);
    const host = element('div', { class: 'pane', attributes: { 'data-side': name } });
    const inside = element('div', { class: 'fill' });
    host.append(
      inside,
      element('span', {
        class: 'label',
        text: name === 'before' ? toolStrings.before() : toolStrings.after(),
      }),
    );
    holder.append(host);
    const made = make(inside, side.document);
    made.toolbar.node.style.display = 'none';
    made.panel.node.style.display = 'none';
    made.stage.resize();
    return { view: made, side, host };
  }

  function follow(pane: Pane, other: Pane): void {
    let last = pane.view.stage.camera;
    for (const name of ['pointerdown', 'wheel', 'keydown']) {
      pane.host.addEventListener(name, () => (leader = pane), { capture: true, passive: true });
    }
    pane.view.events.on('camera', (camera) => {
      const scale = camera.scale / last.scale;
      if (leader === pane && busy === 0) {
        const theirs = other.view.stage.camera;
        // What the person did to one picture, done to the other: the same shift, and a zoom around the same point.
        other.view.stage.setCamera({
          scale: theirs.scale * scale,
          x: camera.x + (theirs.x - last.x) * scale,
          y: camera.y + (theirs.y - last.y) * scale,
        });
      }
      last = camera;
    });
    pane.view.events.on('scene', () => {
      const { graph } = other.view;
      if (leader === pane && busy === 0 && graph !== null) {
        const wanted = validScopes(graph, scopesIn(pane.view.graph!, pane.view.opened, graph));
        const has = validScopes(graph, other.view.opened);
        if (wanted.size !== has.size || [...wanted].some((scope) => !has.has(scope))) {
          void other.view.open(wanted);
        }
      }
    });
    pane.view.events.on('collapse', () => syncCollapsed(pane.view));
    pane.view.events.on('select', (at, byPerson) => {
      if (byPerson && view.graph !== null && pane.view.graph !== null) {
        view.select(
          translate(pane.view.graph, at, view.graph, (node) => pane.side.merged[node]),
          true,
        );
        view.openPanel();
      }
    });
  }

  /** What is collapsed in one of the three pictures is collapsed in all, so that a selected row is there in each. */
  function syncCollapsed(from: View): void {
    if (syncing || from.graph === null) {
      return;
    }
    syncing = true;
    for (const other of [view, ...panes.map((pane) => pane.view)]) {
      if (other !== from && other.graph !== null && setCollapsed(other.graph, collapsedPaths(from.graph))) {
        other.events.emit('collapse');
        void other.open(validScopes(other.graph, other.opened));
      }
    }
    syncing = false;
  }

  function open(): void {
    holder.hidden = false;
    toggle.setAttribute('aria-pressed', 'true');
    panes = (['before', 'after'] as const).map(addPane);
    follow(panes[0], panes[1]);
    follow(panes[1], panes[0]);
    void start(panes);
  }

  /** What is open in one pane at first is open in both. */
  async function start(shown: Pane[]): Promise<void> {
    await Promise.all(
      shown.map(({ view: { events } }) => new Promise<void>((done) => events.on('scene', () => done()))),
    );
    syncCollapsed(view);
    const all = [view, ...shown.map((pane) => pane.view)].map(({ graph, opened }) => ({ graph, opened }));
    for (const { view: each } of shown) {
      const { graph } = each;
      if (graph !== null && panes === shown) {
        const opened = all.flatMap((from) => (from.graph ? scopesIn(from.graph, from.opened, graph) : []));
        await each.open(validScopes(graph, opened), -1, true);
      }
    }
    await selectInBoth();
  }

  function close(): void {
    panes.forEach((pane) => pane.view.destroy());
    panes = [];
    leader = null;
    holder.replaceChildren();
    holder.hidden = true;
    toggle.setAttribute('aria-pressed', 'false');
    view.tree.node.focus();
  }

  async function selectInBoth(): Promise<void> {
    if (panes.length === 0) {
      return;
    }
    busy++;
    for (const pane of panes) {
      const { graph } = pane.view;
      if (graph !== null && view.graph !== null) {
        const to = translate(view.graph, view.selected, graph, (node) => pane.side.own[node]);
        if (to < 0) {
          pane.view.select(-1, false);
        } else if (to !== pane.view.selected) {
          await pane.view.goTo(to, false);
        }
      }
    }
    lineUp();
    // The panel that opens beside the panes makes them narrower a moment later.
    requestAnimationFrame(() => requestAnimationFrame(lineUp));
    busy--;
  }

  /** What is selected stands at the same height in both: where it is in the pane that was clicked, else in the middle. */
  function lineUp(): void {
    const places = panes.map((pane) => placeOf(pane));
    if (places.length === 0 || places.some((place) => place === null)) {
      return;
    }
    const lead = leader === null ? null : panes.indexOf(leader);
    const { scale } = panes[lead ?? 0].view.stage.camera;
    panes.forEach(({ view: { stage } }, index) => {
      const { x, y } = places[index]!;
      const from = lead === null ? null : panes[lead].view.stage.camera;
      const top = from === null ? stage.node.clientHeight / 2 : places[lead!]!.y * from.scale + from.y;
      const left = from === null ? stage.node.clientWidth / 2 : places[lead!]!.x * from.scale + from.x;
      if (index !== lead) {
        stage.setCamera({ scale, x: left - x * scale, y: top - y * scale });
      }
    });
  }

  view.events.on('select', () => void selectInBoth());
  view.events.on('collapse', () => syncCollapsed(view));
  view.events.on('graph', (h) => {
    if (panes.length > 0) {
      close();
    }
    toggle.hidden = h.document.diff === undefined;
  });
  view.events.on('destroy', () => panes.forEach((pane) => pane.view.destroy()));
}
