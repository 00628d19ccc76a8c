import { describe, expect, it } from 'vitest';
import { labelOf } from '../../src/model/describe';
import { bytesText, compare, detailsOf, fullType, ports, textOf } from '../../src/model/elementdetails';
import { buildHierarchy, groupElement, inputElement, outputElement } from '../../src/model/hierarchy';
import { elementNamed, nameOf, readLink, writeLink } from '../../src/model/link';
import {
  ancestors,
  descendants,
  groupEdges,
  enclosingGroups,
  shortestPath,
  affectedElements,
} from '../../src/model/traversal';
import { buildIndex, markedText, parseQuery, reasons, search } from '../../src/model/search';
import { DocumentBuilder } from '../fixtures/builder';
import { mlp, resnet18 } from '../fixtures/models';

const small = buildHierarchy(mlp());
const large = buildHierarchy(resnet18());
const smallIndex = buildIndex(small);
const largeIndex = buildIndex(large);
/** Indices of what a query finds in the MLP: linear 0, relu 1, linear 2, relu 3, linear 4, mean 5, mul 6. */
const find = (query: string): number[] => search(small, smallIndex, query);
const titles = (query: string): string[] =>
  search(large, largeIndex, query).map((at) => labelOf(large, at).title);

describe('a query', () => {
  it('is words, qualified words and what must not be', () => {
    expect(parseQuery('Conv op:relu -in:head')).toEqual([
      { qualifier: null, text: 'conv', negated: false },
      { qualifier: 'op', text: 'relu', negated: false },
      { qualifier: 'in', text: 'head', negated: true },
    ]);
  });

  it('keeps quoted words together', () => {
    expect(parseQuery('src:"x + y" z')).toEqual([
      { qualifier: 'src', text: 'x + y', negated: false },
      { qualifier: null, text: 'z', negated: false },
    ]);
  });

  it('takes an unknown qualifier, or a C++ name, as a word', () => {
    expect(parseQuery('aten::relu foo:bar op::x').map(({ qualifier }) => qualifier)).toEqual([
      null,
      null,
      null,
    ]);
  });

  it('says nothing yet while a qualifier is being typed', () => {
    expect(parseQuery('op:')).toEqual([]);
  });
});

describe('a qualified search', () => {
  it('finds operators by kind, and nothing but operators', () => {
    expect(find('op:relu')).toEqual([1, 3]);
  });

  it('finds kinds by their namespace', () => {
    expect(find('op:aten::mean')).toEqual([5]);
  });

  it('finds what is in a module', () => {
    expect(titles('op:conv in:layer3.0')).toEqual(['conv2d', 'conv2d', 'conv2d']);
  });

  it('finds groups in a module, but not that module', () => {
    expect(titles('in:layer3 -op:conv').slice(0, 3)).toEqual(['0', 'downsample', '1']);
  });

  it('finds shapes by one extent, exactly', () => {
    expect(find('shape:64')).toEqual([2, 3]);
    expect(find('shape:6')).toEqual([]);
  });

  it('finds shapes by extents that follow each other', () => {
    expect(titles('shape:56x56 op:pool')).toEqual(['max_pool2d']);
  });

  it('finds a shape of words nowhere', () => {
    expect(find('shape:many')).toEqual([]);
  });

  it('finds values by name', () => {
    expect(find('name:scaled')).toEqual([6, outputElement(small, 0)]);
  });

  it('finds source text', () => {
    expect(find('src:"x.mean() > 0"')).toEqual([5]);
  });

  it('finds all that a line called', () => {
    expect(find('line:20')).toEqual([0, 2, 4]);
    expect(find('line:"this cell:12"')).toEqual([2]);
  });

  it('finds warnings, all or by their text', () => {
    expect(find('warn:').slice(0, 1)).toEqual([5]);
    expect(find('warn:boolean')).toEqual([5]);
    expect(find('warn:shape')).toEqual([]);
  });

  it('leaves out what is negated', () => {
    expect(find('shape:32 -op:linear -op:relu')).toEqual([
      6,
      inputElement(small, 0),
      outputElement(small, 0),
    ]);
  });

  it('finds in the names of operators and modules first, then in paths, then in the rest', () => {
    const found = titles('conv');
    const [kinds, rest] = [found.indexOf('conv2d'), found.lastIndexOf('conv2d')];
    // The 20 convolutions; then batch_norm and others, which stand in the same lines of the code.
    expect([kinds, rest]).toEqual([0, 19]);
    expect(titles('layer2').slice(0, 3)).toEqual(['layer2', '0', 'downsample']);
  });

  it('takes the name of a module that is drawn as its operator for a name of its own', () => {
    expect(titles('bn1')[0]).toBe('batch_norm');
    expect(find('fc2')[0]).toBe(2);
  });

  it('ranks by the word that is farthest from the names', () => {
    const found = titles('conv layer3');
    expect([found.indexOf('conv2d'), found.lastIndexOf('conv2d'), found[5]]).toEqual([0, 4, 'add_']);
  });

  it('finds the failed operator', () => {
    const document = mlp();
    document.nodes.failed = 3;
    const h = buildHierarchy(document);
    expect(search(h, buildIndex(h), 'failed:')).toEqual([3]);
  });
});

