import { describe, expect, it } from 'vitest';
import { cellTrace, offsetIn, typeText } from '../src/lab/celllines';
import type { ViewDocument } from '../src/model/document';
import { DocumentBuilder } from './fixtures/builder';

/** `h = relu(x) + x` and `y = h @ h` on lines 2 and 3 of a cell. */
function traced(file = 'this cell'): ViewDocument {
  const builder = new DocumentBuilder('cell');
  const x = builder.input('x', [4, 4]);
  const relu = builder.op('aten::relu', [x], [4, 4]);
  const h = builder.op('aten::add', [relu, x], [4, 4]);
  const y = builder.op('aten::matmul', [h, h], [4, 4]);
  builder.output(y);
  const { document } = builder;
  document.files = [{ name: file, lines: { '2': 'h = relu(x) + x', '3': 'y = h @ h' } }];
  const name = builder.string('<module>');
  document.sources = {
    file: [0, 0],
    line: [2, 3],
    end_line: [2, 3],
    column: [4, 4],
    end_column: [15, 9],
    function: [name, name],
    caller: [-1, -1],
  };
  document.nodes.source = [0, 0, 1];
  return document;
}

describe('the lines of a traced cell', () => {
  it('show what they bound, not the steps inside of an expression', () => {
    const found = cellTrace(traced())!;
    expect(found.lines.map(({ line, hint, nodes }) => [line, hint, nodes])).toEqual([
      [2, 'float32[4, 4]', [0, 1]],
      [3, 'float32[4, 4]', [2]],
    ]);
    expect(found.lines[0].rows).toHaveLength(2);
  });

  it('are none for a trace of no cell', () => {
    expect(cellTrace(traced('model.py'))).toBeNull();
  });

  it('name a device other than the CPU', () => {
    const view = traced();
    view.strings.push('cuda:0');
    view.values.device[0] = view.strings.length - 1;
    expect(typeText(view, 0)).toBe('float32[4, 4] cuda:0');
  });
});

describe('the place of a trace in its cell', () => {
  const found = cellTrace(traced())!;
  it.each([
    [['%%trace', 'h = relu(x) + x', 'y = h @ h'], 0],
    [['', '', '%%trace', 'h = relu(x) + x', 'y = h @ h'], 2],
    [['%%trace', 'h = x', 'y = h @ h'], 0],
    [['print(1)'], null],
  ])('%j: %j lines down', (text, offset) => {
    expect(offsetIn(found, text)).toBe(offset);
  });
});
