/** The list of traces in the left sidebar, with the warnings in files. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import type { TraceRow, WarningRow } from '../../protocol/panelmessages';
import type { TracesModel } from './model';

export const ITEM_CLASS = 'tracelab-traces-item';

export interface PanelActions {
  /** Describes the cell of a trace; empty where that is not known. */
  cellText(row: TraceRow): string;
  openFile(row: WarningRow): void;
  open(): void;
  commands: CommandRegistry;
  /** What the buttons above the list do. */
  actions: { command: string; label: string }[];
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  text = '',
): HTMLElementTagNameMap[Name] {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

let panels = 0;

export class TracesPanel extends Widget {
  readonly selectionChanged = new Signal<this, void>(this);
  private keys = new Set<string>();
  /** Where the keyboard is. */
  private active = '';
  private readonly status = element('p', 'tracelab-traces-status');
  private readonly list = element('div', 'tracelab-traces-list');
  private readonly warnings = element('section', 'tracelab-traces-warnings');
  private readonly buttons: [HTMLButtonElement, string][] = [];
  private readonly prefix = `tracelab-traces-${panels++}-`;

  constructor(
    private readonly model: TracesModel,
    private readonly trans: TranslationBundle,
    private readonly actions: PanelActions,
  ) {
    super();
    this.addClass('tracelab-traces');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Traces'));
    const header = element('h2', 'tracelab-traces-title', trans.__('Traces'));
    const bar = element('div', 'tracelab-traces-bar');
    bar.setAttribute('role', 'toolbar');
    bar.setAttribute('aria-label', trans.__('Trace actions'));
    for (const { command, label } of actions.actions) {
      const button = element('button', 'tracelab-traces-button', label);
      button.type = 'button';
      button.addEventListener('click', () => void actions.commands.execute(command));
      bar.append(button);
      this.buttons.push([button, command]);
    }
    this.status.setAttribute('role', 'status');
    this.list.setAttribute('role', 'listbox');
    this.list.setAttribute('aria-label', trans.__('Traces of the kernel'));
    this.list.setAttribute('aria-multiselectable', 'true');
    this.list.tabIndex = 0;
    this.list.addEventListener('keydown', (event) => this.onKey(event));
    this.list.addEventListener('click', (event) => this.onClick(event));
    this.list.addEventListener('contextmenu', (event) => this.onClick(event));
    this.list.addEventListener('dblclick', (event) => {
      if (this.keyAt(event) !== null) {
        actions.open();
      }
    });
    this.node.append(header, bar, this.status, this.list, this.warnings);
    model.changed.connect(() => this.draw());
    actions.commands.commandChanged.connect(() => this.drawButtons());
    this.draw();
  }

  /** The selected traces, in the order of the list. */
  get selected(): TraceRow[] {
    return this.model.content.traces.filter((row) => this.keys.has(row.key));
  }

  protected override onAfterShow(): void {
    this.model.shown = true;
  }

  protected override onAfterAttach(): void {
    this.model.shown = this.isVisible;
  }

  protected override onAfterHide(): void {
    this.model.shown = false;
  }

  protected override onActivateRequest(): void {
    (this.list.hidden ? this.buttons[0]?.[0] : this.list)?.focus();
  }

  private select(keys: string[], active: string): void {
    this.keys = new Set(keys);
    this.active = active;
    this.mark();
    this.selectionChanged.emit();
  }

  private draw(): void {
    const { content, status: sentence, waiting } = this.model;
    const { trans } = this;
    const known = new Set(content.traces.map(({ key }) => key));
    this.keys = new Set([...this.keys].filter((key) => known.has(key)));
    if (this.keys.size === 0 && content.traces.length > 0) {
      // The latest, so that one press opens what was just traced.
      this.active = content.traces[content.traces.length - 1].key;
      this.keys.add(this.active);
    } else if (!known.has(this.active)) {
      this.active = [...this.keys][0] ?? '';
    }
    const empty = sentence === null && content.traces.length === 0;
    this.status.replaceChildren(
      sentence ??
        (waiting
          ? trans.__('A cell is running. The list updates when it finishes.')
          : empty
            ? trans.__('No traces yet.')
            : ''),
    );
    if (empty && !waiting) {
      this.status.append(this.advice());
    }
    this.status.hidden = this.status.textContent === '';
    this.list.hidden = content.traces.length === 0;
    const rows = content.traces.map((row) => this.item(row));
    this.list.replaceChildren(...rows);
    this.drawWarnings();
    this.mark();
    this.drawButtons();
    this.selectionChanged.emit();
  }

  private advice(): HTMLElement {
    const { trans } = this;
    const node = element('div', 'tracelab-traces-empty');
    node.append(
      element(
        'span',
        '',
        trans.__('Load tracelab in one cell, and put the second line at the top of another:'),
      ),
      element('pre', '', '%load_ext tracelab\n%%trace'),
      element('span', '', trans.__('Traces of cells, and results of tracelab.trace, are listed here.')),
    );
    return node;
  }

  private item(row: TraceRow): HTMLElement {
    const { trans } = this;
    const node = element('div', ITEM_CLASS);
    node.id = this.prefix + row.key;
    node.dataset.key = row.key;
    node.setAttribute('role', 'option');
    const title = element('div', 'tracelab-traces-name');
    title.append(element('span', '', row.title));
    const cell = this.actions.cellText(row);
    if (cell !== '') {
      title.append(element('span', 'tracelab-traces-cell', cell));
    }
    const details = [
      row.names.length > 0 && ![row.title, 'cell'].includes(row.traced) ? row.traced : '',
      trans._n('%1 op', '%1 ops', row.ops),
      row.parameters > 0 ? trans._n('%1 parameter', '%1 parameters', row.parameters) : '',
    ].filter((text) => text !== '');
    node.append(title, element('div', 'tracelab-traces-details', details.join(' · ')));
    const addStatus = (kind: string, text: string): void =>
      node.append(element('div', `tracelab-traces-${kind}`, text));
    if (row.failed !== undefined) {
      addStatus('error', trans.__('failed at %1', row.failed));
    }
    if (row.warnings > 0) {
      addStatus('warning', trans._n('%1 warning', '%1 warnings', row.warnings));
    }
    if (row.check !== undefined) {
      addStatus(row.check.ok ? 'ok' : 'error', trans.__('check: %1', row.check.text));
    }
    return node;
  }

  private drawWarnings(): void {
    const { warnings, more_warnings } = this.model.content;
    const { trans } = this;
    this.warnings.hidden = warnings.length === 0;
    const heading = element('h3', 'tracelab-traces-title', trans.__('Warnings in files'));
    const list = element('ul', 'tracelab-traces-locations');
    for (const row of warnings) {
      const button = element('button', 'tracelab-traces-location');
      button.type = 'button';
      button.title = row.file;
      button.append(
        element('span', 'tracelab-traces-file', trans.__('%1, line %2', row.name, row.line)),
        element('span', 'tracelab-traces-message', row.message),
      );
      const more = [
        row.constant === '' ? '' : trans.__('Specialized on the value %1', row.constant),
        row.verdict === '' ? '' : trans.__('check: %1', row.verdict),
      ].filter((text) => text !== '');
      if (more.length > 0) {
        button.append(element('span', 'tracelab-traces-details', more.join(' · ')));
      }
      button.addEventListener('click', () => this.actions.openFile(row));
      const item = element('li', '');
      item.append(button);
      list.append(item);
    }
    this.warnings.replaceChildren(heading, list);
    if (more_warnings > 0) {
      this.warnings.append(element('p', '', trans._n('and %1 more', 'and %1 more', more_warnings)));
    }
  }

  private drawButtons(): void {
    for (const [button, command] of this.buttons) {
      const { commands } = this.actions;
      if (commands.hasCommand(command)) {
        button.disabled = !commands.isEnabled(command);
        button.title = commands.caption(command);
      }
    }
  }

  /** Selection and keyboard place, on the rows as they are. */
  private mark(): void {
    for (const item of this.list.querySelectorAll<HTMLElement>(`.${ITEM_CLASS}`)) {
      const key = item.dataset.key ?? '';
      item.setAttribute('aria-selected', String(this.keys.has(key)));
      item.classList.toggle('tracelab-mod-active', key === this.active);
    }
    if (this.active === '') {
      this.list.removeAttribute('aria-activedescendant');
    } else {
      this.list.setAttribute('aria-activedescendant', this.prefix + this.active);
    }
  }

  private keyAt(event: Event): string | null {
    return (event.target as Element).closest<HTMLElement>(`.${ITEM_CLASS}`)?.dataset.key ?? null;
  }

  private onClick(event: MouseEvent): void {
    const key = this.keyAt(event);
    if (key === null || (event.type === 'contextmenu' && this.keys.has(key))) {
      return;
    }
    if (event.type === 'click' && (event.ctrlKey || event.metaKey || event.shiftKey)) {
      this.toggle(key);
    } else {
      this.select([key], key);
    }
  }

  private toggle(key: string): void {
    const keys = new Set(this.keys);
    if (!keys.delete(key)) {
      keys.add(key);
    }
    this.select([...keys], key);
  }

  private onKey(event: KeyboardEvent): void {
    const order = this.model.content.traces.map(({ key }) => key);
    const at = order.indexOf(this.active);
    const places: Record<string, number> = {
      ArrowDown: Math.min(at + 1, order.length - 1),
      ArrowUp: Math.max(at - 1, 0),
      Home: 0,
      End: order.length - 1,
    };
    const to = places[event.key];
    if (to !== undefined && order.length > 0) {
      const key = order[to];
      this.select(event.shiftKey ? [...this.keys, key] : [key], key);
      this.list.querySelector('.tracelab-mod-active')?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === ' ' && at >= 0) {
      this.toggle(this.active);
    } else if (event.key === 'Enter' && at >= 0) {
      if (!this.keys.has(this.active)) {
        this.select([this.active], this.active);
      }
      this.actions.open();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
