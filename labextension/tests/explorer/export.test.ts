// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import { pageFile } from '../../src/explorer/features/export/pagefile';
import { createSvgContext, xml } from '../../src/explorer/canvas/paint/svgcontext';
import { mlp, resnet18 } from '../fixtures/models';

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
