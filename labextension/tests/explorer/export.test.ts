// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import { pageFile } from '../../src/explorer/features/export/pagefile';
import { createSvgContext, xml } from '../../src/explorer/canvas/paint/svgcontext';
import { buildHierarchy } from '../../src/model/hierarchy';
import type { BrowserMessage, KernelMessage } from '../../src/protocol/runmessages';
import { gpt, mlp, resnet18 } from '../fixtures/models';

describe('a pen for SVG', () => {
  it('draws what a canvas draws', () => {
    const pen = createSvgContext();
    pen.setTransform(1, 0, 0, 1, 5, 6);
    pen.fillStyle = '#123456';
    pen.beginPath();
    pen.moveTo(0, 0);
    pen.arcTo(10, 0, 10, 10, 4);
    pen.lineTo(10, 20);
    pen.fill();
    expect(pen.toSvg(30, 40, 'a')).toBe(
      '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="40" viewBox="0 0 30 40" role="img">\n' +
        '<title>a</title>\n<g transform="matrix(1 0 0 1 5 6)">\n' +
        '<path d="M0 0L6 0A4 4 0 0 1 10 4L10 20" fill="#123456"/>\n</g>\n</svg>\n',
    );
  });

  it('turns left corners the other way', () => {
    const pen = createSvgContext();
    pen.beginPath();
    pen.moveTo(0, 0);
    pen.arcTo(0, 10, 10, 10, 4);
    pen.stroke();
    expect(pen.toSvg(1, 1, '')).toContain('M0 0L0 6A4 4 0 0 0 4 10');
  });

  it('goes back to what was saved', () => {
    const pen = createSvgContext();
    pen.globalAlpha = 0.5;
    pen.save();
    pen.globalAlpha = 1;
    pen.restore();
    expect(pen.globalAlpha).toBe(0.5);
  });

  it('holds no markup and no characters that XML forbids', () => {
    expect(xml('<a b="c">&\u0000\ud800')).toBe('&lt;a b=&quot;c&quot;&gt;&amp;\ufffd\ufffd');
  });
});

describe('a page', () => {
  it('cannot be broken out of', async () => {
    const document = { ...mlp(), name: '</title></script><script>alert(1)</script>{{script}}' };
    const text = await pageFile(document, 'start()');
    expect(text.match(/<script/g)).toHaveLength(2);
    expect(text).not.toContain('alert(1)</script>');
    expect(text).toContain('&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;{{script}}</title>');
  });

  it('lets only its own script run', async () => {
    // printf 'start()' | openssl dgst -sha256 -binary | base64
    expect(await pageFile(mlp(), 'start()')).toContain(
      "script-src 'sha256-DIm7WJS6ZKDYe5qFLPy+h4JFI9Bol5QmYC57mt3Fb00='",
    );
  });
});

describe('the menu', () => {
  let host: HTMLElement;
  let explorer: Explorer;
  let saved: { name: string; text: string }[];
  const shadow = (): ShadowRoot => host.querySelector('.tracelab')!.shadowRoot!;

  beforeEach(async () => {
    saved = [];
    host = document.createElement('div');
    document.body.append(host);
    explorer = createExplorer(host, resnet18(), { state: { opened: [5] } });
    await vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });
    const blobs = new Map<string, Blob>();
    vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      const address = `blob:${blobs.size}`;
      blobs.set(address, blob as Blob);
      return address;
    });
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      void blobs
        .get(this.href)!
        .text()
        .then((text) => saved.push({ name: this.download, text }));
    });
  });

  afterEach(() => {
    explorer.destroy();
    host.remove();
    vi.restoreAllMocks();
  });

  async function choose(text: string): Promise<{ name: string; text: string }> {
    [...shadow().querySelectorAll<HTMLElement>('[role=menuitem]')]
      .find((each) => each.textContent!.startsWith(text))!
      .click();
    await vi.waitFor(() => expect(saved).toHaveLength(1));
    return saved[0];
  }

  it('saves the document', async () => {
    const { name, text } = await choose('JSON');
    expect([name, JSON.parse(text)]).toEqual(['ResNet.json', resnet18()]);
  });

  it('saves DOT of what is on screen', async () => {
    const { name, text } = await choose('DOT');
    expect(name).toBe('ResNet.dot');
    expect(text.split('\n').slice(0, 3)).toEqual([
      'digraph trace {',
      '  node [shape=box, style="rounded,filled", fillcolor=white];',
      '  n0 [label="x\\n1×3×224×224", shape=ellipse];',
    ]);
  });

  it('saves an SVG with the words of the boxes', async () => {
    const { text } = await choose('SVG, entire');
    expect(text).toContain('>layer4</text>');
  });

  it('saves a figure with what is open and closed, and nothing to press', async () => {
    const { name, text } = await choose('SVG, figure');
    const texts = [...text.matchAll(/>([^<]+)<\/text>/g)].map(([, shown]) => shown);
    const shown = [...shadow().querySelectorAll('.item')].map((item) =>
      item.getAttribute('aria-label')!.split(':')[0].replace(/,.*/, ''),
    );
    expect(name).toBe('ResNet.svg');
    expect(
      shown.filter((each) => !texts.includes(each) && !/^\S+ of|conv|bn|relu|fc|pool/.test(each)),
    ).toEqual([]);
    expect(text).toContain('font-family="Helvetica, Arial, ');
    // The ground of a page, and the squares that open groups.
    expect(text).not.toContain('<rect x="0" y="0"');
    expect(text).not.toMatch(/<path d="M\S+ \S+h6a4 4/);
  });

  it('saves the same figure whatever else the screen shows', async () => {
    const { text } = await choose('SVG, figure');
    saved.length = 0;
    explorer.select('layer1');
    explorer.highlight([3, 4], 'two');
    shadow().querySelector<HTMLElement>('[aria-label="Zoom in"]')!.click();
    shadow()
      .querySelector('[role=tree]')!
      .dispatchEvent(new KeyboardEvent('keydown', { key: 'v', bubbles: true }));
    document.body.dataset.jpThemeLight = 'false';
    await vi.waitFor(() => expect(shadow().querySelector<HTMLElement>('.root')!.dataset.theme).toBe('dark'));
    expect((await choose('SVG, figure')).text).toBe(text);
    saved.length = 0;
    delete document.body.dataset.jpThemeLight;
    explorer.setOpened([]);
    await vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'));
    expect((await choose('SVG, figure')).text).not.toBe(text);
  });

  it('has no figures of the kernel where there is none', () => {
    const entries = [...shadow().querySelectorAll('[role=menuitem]')].map((each) => each.textContent!);
    expect(entries.filter((entry) => entry.includes('figure'))).toEqual(['SVG, figure for print']);
  });

  it('says how to save a page where it cannot', async () => {
    const item = [...shadow().querySelectorAll<HTMLElement>('[role=menuitem]')].find((each) =>
      each.textContent!.startsWith('HTML'),
    )!;
    item.click();
    await vi.waitFor(() =>
      expect(shadow().querySelector('.toast')!.textContent).toContain('traced.to_html(path)'),
    );
  });
});

