/** The menu that saves: the picture as PNG or SVG, the graph as DOT, JSON or a page of its own; and links. */

import * as runStrings from '../../../i18n/runstrings';
import * as toolStrings from '../../../i18n/toolstrings';
import { dotFile } from './dotfile';
import { element } from '../../ui/dom';
import { icon } from '../../ui/icons';
import { createMenu } from '../../ui/menu';
import { linkOf } from '../../core/links';
import { figureAsk, figureSvg } from './figure';
import { pageFile } from './pagefile';
import { onScreen, wholeOf, type Shot } from './shot';
import { createSvgContext } from '../../canvas/paint/svgcontext';
import { withSizeNames } from '../../../model/sizenames';
import { bytes } from '../../../protocol/connection';
import type { FigureAsk } from '../../../protocol/runmessages';
import type { ViewDocument } from '../../../protocol/viewdocument';
import { ORDER } from '../../ui/toolbar';
import type { View } from '../../core/view';

const MARGIN = 24;
/** What browsers can still hold in a canvas. */
const MOST_SIDE = 12_000;
const MOST_PIXELS = 80_000_000;

function download(view: View, content: BlobPart, type: string, ending: string): void {
  const blob = new Blob([content], { type });
  const address = URL.createObjectURL(blob);
  const name = view.graph!.document.name.replace(/[^\w.-]+/g, '_').slice(0, 80) || 'graph';
  const link = element('a', { attributes: { href: address, download: `${name}.${ending}` } });
  view.frame.root.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  view.notify(toolStrings.saved(`${name}.${ending}`));
}

const shotOf = (view: View, all: boolean): Shot => (all ? wholeOf(view.scene!, MARGIN) : onScreen(view));

export function svgOf(view: View, all: boolean): string {
  const { camera, width, height } = shotOf(view, all);
  const context = createSvgContext();
  view.stage.paintOn(context, camera, width, height, 1);
  return context.toSvg(width, height, view.graph!.document.name);
}

function pngOf(view: View, all: boolean): Promise<Blob | null> {
  const { camera, width, height } = shotOf(view, all);
  const density = Math.min(
    2,
    MOST_SIDE / width,
    MOST_SIDE / height,
    Math.sqrt(MOST_PIXELS / (width * height)),
  );
  const canvas = element('canvas', {});
  canvas.width = Math.max(1, Math.round(width * density));
  canvas.height = Math.max(1, Math.round(height * density));
  const context = canvas.getContext('2d');
  if (context === null) {
    return Promise.resolve(null);
  }
  // Drawn at its own scale, so that what is small on the screen keeps its labels where the paper is large enough.
  view.stage.paintOn(context, camera, width, height, density);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

/** With the names of sizes that the kernel told. */
const exported = (view: View): ViewDocument => withSizeNames(view.graph!.document, view.graph!.sizeNames);

export function exportFeature(view: View): void {
  const png = async (all: boolean): Promise<void> => {
    const blob = await pngOf(view, all);
    if (blob === null) {
      view.notify(toolStrings.noPng());
    } else {
      download(view, blob, 'image/png', 'png');
    }
  };
  const svg = (text: string): void => download(view, text, 'image/svg+xml', 'svg');
  const page = async (): Promise<void> => {
    const script = (await view.options.pageScript?.()) ?? null;
    if (!script) {
      view.notify(toolStrings.noPage());
      return;
    }
    download(view, await pageFile(exported(view), script), 'text/html', 'html');
  };
  const link = (): void => view.copy(view.options.linkTo?.(linkOf(view)) ?? linkOf(view));
  const { kernel } = view.options;
  const ask = (form: FigureAsk['form']): void => {
    view.notify(toolStrings.drawingFigure());
    try {
      kernel?.send(figureAsk(view, form));
    } catch {
      view.notify(runStrings.connectionLost());
    }
  };
  kernel?.onMessage((message, [file]) => {
    if (message?.type === 'figure.made' && view.graph !== null) {
      if (message.message === '') {
        const isPdf = message.form === 'pdf';
        download(view, bytes(file) as BlobPart, isPdf ? 'application/pdf' : 'text/x-tex', message.form);
      } else {
        view.notify(message.message);
      }
    }
  });
  const asked: [string, () => void][] = [
    [toolStrings.figurePdf(), () => ask('pdf')],
    [toolStrings.figureTikz(), () => ask('tex')],
  ];
  const choices: [string, () => void][] = [
    [toolStrings.pngScreen(), () => void png(false)],
    [toolStrings.pngWhole(), () => void png(true)],
    [toolStrings.svgScreen(), () => svg(svgOf(view, false))],
    [toolStrings.svgWhole(), () => svg(svgOf(view, true))],
    [toolStrings.figureSvg(), () => svg(figureSvg(view))],
    ...(kernel === undefined ? [] : asked),
    [toolStrings.dot(), () => download(view, dotFile(view.graph!, view.scene!), 'text/vnd.graphviz', 'dot')],
    [toolStrings.json(), () => download(view, JSON.stringify(exported(view)), 'application/json', 'json')],
    [toolStrings.html(), () => void page()],
    [toolStrings.copyLink(), link],
  ];
  const menu = createMenu(
    toolStrings.exportKey(),
    icon('save'),
    toolStrings.exportMenu(),
    choices.map(([text, run]) => ({
      text,
      run() {
        if (view.graph !== null && view.scene !== null) {
          run();
        }
      },
    })),
  );
  view.toolbar.place(menu.node, ORDER.save);
  view.keys.bind({
    keys: ['s'],
    help: ['s', toolStrings.helpExport()],
    run: menu.open,
  });
}
