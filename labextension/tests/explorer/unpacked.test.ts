import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unpacked } from '../../src/explorer/unpacked';

const packed = (content: unknown): string =>
  JSON.stringify(gzipSync(JSON.stringify(content)).toString('base64'));

describe('the document of a page', () => {
  it('is what the data block says', async () => {
    expect(await unpacked('{"name": "net"}')).toEqual({ name: 'net' });
  });

  it('is unpacked, and differences become numbers', async () => {
    const document = { name: 'net', nodes: { inputs: [[3], [], [1, -2], [[5]]], outputs: [4, 4] } };
    expect(await unpacked(packed({ document, differences: [['nodes', 'inputs']] }))).toEqual({
      name: 'net',
      nodes: { inputs: [[3], [], [4, 2], [[7]]], outputs: [4, 4] },
    });
  });

  it.each([
    '',
    '{',
    '"no base64!"',
    '"QUJD"',
    packed({}),
    packed({ document: {}, differences: [['a', 'b']] }),
  ])('is none where it cannot be read: %s', async (text) => {
    expect(await unpacked(text)).toBeNull();
  });
});