describe('a figure of the kernel', () => {
  let host: HTMLElement;
  let explorer: Explorer;
  let sent: BrowserMessage[];
  let tell: (message: KernelMessage, buffers?: DataView[]) => void;
  const shadow = (): ShadowRoot => host.querySelector('.tracelab')!.shadowRoot!;
  const choose = (text: string): void =>
    [...shadow().querySelectorAll<HTMLElement>('[role=menuitem]')]
      .find((each) => each.textContent === text)!
      .click();
  const toast = (): string => shadow().querySelector('.toast')!.textContent!;

  async function open(document: unknown, opened: number[] | null, alive = true): Promise<void> {
    const heard: ((message: KernelMessage, buffers: DataView[]) => void)[] = [];
    sent = [];
    tell = (message, buffers = []) => heard.forEach((each) => each(message, buffers));
    host = window.document.createElement('div');
    window.document.body.append(host);
    const kernel = {
      send(content: BrowserMessage) {
        if (!alive) {
          throw new Error('no kernel');
        }
        sent.push(content);
      },
      onMessage: (listener: (typeof heard)[number]) => void heard.push(listener),
      onDisconnect: () => undefined,
      onConnectionChange: () => undefined,
    };
    explorer = createExplorer(host, document, { kernel, state: { opened } });
    await vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });
  }

  afterEach(() => {
    explorer.destroy();
    host.remove();
    vi.restoreAllMocks();
  });

  it('is asked for with what is open', async () => {
    await open(resnet18(), [5]);
    choose('TikZ, figure for print');
    expect(sent[sent.length - 1]).toEqual({
      type: 'figure.ask',
      form: 'tex',
      opened: [5],
      inlined: [],
      repeats: false,
      symbolic: false,
      horizontal: false,
    });
  });

  it('runs from left to right where the picture does', async () => {
    window.localStorage.setItem('tracelab:flow', 'right');
    await open(resnet18(), []);
    window.localStorage.clear();
    choose('PDF, figure for print');
    expect(sent[sent.length - 1]).toMatchObject({ horizontal: true });
  });

  it('has repeated blocks as one where they are so on the screen', async () => {
    const { within } = buildHierarchy(gpt()).repeats[0];
    await open(gpt(), [within]);
    choose('PDF, figure for print');
    expect(sent[sent.length - 1]).toMatchObject({ form: 'pdf', repeats: true });
    shadow().querySelector<HTMLElement>('[aria-label^="Collapse or expand"]')!.click();
    await vi.waitFor(() => expect(shadow().querySelector('[aria-label^="h.3"]')).not.toBeNull());
    choose('PDF, figure for print');
    expect(sent[sent.length - 1]).toMatchObject({ repeats: false });
  });

  it('is saved when it comes, as the kernel wrote it', async () => {
    await open(mlp(), []);
    let blob: Blob | null = null;
    vi.spyOn(URL, 'createObjectURL').mockImplementation((made) => {
      blob = made as Blob;
      return 'blob:0';
    });
    let name = '';
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      name = this.download;
    });
    const file = new TextEncoder().encode('%PDF');
    tell({ type: 'figure.made', form: 'pdf', message: '' }, [new DataView(file.buffer)]);
    expect([name, await blob!.text(), blob!.type]).toEqual(['MLP.pdf', '%PDF', 'application/pdf']);
  });

  it('that cannot be made is a sentence', async () => {
    await open(mlp(), []);
    tell({ type: 'figure.made', form: 'pdf', message: 'matplotlib is not installed' });
    expect(toast()).toBe('matplotlib is not installed');
  });

  it('says that the kernel is gone', async () => {
    await open(mlp(), [], false);
    choose('PDF, figure for print');
    expect(toast()).toContain('connection to the kernel was lost');
  });
});
