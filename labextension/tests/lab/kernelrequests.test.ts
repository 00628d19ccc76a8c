import { describe, expect, it } from 'vitest';
import { expression, replyOf } from '../../src/lab/traces/kernelrequests';

const ANSWER = 'application/vnd.tracelab.answer+json';

describe('what the kernel is asked', () => {
  it('is one expression, with what is given as text in it', () => {
    expect(expression('save', { path: 'it\'s "a" \\ file\n' })).toBe(
      "__import__('tracelab.jupyter.panel', fromlist=['answer']).answer('save', " +
        `**__import__('json').loads("{\\"path\\":\\"it's \\\\\\"a\\\\\\" \\\\\\\\ file\\\\n\\"}")) ` +
        "if 'tracelab' in __import__('sys').modules " +
        "else __import__('importlib.util', fromlist=['find_spec']).find_spec('tracelab') is not None",
    );
  });

  it.each([
    [
      { status: 'ok', data: { [ANSWER]: { path: 'a' } } },
      { kind: 'answer', content: { path: 'a' } },
    ],
    [
      { status: 'ok', data: { [ANSWER]: { error: 'No.' } } },
      { kind: 'error', text: 'No.' },
    ],
    [{ status: 'ok', data: { 'text/plain': 'True' } }, { kind: 'not imported' }],
    [{ status: 'ok', data: { 'text/plain': 'False' } }, { kind: 'not installed' }],
    [{ status: 'error', ename: 'ModuleNotFoundError', evalue: 'x' }, { kind: 'older' }],
    [
      { status: 'error', ename: 'ValueError', evalue: 'bad' },
      { kind: 'error', text: 'ValueError: bad' },
    ],
    [undefined, { kind: 'error', text: '?: ' }],
  ] as const)('%o comes to %o', (found, reply) => {
    expect(replyOf(found)).toEqual(reply);
  });
});
