/** The names of sizes: asked of the kernel when the picture is up and nothing else is to be done. */

import * as toolStrings from '../../i18n/toolstrings';
import { sizeNamesOf } from '../../model/sizenames';
import { whenIdle } from '../ui/idle';
import type { View } from '../core/view';

/** Nobody waits longer than this before the kernel is asked. */
const PATIENCE_MS = 2000;

export function sizeNamesFeature(view: View): void {
  const { kernel } = view.options;
  let gone = false;
  view.events.on('destroy', () => (gone = true));
  kernel?.onMessage((message) => {
    if (message?.type === 'sizes.told' && message.case === view.caseIndex && view.graph !== null) {
      view.nameSizes(sizeNamesOf(view.graph.document, message.sizes));
    }
  });
  view.events.on('graph', async (graph) => {
    await whenIdle(PATIENCE_MS);
    const isKnown = graph.document.values.sizes !== undefined || graph.document.diff !== undefined;
    if (gone || isKnown || view.graph !== graph || kernel === undefined) {
      return;
    }
    try {
      kernel.send({ type: 'sizes.ask' });
    } catch {
      // There is no kernel: the picture has its numbers.
    }
  });
  view.keys.bind({
    keys: ['z'],
    help: ['z', toolStrings.helpNameSizes()],
    run() {
      const nameSizes = !view.story.nameSizes;
      view.setStory({ ...view.story, nameSizes });
      const isKnown = (view.graph?.sizeNames.size ?? 0) > 0;
      view.notify(
        !nameSizes
          ? toolStrings.namesHidden()
          : isKnown
            ? toolStrings.namesShown()
            : toolStrings.namesUnknown(),
      );
    },
  });
}
