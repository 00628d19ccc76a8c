import { ChangeSet, Text } from '@codemirror/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellTrace, type CellFile } from '../../src/lab/celltrace';
import { mapThroughChanges, isUnchanged, trackLine } from '../../src/lab/hints/trackedlines';
import type { TraceGraph } from '../../src/lab/hints/cellannotations';
import { annotationsOf, matchFile, type CellText } from '../../src/lab/hints/cellmatching';
import { alignLines } from '../../src/lab/hints/linematching';
import { DocumentBuilder } from '../fixtures/builder';

function fileOf(lines: Record<number, string>, ran: number[], magicLine = false): CellFile {
  const texts = new Map(Object.entries(lines).map(([line, text]) => [Number(line), text]));
  const spans = ran.map((line): [number, number] => [line, line]);
  return { file: 0, isTracedCell: true, isLineMagic: magicLine, texts, lines: [], spans };
}

const where = (file: CellFile, text: string[], skip = 0): Record<number, number> =>
  Object.fromEntries([...alignLines(file, text, skip).places].map(([line, place]) => [line, place.line]));

describe('the place of a trace in its cell', () => {
  const file = fileOf({ 1: '', 2: 'h = relu(x) + x', 3: 'y = h @ h' }, [2, 3]);

  it.each([
    ['as it was', ['%%trace', 'h = relu(x) + x', 'y = h @ h'], { 2: 2, 3: 3 }],
    ['empty lines before it', ['', '', '%%trace', 'h = relu(x) + x', 'y = h @ h'], { 2: 4, 3: 5 }],
    ['a line edited while it ran', ['%%trace', 'h = x', 'y = h @ h'], { 2: 2, 3: 3 }],
    ['a line put between while it ran', ['%%trace', 'h = relu(x) + x', '#', 'y = h @ h'], { 2: 2, 3: 4 }],
    ['a line taken away while it ran', ['%%trace', 'y = h @ h'], { 3: 2 }],
    ['lines that changed places keep the longest row', ['y = h @ h', 'h = relu(x) + x'], { 3: 1 }],
    ['another cell', ['print(1)'], {}],
  ])('%s', (_, text, expected) => {
    expect(where(file, text)).toEqual(expected);
  });

  it('is the line of %trace whose call it is, the second of equal ones for the second trace', () => {
    const magic = fileOf({ 1: 'f(x)' }, [1], true);
    const text = ['y = f(x)', '%trace g(x)', '%trace -o t f(x)', '%trace f(x)'];
    expect(alignLines(magic, text).places.get(1)).toEqual({ line: 3, shift: 12, text: '%trace -o t f(x)' });
    expect(where(magic, text, 1)).toEqual({ 1: 4 });
    expect(where(magic, ['y = f(x)'])).toEqual({});
  });

  it('is found whatever stands around it', () => {
    const other = fc.array(fc.constantFrom('', '#', 'z = 1'), { maxLength: 6 });
    fc.assert(
      fc.property(other, other, other, (before, between, behind) => {
        const text = [...before, 'h = relu(x) + x', ...between, 'y = h @ h', ...behind];
        expect(where(file, text)).toEqual({ 2: before.length + 1, 3: before.length + between.length + 2 });
      }),
    );
  });
});

describe('a point in the text', () => {
  const doc = Text.of(['%%trace', 'h = relu(x)', 'y = h @ h', '']);
  const points = [2, 3].map((line) => trackLine(doc, { texts: [doc.line(line).text] }, line)!);
  const after = (from: number, to: number, insert: string): [number, boolean][] => {
    const changes = ChangeSet.of({ from, to, insert }, doc.length);
    const now = changes.apply(doc);
    return mapThroughChanges(points, changes, now).map((point) => [
      now.lineAt(point.at).number,
      isUnchanged(now, point),
    ]);
  };
  const line = (number: number): { from: number; to: number } => doc.line(number);

  it.each([
    [
      'an empty line above',
      line(2).from,
      line(2).from,
      '\n',
      [
        [3, true],
        [4, true],
      ],
    ],
    [
      'text at the end of its line',
      line(2).to,
      line(2).to,
      ' + 1',
      [
        [2, false],
        [3, true],
      ],
    ],
    [
      'a line break at the end of its line',
      line(2).to,
      line(2).to,
      '\n',
      [
        [2, true],
        [4, true],
      ],
    ],
    [
      'its line emptied',
      line(2).from,
      line(2).to,
      '',
      [
        [2, false],
        [3, true],
      ],
    ],
    [
      'its line taken away',
      line(2).from,
      line(3).from,
      '',
      [
        [2, false],
        [2, true],
      ],
    ],
    [
      'all replaced by the same lines in another order',
      0,
      doc.length,
      'y = h @ h\nh = relu(x)',
      [
        [2, true],
        [1, true],
      ],
    ],
  ])('after %s', (_, from, to, insert, expected) => {
    expect(after(from, to, insert)).toEqual(expected);
  });

  it('comes back with the line', () => {
    const { from } = doc.line(2);
    const changes = ChangeSet.of({ from, to: doc.line(3).from }, doc.length);
    const without = changes.apply(doc);
    const lost = mapThroughChanges(points, changes, without);
    const undo = changes.invert(doc);
    const back = mapThroughChanges(lost, undo, undo.apply(without));
    expect(back.map(({ at }) => at)).toEqual(points.map(({ at }) => at));
  });
});

describe('the cell of a function', () => {
  const builder = new DocumentBuilder('cell');
  builder.op('aten::relu', [builder.input('x', [4])], [4]);
  const call = builder.source('this cell', 2, 'y = f(x)', 'f(x)', '<module>');
  builder.source('cell', 2, '    return relu(x)', 'relu(x)', 'f', call);
  const trace = cellTrace(builder.document)!;
  const graph = {} as TraceGraph;
  const cell = (text: string, count: number | null = null): CellText => ({
    lines: () => text.split('\n'),
    count,
  });
  const traced = cell('%%trace\ny = f(x)', 3);
  const linked = (...others: CellText[]): (number | null)[] =>
    trace.files.map((file) => {
      const cells = [...others, traced];
      const link = matchFile(trace, file, traced, cells, 0);
      return link && cells.indexOf(link.cell);
    });

  it('is the one that holds its lines', () => {
    expect(linked(cell('x = 1'), cell('def f(x):\n    return relu(x)'))).toEqual([2, 1]);
  });

  it('is, of copies, the one that ran last before the trace', () => {
    const copy = 'def f(x):\n    return relu(x)';
    expect(linked(cell(copy, 1), cell(copy, 2), cell(copy, 4), cell(copy))).toEqual([4, 1]);
  });

  it('is none where the notebook has it no more', () => {
    expect(linked(cell('x = 1'))).toEqual([1, null]);
  });

  it('has its lines, and the traced cell the line that called', () => {
    const other = cell('\ndef f(x):\n    return relu(x)');
    const links = new Map(
      trace.files.map((file) => [file.file, matchFile(trace, file, traced, [other, traced], 0)!]),
    );
    const layers = annotationsOf(trace, graph, links);
    expect(layers.get(other)!.lines.map(({ at, texts }) => [at, texts])).toEqual([
      [3, ['    return relu(x)']],
    ]);
    expect(layers.get(traced)!.lines.map(({ at }) => at)).toEqual([2]);
  });
});