describe('why something was found', () => {
  it('is told where neither its names nor its path hold the words', () => {
    expect(reasons(small, 'mean >').of(5)).toEqual(['if x.mean() > 0:']);
  });

  it('is not told where they do', () => {
    const { of, words } = reasons(large, 'layer2 conv');
    const conv = search(large, largeIndex, 'op:conv in:layer2')[0];
    expect([words, of(conv)]).toEqual([['layer2', 'conv'], []]);
  });

  it('is told in the letters of the code', () => {
    const document = mlp();
    document.files[0].lines = { 12: 'Hidden = F.ReLU(x)' };
    const h = buildHierarchy(document);
    const told = [0, 1, 2, 3, 4, 5, 6].flatMap((node) => reasons(h, 'hidden').of(node));
    expect(new Set(told)).toEqual(new Set(['Hidden = F.ReLU(x)']));
  });

  it('needs no word of a qualified query', () => {
    expect(reasons(small, 'op:relu -in:x').of(1)).toEqual([]);
  });

  it('is marked, of a long text in the part about it', () => {
    expect(markedText('layer1.Conv1.conv', ['conv'])).toEqual([
      ['layer1.', false],
      ['Conv', true],
      ['1.', false],
      ['conv', true],
    ]);
    expect(markedText(`${'x'.repeat(60)}bn1(y)`, ['bn1'])).toEqual([
      [`…${'x'.repeat(12)}`, false],
      ['bn1', true],
      ['(y)', false],
    ]);
    expect(markedText('relu', [])).toEqual([['relu', false]]);
  });
});

describe('reach', () => {
  it('has all that an element depends on', () => {
    expect([...ancestors(small, 3)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, inputElement(small, 0)]);
  });

  it('has all that depends on an element', () => {
    expect([...descendants(small, 4)].sort((a, b) => a - b)).toEqual([4, 5, 6, outputElement(small, 0)]);
  });

  it('has what stands between a frozen place and the outputs that depend on it', () => {
    const document = mlp();
    const [output] = document.outputs;
    document.warnings = [
      { kind: 'bool', message: '', node: 3, source: -1, constant: 'True', affects: [output] },
    ];
    const h = buildHierarchy(document);
    expect([...affectedElements(h, 0)].sort((a, b) => a - b)).toEqual([3, 4, 5, 6, outputElement(h, 0)]);
  });

  it('takes the shortest of several ways', () => {
    expect(shortestPath(small, 4, 6)).toEqual([4, 6]);
  });

  it('goes from the earlier to the later, however they are given', () => {
    expect(shortestPath(small, 3, inputElement(small, 0))).toEqual([inputElement(small, 0), 0, 1, 2, 3]);
  });

  it('is empty where no data flows between two', () => {
    const b = new DocumentBuilder('Two');
    const x = b.input('x', [1]);
    b.output(b.op('relu', [x], [1]));
    b.output(b.op('tanh', [x], [1]));
    expect(shortestPath(buildHierarchy(b.document), 0, 1)).toEqual([]);
  });

  it('ends in a ring', () => {
    const document = mlp();
    document.nodes.inputs[0] = document.nodes.outputs[6];
    expect(ancestors(buildHierarchy(document), 0).size).toBe(7);
  });

  it('knows the groups around an element', () => {
    const at = elementNamed(large, 'layer2.1.conv1');
    expect(enclosingGroups(large, at).map((group) => labelOf(large, group).title)).toEqual(['layer2', '1']);
  });

  it('knows what flows into a group and out of it', () => {
    const { into, out } = groupEdges(large, large.paths.indexOf('layer2'));
    expect([into.length, out.length]).toEqual([1, 1]);
  });
});

