import { describe, expect, it } from 'vitest';
import { accessibleName } from '../../src/model/describe';
import {
  changeText,
  differenceCount,
  differencesOf,
  differenceText,
  DiffStatus,
  diffStatusOf,
} from '../../src/model/diff/differences';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { buildHierarchy, groupElement, inputElement, type Hierarchy } from '../../src/model/hierarchy';
import { firstPicture } from '../../src/explorer/core/firstpicture';
import { layout } from '../../src/layout/layout';
import { diffSideOf } from '../../src/model/diff/split';
import { DocumentError, readDocument } from '../../src/protocol/validate';
import { largestInside, shortNumber } from '../../src/explorer/diff/nodevalues';
import raw from '../fixtures/difference.json';

/** Written by Python: one block put in front of two, an activation replaced, a layer taken out, numbers for the nodes. */
const document = (): ViewDocument => readDocument(structuredClone(raw));
const hierarchy = (): Hierarchy => buildHierarchy(document());
const scopeAt = (h: Hierarchy, path: string): number => h.paths.indexOf(path);
const kinds = (of: ViewDocument): string[] => of.nodes.kind.map((kind) => of.strings[kind]);

describe('differences', () => {
  it('are none where there is one graph', () => {
    const single = document();
    delete single.diff;
    expect(differencesOf(buildHierarchy(single))).toBeNull();
  });

  it('are listed once each, a module that came as a whole as one', () => {
    const h = hierarchy();
    expect(
      differencesOf(h)!.locations.map((at) => [
        accessibleName(h, at, false).split(', ')[0],
        differenceText(h, at),
      ]),
    ).toEqual([
      ['first: L', 'added'],
      ['act: tanh', 'relu → tanh'],
      ['out: linear', 'removed'],
    ]);
  });

  it('are counted by the groups around them', () => {
    const h = hierarchy();
    expect(differenceCount(h, 0)).toBe(5);
    expect(differenceCount(h, scopeAt(h, 'b'))).toBe(1);
    expect(differenceCount(h, scopeAt(h, 'a'))).toBe(0);
  });

  it('open the modules that hold them, and no others', () => {
    const h = hierarchy();
    expect([...firstPicture(h, layout)]).toEqual([scopeAt(h, 'b')]);
  });

  it('are said to screen readers', () => {
    const h = hierarchy();
    expect(accessibleName(h, groupElement(h, scopeAt(h, 'first')), false)).toContain(
      'closed group, 3 ops, added, 3 differences',
    );
    expect(accessibleName(h, groupElement(h, scopeAt(h, 'a')), false)).not.toContain('differ');
  });

  it('do not lie in inputs that stayed', () => {
    const h = hierarchy();
    expect(diffStatusOf(h, inputElement(h, 0))).toBe(DiffStatus.Same);
  });

  it('are told in few words', () => {
    expect(changeText({ what: 'operator', before: 'aten::relu', after: 'aten::gelu' })).toBe('relu → gelu');
    expect(changeText({ what: 'argument dim', before: '1', after: '0' })).toBe('dim: 1 → 0');
  });
});

describe('sides', () => {
  it('hold the nodes of one graph each, in its order', () => {
    const { document: before } = diffSideOf(document(), 'before');
    const { document: after } = diffSideOf(document(), 'after');
    expect(kinds(before).filter((kind) => kind === 'aten::tanh')).toEqual([]);
    expect(kinds(after).filter((kind) => kind === 'aten::tanh')).toHaveLength(1);
    expect(kinds(before)).toHaveLength(7);
    expect(kinds(after)).toHaveLength(9);
  });

  it('are whole documents', () => {
    for (const name of ['before', 'after'] as const) {
      const { document: side } = diffSideOf(document(), name);
      expect(() => buildHierarchy(readDocument(side))).not.toThrow();
    }
  });

  it('read what their own graph read', () => {
    const { document: before } = diffSideOf(document(), 'before');
    const made = before.nodes.inputs.flat().map((value) => before.values.node[value]);
    expect(made.every((node) => node < kinds(before).length)).toBe(true);
    // The first block read the input, before one came in front of it.
    expect(before.nodes.inputs[0][0]).toBe(before.inputs[0]);
  });

  it('know each other by the nodes of both', () => {
    const merged = document();
    const { own, merged: rows } = diffSideOf(merged, 'before');
    rows.forEach((node, index) => expect(own[node]).toBe(index));
    merged.diff!.nodes.status.forEach((status, node) =>
      expect(own[node] < 0).toBe(status === DiffStatus.Added),
    );
  });
});

describe('numbers on boxes', () => {
  it('are short', () => {
    expect([0, 0.5, 0.123456, 1.23e-7, 123456, Infinity, -Infinity, NaN].map(shortNumber)).toEqual([
      '0',
      '0.5',
      '0.123',
      '1.2e-7',
      '1.2e+5',
      'inf',
      '-inf',
      'nan',
    ]);
  });

  it('are the largest inside a group, and not a number where one is none', () => {
    const h = hierarchy();
    const inside = largestInside(h, h.document.overlays![0]);
    expect(inside[scopeAt(h, 'a')]).toBeNaN();
    expect(inside[scopeAt(h, 'b')]).toBe(0.25);
    expect(inside[0]).toBeNaN();
  });
});

describe('a document of a difference', () => {
  const broken: [string, (d: ViewDocument) => void][] = [
    ['a status too few', (d) => d.diff!.nodes.status.pop()],
    ['a status that is none', (d) => (d.diff!.nodes.status[0] = 7)],
    ['a change of a node that is none', (d) => d.diff!.nodes.changes.push([9999, []])],
    [
      'a change without words',
      (d) => d.diff!.nodes.changes.push([0, [[0, 0] as unknown as [number, number, number]]]),
    ],
    ['text outside the document', (d) => (d.diff!.scopes.was[0] = 99999)],
    ['no headline', (d) => delete (d.diff as Partial<typeof d.diff>)!.headline],
    ['numbers for other nodes', (d) => d.overlays![0].values.pop()],
    ['something that is no number', (d) => (d.overlays![0].values[0] = {} as unknown as number)],
  ];
  it.each(broken)('is refused with %s', (_, damage) => {
    const damaged = document();
    damage(damaged);
    expect(() => readDocument(damaged)).toThrow(DocumentError);
  });
});
