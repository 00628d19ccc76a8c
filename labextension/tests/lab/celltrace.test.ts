import { describe, expect, it } from 'vitest';
import { cellTrace, linesOf, nameSizes, typeText } from '../../src/lab/celltrace';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { DocumentBuilder } from '../fixtures/builder';

/** `h = relu(x) + x` and `y = h @ h` on lines 2 and 3 of a cell. */
function traced(file = 'this cell'): ViewDocument {
  const builder = new DocumentBuilder('cell');
  const x = builder.input('x', [4, 4]);
  const relu = builder.op('aten::relu', [x], [4, 4]);
  builder.source(file, 2, 'h = relu(x) + x', 'relu(x)', '<module>');
  const h = builder.op('aten::add', [relu, x], [4, 4]);
  builder.source(file, 2, 'h = relu(x) + x', 'relu(x) + x', '<module>');
  const y = builder.op('aten::matmul', [h, h], [4, 4]);
  builder.source(file, 3, 'y = h @ h', 'h @ h', '<module>');
  builder.output(y);
  return builder.document;
}

/** `y = net(x)` in the traced cell; `Net.forward`, in another, calls two blocks of different sizes. */
function throughModules(): ViewDocument {
  const builder = new DocumentBuilder('cell');
  const x = builder.input('x', [4, 8]);
  const y = builder.module('net', 'Net', () =>
    ['a', 'b'].reduce((input, name, at) => {
      const [call] = [builder.document.sources.line.length];
      return builder.module(name, 'Block', () => {
        const made = builder.op('aten::relu', [input], [4, 8 >> at]);
        const { sources } = builder.document;
        const net = builder.source('this cell', 2, 'y = net(x)', 'net(x)', '<module>');
        const loop = builder.source('cell', 9, '            x = block(x)', 'block(x)', 'Net.forward', net);
        builder.source('cell', 4, '        return relu(x)', 'relu(x)', 'Block.forward', loop);
        expect(sources.line.length).toBe(call + 3);
        return made;
      });
    }, x),
  );
  builder.output(y);
  return builder.document;
}

describe('the lines of a traced cell', () => {
  it('show what they bound, not the steps inside of an expression', () => {
    const [file] = cellTrace(traced())!.files;
    expect(file.lines.map(({ last, hint, nodes }) => [last, hint, nodes])).toEqual([
      [2, 'float32[4, 4]', [0, 1]],
      [3, 'float32[4, 4]', [2]],
    ]);
  });

  it('call sizes as the picture does, once their names are known', () => {
    const trace = cellTrace(traced())!;
    expect(nameSizes(trace, new Map([[2, ['batch', '4']]]))).toBe(true);
    expect(trace.files[0].lines.map(({ hint }) => hint)).toEqual(['float32[batch, 4]', 'float32[4, 4]']);
    expect(nameSizes(trace, new Map())).toBe(true);
    expect(trace.files[0].lines.map(({ hint }) => hint)).toEqual(['float32[4, 4]', 'float32[4, 4]']);
  });

  it('are left alone where neither had names', () => {
    expect(nameSizes(cellTrace(traced())!, new Map())).toBe(false);
  });

  it('have the names that stand in the document', () => {
    const view = traced();
    view.strings.push('batch', 'width');
    view.values.sizes = [[3, [view.strings.length - 2, view.strings.length - 1]]];
    expect(cellTrace(view)!.files[0].lines[1].hint).toBe('float32[batch, width]');
  });

  it('say nothing of a gradient that is read and not used', () => {
    const view = traced();
    view.nodes.markers = [[2, -1]];
    expect(cellTrace(view)!.files[0].lines.map(({ hint }) => hint)).toEqual(['float32[4, 4]', '']);
  });

  it('are none for a trace of no cell', () => {
    expect(cellTrace(traced('model.py'))).toBeNull();
  });

  it('name a device other than the CPU', () => {
    const view = traced();
    view.strings.push('cuda:0');
    view.values.device[0] = view.strings.length - 1;
    expect(typeText(view, 0, new Map())).toBe('float32[4, 4] cuda:0');
  });
});

describe('a trace that ran through other cells', () => {
  it('has hints for each call of a module on its lines, and for what came out on the line that called', () => {
    const trace = cellTrace(throughModules())!;
    expect(
      trace.files.map((file) => [
        file.isTracedCell,
        ...file.lines.map(({ last, hint }) => `${last}: ${hint}`),
      ]),
    ).toEqual([
      [true, '2: float32[4, 4]'],
      [false, '4: float32[4, 8] · float32[4, 4]', '9: float32[4, 4]'],
    ]);
  });

  it('knows the innermost line of a node in each cell', () => {
    const trace = cellTrace(throughModules())!;
    expect(linesOf(trace, 1)).toEqual([
      { file: trace.files[1].file, line: 4 },
      { file: trace.files[0].file, line: 2 },
    ]);
  });

  it('has a warning at the innermost place that stands in a cell', () => {
    const builder = new DocumentBuilder('cell');
    builder.op('aten::relu', [builder.input('x', [4])], [4]);
    const call = builder.source('this cell', 2, 'y = f(x)', 'f(x)', '<module>');
    builder.source('model.py', 12, '    if x.sum() > 0:', 'x.sum() > 0', 'f', call);
    builder.warn({ affects: [] });
    const [warning] = cellTrace(builder.document)!.warnings;
    expect(warning.outside).toBe('model.py:12');
    expect(warning.places).toEqual([{ file: 0, line: 2, endLine: 2, column: 4, endColumn: 8, exact: false }]);
  });
});

describe('the text behind %trace', () => {
  it('is told from a cell by its first line, where a cell has %%trace', () => {
    const builder = new DocumentBuilder('cell');
    builder.op('aten::relu', [builder.input('x', [4])], [4]);
    builder.source('this cell', 1, 'f(x)', 'f(x)', '<module>');
    expect(cellTrace(builder.document)!.files[0].isLineMagic).toBe(true);
    expect(cellTrace(traced())!.files[0].isLineMagic).toBe(false);
  });
});