describe('a link', () => {
  it.each(['layer1', 'layer1.0', 'input:x'])('names %s', (name) => {
    expect(nameOf(large, elementNamed(large, name))).toBe(name);
  });

  it('names an operator by what it makes', () => {
    expect(nameOf(small, 6)).toBe('%scaled');
    expect(elementNamed(small, '%scaled')).toBe(6);
  });

  it('leads to the operator of a module that has only one', () => {
    expect(elementNamed(small, 'fc2')).toBe(2);
  });

  it('restores what it was written from', () => {
    const scope = large.paths.indexOf('layer1');
    const view = { opened: [scope], selected: groupElement(large, scope), find: 'op:conv "a b" & 100%' };
    expect(readLink(large, writeLink(large, view))).toEqual(view);
  });

  it('can be read by people', () => {
    const view = { opened: [large.paths.indexOf('layer1.0')], selected: -1, find: 'op:conv shape:64' };
    expect(writeLink(large, view)).toBe('open=layer1.0&find=op:conv+shape:64');
  });

  it('passes over what is no longer there', () => {
    expect(readLink(small, 'open=layer9&select=layer9.conv')).toEqual({ opened: [], selected: -1, find: '' });
  });
});

describe('details', () => {
  it('are the arguments by name, inputs and outputs', () => {
    const facts = detailsOf(small, 0).map(([name, text]) => [name, text]);
    expect(facts).toContainEqual(['weight', '%weight']);
    expect(facts).toContainEqual(['output %x.1', 'Tensor[32, 256] · float32 · cpu · used by relu']);
  });

  it('are plain text, one a line', () => {
    expect(textOf(small, inputElement(small, 0))).toBe(
      'x\n  value    %x\n  role     graph input\n  type     Tensor[32, 784] · float32 · cpu\n  used by  fc1: linear',
    );
  });

  it('tell strides where a tensor does not lie densely', () => {
    const document = mlp();
    document.shapes.push([1, 32]);
    document.values.strides = [[document.nodes.outputs[0][0], document.shapes.length - 1]];
    const h = buildHierarchy(document);
    expect(fullType(h, document.nodes.outputs[0][0])).toBe(
      'Tensor[32, 256] · float32 · cpu · strides [1, 32]',
    );
  });

  it('are compared side by side', () => {
    const rows = compare(small, [1, 3]);
    expect(rows.find(({ name }) => name === 'operator')).toEqual({
      name: 'operator',
      texts: ['aten::relu', 'aten::relu'],
      same: true,
    });
    expect(rows.find(({ name }) => name === 'output 1')!.same).toBe(false);
  });

  it.each([
    [1, '1 byte'],
    [999, '999 bytes'],
    [49_152, '49.2 kB'],
    [46_758_048, '46.8 MB'],
    [2_500_000_000, '2.5 GB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});

describe('ports', () => {
  it('say what the inputs and outputs of a node are, and where that leads', () => {
    expect(ports(small, 6)).toEqual([
      { label: 'input x.5: Tensor[32, 10] · float32 · cpu, from fc3: linear', to: 4 },
      { label: 'input mean: Tensor[] · float32 · cpu, from mean', to: 5 },
      {
        label: 'output scaled: Tensor[32, 10] · float32 · cpu, used by graph output',
        to: outputElement(small, 0),
      },
    ]);
  });

  it('say what flows into a group, without its parameters', () => {
    const layer = groupElement(large, large.paths.indexOf('layer2'));
    expect(ports(large, layer).map(({ label }) => label.split(' ')[0])).toEqual(['input', 'output']);
  });
});
