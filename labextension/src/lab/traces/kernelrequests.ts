/**
 * What the kernel is asked about its traces: one silent request with a user expression. It leaves no name, no history
 * and no execution count behind, and imports nothing: a kernel that has not imported tracelab has no traces.
 */

import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { ANSWER_TYPE, type Answers } from '../../protocol/panelmessages';

const TRIES = 3;
const PAUSE = 300;

export type Reply<T> =
  | { kind: 'answer'; content: T }
  /** One sentence of the kernel. */
  | { kind: 'error'; text: string }
  | { kind: 'not imported' | 'not installed' | 'older' | 'gone' };

/** A Python expression; what is given goes in as JSON inside of a string. */
export function expression(what: keyof Answers, given: object): string {
  const text = JSON.stringify(JSON.stringify(given));
  const answer = `__import__('tracelab.jupyter.panel', fromlist=['answer']).answer`;
  const found = `__import__('importlib.util', fromlist=['find_spec']).find_spec('tracelab') is not None`;
  return (
    `${answer}('${what}', **__import__('json').loads(${text})) ` +
    `if 'tracelab' in __import__('sys').modules else ${found}`
  );
}

interface Expression {
  status: 'ok' | 'error';
  data?: Record<string, unknown>;
  ename?: string;
  evalue?: string;
}

/** What a user expression came to. */
export function replyOf<T>(found: Expression | undefined): Reply<T> {
  if (found?.status !== 'ok') {
    const old = found?.ename === 'ModuleNotFoundError' || found?.ename === 'ImportError';
    return old
      ? { kind: 'older' }
      : { kind: 'error', text: `${found?.ename ?? '?'}: ${found?.evalue ?? ''}` };
  }
  const content = found.data?.[ANSWER_TYPE] as (T & { error?: string }) | undefined;
  if (content === undefined) {
    return { kind: found.data?.['text/plain'] === 'True' ? 'not imported' : 'not installed' };
  }
  return content.error === undefined ? { kind: 'answer', content } : { kind: 'error', text: content.error };
}

/** Asks, and waits for the answer; never rejects. */
export async function ask<What extends keyof Answers>(
  kernel: Kernel.IKernelConnection,
  what: What,
  given: object = {},
): Promise<Reply<Answers[What]>> {
  for (let tries = 0; tries < TRIES; tries++) {
    let content: KernelMessage.IExecuteReplyMsg['content'];
    try {
      const reply = await kernel.requestExecute({
        code: '',
        silent: true,
        store_history: false,
        allow_stdin: false,
        stop_on_error: false,
        user_expressions: { tracelab: expression(what, given) },
      }).done;
      content = reply!.content;
    } catch {
      // Restarted, ended, or the connection is closed.
      return { kind: 'gone' };
    }
    if (content.status === 'ok') {
      return replyOf(content.user_expressions.tracelab as unknown as Expression | undefined);
    }
    // A cell before it failed, and the kernel dropped what was waiting.
    await new Promise((resolve) => window.setTimeout(resolve, PAUSE));
  }
  return { kind: 'gone' };
}
