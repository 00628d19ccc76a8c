/**
 * The part of a canvas context that drawing uses, and an implementation that writes SVG: the picture on the screen
 * and the exported one are drawn by the same code.
 */

export type DrawingContext = Pick<
  CanvasRenderingContext2D,
  | 'arc'
  | 'arcTo'
  | 'beginPath'
  | 'clip'
  | 'closePath'
  | 'fill'
  | 'fillRect'
  | 'fillStyle'
  | 'fillText'
  | 'font'
  | 'globalAlpha'
  | 'lineCap'
  | 'lineJoin'
  | 'lineTo'
  | 'lineWidth'
  | 'moveTo'
  | 'quadraticCurveTo'
  | 'restore'
  | 'roundRect'
  | 'save'
  | 'setLineDash'
  | 'setTransform'
  | 'shadowBlur'
  | 'shadowColor'
  | 'shadowOffsetY'
  | 'stroke'
  | 'strokeStyle'
  | 'textAlign'
  | 'textBaseline'
>;

export interface SvgContext extends DrawingContext {
  /** The whole file. */
  toSvg(width: number, height: number, title: string): string;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as XML may hold it: without control characters and halves of characters. */
export const xml = (text: string): string =>
  text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replace(/[&<>"]/g, (character) => ESCAPES[character]);

const short = (value: number): string => String(Math.round(value * 100) / 100);

interface State {
  fillStyle: string;
  strokeStyle: string;
  lineWidth: number;
  globalAlpha: number;
  font: string;
  lineCap: CanvasLineCap;
  lineJoin: CanvasLineJoin;
  textAlign: CanvasTextAlign;
  textBaseline: CanvasTextBaseline;
  dash: number[];
  clip: string;
}

export function createSvgContext(): SvgContext {
  const out: string[] = [];
  const stack: State[] = [];
  let clips = 0;
  let inGroup = false;
  let path = '';
  /** Where the path is, for `arcTo`. */
  let [x, y] = [0, 0];
  let state: State = {
    fillStyle: '#000',
    strokeStyle: '#000',
    lineWidth: 1,
    globalAlpha: 1,
    font: '400 10px sans-serif',
    lineCap: 'butt',
    lineJoin: 'miter',
    textAlign: 'start',
    textBaseline: 'alphabetic',
    dash: [],
    clip: '',
  };
  const add = (text: string): void => void (path += text);
  const to = (nextX: number, nextY: number): string => {
    [x, y] = [nextX, nextY];
    return `${short(nextX)} ${short(nextY)}`;
  };
  const common = (): string =>
    (state.globalAlpha < 1 ? ` opacity="${short(state.globalAlpha)}"` : '') +
    (state.clip ? ` clip-path="url(#${state.clip})"` : '');

  const context: Partial<SvgContext> & Record<string, unknown> = {
    shadowBlur: 0,
    shadowColor: '',
    shadowOffsetY: 0,
    save() {
      stack.push({ ...state });
    },
    restore() {
      state = stack.pop() ?? state;
    },
    setTransform(...given: unknown[]) {
      const [a, b, c, d, e, f] = given as number[];
      out.push(
        `${inGroup ? '</g>\n' : ''}<g transform="matrix(${[a, b, c, d, e, f].map((each) => Math.round(each * 1e4) / 1e4).join(' ')})">`,
      );
      inGroup = true;
    },
    setLineDash(dash) {
      state.dash = [...dash];
    },
    beginPath() {
      path = '';
    },
    moveTo: (toX, toY) => add(`M${to(toX, toY)}`),
    lineTo: (toX, toY) => add(`L${to(toX, toY)}`),
    quadraticCurveTo: (byX, byY, toX, toY) => add(`Q${short(byX)} ${short(byY)} ${to(toX, toY)}`),
    closePath: () => add('Z'),
    arc(centerX, centerY, radius, from, until) {
      const start = [centerX + radius * Math.cos(from), centerY + radius * Math.sin(from)];
      const end = [centerX + radius * Math.cos(until), centerY + radius * Math.sin(until)];
      const r = short(radius);
      const lead = path === '' ? 'M' : 'L';
      if (Math.abs(until - from) >= 2 * Math.PI - 1e-6) {
        const left = `${short(2 * centerX - start[0])} ${short(2 * centerY - start[1])}`;
        add(
          `${lead}${to(start[0], start[1])}A${r} ${r} 0 1 1 ${left}A${r} ${r} 0 1 1 ${to(start[0], start[1])}Z`,
        );
      } else {
        const large = Math.abs(until - from) > Math.PI ? 1 : 0;
        add(`${lead}${to(start[0], start[1])}A${r} ${r} 0 ${large} 1 ${to(end[0], end[1])}`);
      }
    },
    arcTo(cornerX, cornerY, endX, endY, radius) {
      const [ax, ay] = [x - cornerX, y - cornerY];
      const [bx, by] = [endX - cornerX, endY - cornerY];
      const [a, b] = [Math.hypot(ax, ay), Math.hypot(bx, by)];
      const cross = ax * by - ay * bx;
      if (radius <= 0 || a === 0 || b === 0 || Math.abs(cross) < 1e-9 * a * b) {
        add(`L${to(cornerX, cornerY)}`);
        return;
      }
      // The circle touches both legs at this distance from the corner.
      const angle = Math.acos(Math.max(-1, Math.min(1, (ax * bx + ay * by) / (a * b))));
      const away = radius / Math.tan(angle / 2);
      add(`L${to(cornerX + (ax / a) * away, cornerY + (ay / a) * away)}`);
      const r = short(radius);
      add(`A${r} ${r} 0 0 ${cross < 0 ? 1 : 0} ${to(cornerX + (bx / b) * away, cornerY + (by / b) * away)}`);
    },
    roundRect(left, top, width, height, radii) {
      const r = Math.max(0, Math.min(Number(radii ?? 0), width / 2, height / 2));
      const [w, h, corner] = [short(width - 2 * r), short(height - 2 * r), `a${short(r)} ${short(r)} 0 0 1 `];
      add(
        `M${to(left + r, top)}h${w}${corner}${short(r)} ${short(r)}v${h}${corner}${short(-r)} ${short(r)}` +
          `h-${w}${corner}${short(-r)} ${short(-r)}v-${h}${corner}${short(r)} ${short(-r)}Z`,
      );
    },
    clip() {
      state.clip = `clip${clips++}`;
      out.push(`<clipPath id="${state.clip}"><path d="${path}"/></clipPath>`);
    },
    fill() {
      out.push(`<path d="${path}" fill="${xml(state.fillStyle)}"${common()}/>`);
    },
    stroke() {
      const dash = state.dash.length > 0 ? ` stroke-dasharray="${state.dash.map(short).join(' ')}"` : '';
      const cap = state.lineCap === 'butt' ? '' : ` stroke-linecap="${state.lineCap}"`;
      const join = state.lineJoin === 'miter' ? '' : ` stroke-linejoin="${state.lineJoin}"`;
      out.push(
        `<path d="${path}" fill="none" stroke="${xml(state.strokeStyle)}" stroke-width="${short(state.lineWidth)}"${dash}${cap}${join}${common()}/>`,
      );
    },
    fillRect(left, top, width, height) {
      out.push(
        `<rect x="${short(left)}" y="${short(top)}" width="${short(width)}" height="${short(height)}" fill="${xml(state.fillStyle)}"${common()}/>`,
      );
    },
    fillText(text, left, base) {
      const [, weight, size, family] = /^(\w+) ([\d.]+)px (.*)$/s.exec(state.font) ?? [
        '',
        '400',
        '12',
        'sans-serif',
      ];
      // Not every reader of SVG knows baselines: the middle is worked out here.
      const down = state.textBaseline === 'middle' ? Number(size) * 0.35 : 0;
      const anchor = state.textAlign === 'center' ? ' text-anchor="middle"' : '';
      out.push(
        `<text x="${short(left)}" y="${short(base + down)}" font-family="${xml(family)}" font-size="${size}" font-weight="${weight}"${anchor} fill="${xml(state.fillStyle)}"${common()}>${xml(text)}</text>`,
      );
    },
    toSvg(width, height, title) {
      return (
        `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${Math.ceil(height)}" ` +
        `viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" role="img">\n<title>${xml(title)}</title>\n` +
        `${out.join('\n')}${inGroup ? '\n</g>' : ''}\n</svg>\n`
      );
    },
  };
  // What canvases call properties is the state that `save` and `restore` keep.
  const KEPT = [
    'fillStyle',
    'strokeStyle',
    'lineWidth',
    'globalAlpha',
    'font',
    'lineCap',
    'lineJoin',
    'textAlign',
    'textBaseline',
  ] as const;
  for (const name of KEPT) {
    Object.defineProperty(context, name, {
      get: () => state[name],
      set: (value: never) => {
        state[name] = value;
      },
    });
  }
  return context as unknown as SvgContext;
}
