/** An explorer with all its features, as every host has it. */

import * as deferred from '../../src/explorer/deferred';
import { createExplorer as create, type Explorer, type ExplorerOptions } from '../../src/explorer/explorer';

export type { Explorer, ExplorerOptions };

export const createExplorer = (
  host: HTMLElement,
  document: unknown,
  options: ExplorerOptions = {},
): Explorer => create(host, document, { deferred: () => Promise.resolve(deferred), ...options });
