/** What the plugins share: the icon, the explorer, notifications, opening a file at a line. */

import { Notification } from '@jupyterlab/apputils';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { LabIcon } from '@jupyterlab/ui-components';
import { createExplorer, type Explorer, type ExplorerOptions } from '../explorer/explorer';

/** The mark of tracelab in tabs, menus and cards; its colors are the theme's. */
export const traceIcon = new LabIcon({
  name: 'tracelab:trace',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <rect x="8" y="2" width="8" height="5" rx="1.5"/>
    <rect x="2" y="10" width="8" height="5" rx="1.5"/>
    <rect x="14" y="10" width="8" height="5" rx="1.5"/>
    <rect x="8" y="18" width="8" height="5" rx="1.5"/>
    <path d="M10.6 6h1.6L7 11H5.400zM13.400 6h-1.600l5.200 5h1.600zM5.400 14H7l5.200 5h-1.600zM18.600 14H17l-5.200 5h1.600z"/>
  </g>
</svg>`,
});

/** An explorer that can save pages; their script is fetched when it is asked for. */
export function labExplorer(host: HTMLElement, document: unknown, options: ExplorerOptions = {}): Explorer {
  return createExplorer(host, document, {
    pageScript: async () => (await import('../generated/pagescript')).PAGE_SCRIPT,
    ...options,
  });
}

/** Shows a message for a moment. */
export function notify(text: string): void {
  Notification.emit(text, 'warning', { autoClose: 6000 });
}

export interface FilePlace {
  /** As the trace names it: relative to the kernel's folder, or to where it was imported from. */
  file: string;
  /** Counts from 1. */
  line: number;
  /** Counts from 0. */
  column: number;
}

/**
 * Opens a file of the server at a line. `beside`: the path of the notebook, whose folder the file is looked for in
 * first. False: no such file is under the folder that the server shows.
 */
export async function openFileAt(
  manager: IDocumentManager,
  beside: string,
  { file, line, column }: FilePlace,
): Promise<boolean> {
  if (file.startsWith('<')) {
    return false;
  }
  const paths = new Set([PathExt.join(PathExt.dirname(beside), file), file]);
  for (const path of paths) {
    const found = await manager.services.contents.get(path, { content: false }).catch(() => null);
    if (found !== null && found.type === 'file') {
      const widget = manager.openOrReveal(path);
      await widget?.context.ready;
      const { editor } = (widget?.content ?? {}) as { editor?: CodeEditor.IEditor };
      if (editor !== undefined) {
        placeCursor(editor, line - 1, column);
      }
      return true;
    }
  }
  return false;
}

export function placeCursor(editor: CodeEditor.IEditor, line: number, column: number): void {
  const at = { line: Math.min(line, editor.lineCount - 1), column };
  editor.setCursorPosition(at);
  editor.revealPosition(at);
  editor.focus();
}
