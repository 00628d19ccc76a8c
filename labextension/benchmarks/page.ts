/** What the browser benchmarks and pictures load: the explorer, and documents that are made on the spot. */

import { createExplorer } from '../src/explorer/explorer';
import { buildHierarchy } from '../src/model/hierarchy';
import { DocumentBuilder } from '../tests/fixtures/builder';
import { gpt } from '../tests/fixtures/models';
import type { ViewDocument } from '../src/protocol/viewdocument';

/** Operators without modules, as a function traces to: every box stands at the top. */
function flat(nodes: number): ViewDocument {
  const b = new DocumentBuilder('flat');
  let x = b.input('x', [8, 128, 768]);
  const mask = b.input('mask', [8, 1, 1, 128]);
  while (b.document.nodes.kind.length < nodes) {
    const q = b.op('linear', [x], [8, 128, 768]);
    const k = b.op('linear', [x], [8, 128, 768]);
    const v = b.op('linear', [x], [8, 128, 768]);
    const scores = b.op('matmul', [q, b.op('transpose', [k], [8, 768, 128])], [8, 128, 128]);
    const weights = b.op('softmax', [b.op('add', [scores, mask], [8, 128, 128])], [8, 128, 128]);
    const sum = b.op('add', [b.op('matmul', [weights, v], [8, 128, 768]), x], [8, 128, 768]);
    const inner = b.op('gelu', [b.op('linear', [sum], [8, 128, 3072])], [8, 128, 3072]);
    x = b.op('add', [b.op('linear', [inner], [8, 128, 768]), sum], [8, 128, 768]);
  }
  b.output(x);
  return b.document;
}

/** Forty towers of operators side by side: thousands of boxes in one view. */
function wide(nodes: number): ViewDocument {
  const b = new DocumentBuilder('wide');
  const x = b.input('x', [8, 128, 768]);
  let towers = Array.from({ length: 40 }, () => b.op('linear', [x], [8, 128, 768]));
  while (b.document.nodes.kind.length < nodes) {
    towers = towers.map((tower) => b.op('linear', [b.op('relu', [tower], [8, 128, 768])], [8, 128, 768]));
  }
  b.output(b.op('cat', towers, [8, 128, 768]));
  return b.document;
}

/** `nodes` operators in blocks of 200 inside stages of ten blocks. */
function nested(nodes: number): ViewDocument {
  const b = new DocumentBuilder('nested');
  let x = b.input('x', [8, 128, 768]);
  const mask = b.input('mask', [8, 1, 1, 128]);
  for (let stage = 0; b.document.nodes.kind.length < nodes; stage++) {
    x = b.module(`stage${stage}`, 'Stage', () => {
      for (let block = 0; block < 10; block++) {
        x = b.module(String(block), 'Block', () => {
          for (let at = 0; at < 40; at++) {
            const a = b.op('linear', [x], [8, 128, 768]);
            const c = b.op('gelu', [a], [8, 128, 768]);
            const d = b.op('mul', at % 8 === 0 ? [c, mask] : [c], [8, 128, 768]);
            const e = b.op('layer_norm', [d], [8, 128, 768]);
            x = b.op('add', [e, x], [8, 128, 768]);
          }
          return x;
        });
      }
      return x;
    });
  }
  b.output(x);
  return b.document;
}

Object.assign(window, { tracelabBench: { createExplorer, buildHierarchy, flat, nested, wide, gpt } });
