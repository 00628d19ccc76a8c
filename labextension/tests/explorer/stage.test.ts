// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest';
import { firstView, type Camera } from '../../src/explorer/canvas/camera';
import { watchPointer } from '../../src/explorer/features/input/pointer';
import { createStage } from '../../src/explorer/canvas/stage';

const measure = (text: string): number => text.length * 7;

afterEach(() => vi.restoreAllMocks());

/** All cameras from one zoom by a factor of two until nothing moves any more. */
async function zoomed(glide: boolean): Promise<Camera[]> {
  const seen: Camera[] = [];
  const stage = createStage(measure, (camera) => seen.push(camera));
  stage.setCamera({ x: 30, y: 40, scale: 1 });
  seen.length = 0;
  stage.zoom(2, 100, 200, glide);
  await vi.waitUntil(() => Math.abs(stage.camera.scale - 2) < 1e-9, { timeout: 4000, interval: 5 });
  stage.destroy();
  return seen;
}

describe('zoom', () => {
  it('by the wheel glides and keeps what is under the pointer there', async () => {
    const cameras = await zoomed(true);
    expect(cameras.length).toBeGreaterThan(2);
    for (const { x, y, scale } of cameras) {
      expect((100 - x) / scale).toBeCloseTo(70, 6);
      expect((200 - y) / scale).toBeCloseTo(160, 6);
    }
    const scales = cameras.map(({ scale }) => scale);
    expect(scales).toEqual([...scales].sort((a, b) => a - b));
  });

  it('by fingers is at once', async () => {
    expect(await zoomed(false)).toEqual([{ x: -40, y: -120, scale: 2 }]);
  });

  it('is at once where the person wants no motion', async () => {
    vi.spyOn(window, 'matchMedia').mockReturnValue({ matches: true } as MediaQueryList);
    expect(await zoomed(true)).toHaveLength(1);
  });

  it('adds up while the wheel turns, and ends where the person moves the picture', async () => {
    const stage = createStage(measure, () => {});
    stage.zoom(2, 0, 0, true);
    stage.zoom(1.4, 0, 0, true);
    await vi.waitUntil(() => Math.abs(stage.camera.scale - 2.8) < 1e-9, { timeout: 4000, interval: 5 });
    stage.zoom(0.1, 0, 0, true);
    stage.pan(5, 5);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(stage.camera).toEqual({ x: 5, y: 5, scale: stage.camera.scale });
    expect(stage.camera.scale).toBeCloseTo(2.8, 9);
    stage.destroy();
  });
});

describe('the first view', () => {
  const PHONE = 390;
  /** From where to where a box reaches on the screen. */
  const sides = ({ x, scale }: Camera, box: { x: number; width: number }): number[] => [
    box.x * scale + x,
    (box.x + box.width) * scale + x,
  ];
  const first = { x: 20, y: 0, width: 80, height: 30 };

  it.each([500, 560, 640, 690])('of a long graph, %d wide, has its whole width on a phone', (width) => {
    const box = { x: 0, y: 0, width, height: 4000 };
    const [left, right] = sides(firstView(box, first, PHONE, 700), box);
    expect(left).toBeGreaterThanOrEqual(4);
    expect(left).toBeLessThanOrEqual(28);
    expect(right).toBeCloseTo(PHONE - left, 6);
  });

  it('of a wide graph has its first box in sight, and no side empty', () => {
    const box = { x: 0, y: 0, width: 1500, height: 4000 };
    const camera = firstView(box, first, PHONE, 700);
    expect(sides(camera, box)[0]).toBeCloseTo(4, 6);
    expect(camera.scale).toBeGreaterThan(0.55);
  });

  it('of a wide graph has its first box in the middle where the graph goes on to both sides', () => {
    const box = { x: -700, y: 0, width: 1500, height: 4000 };
    const [left, right] = sides(firstView(box, first, PHONE, 700), first);
    expect((left + right) / 2).toBeCloseTo(PHONE / 2, 6);
  });
});

describe('the pointer', () => {
  function watched(): { node: HTMLElement; calls: unknown[][] } {
    const node = document.createElement('div');
    const calls: unknown[][] = [];
    const note =
      (name: string) =>
      (...given: unknown[]): void => {
        calls.push([name, ...given]);
      };
    watchPointer(node, {
      onPan: note('pan'),
      onZoom: note('zoom'),
      onHover: () => {},
      onLeave: () => {},
      onClick: note('click'),
      onDoubleClick: () => {},
      onWheelRefused: note('refused'),
      hasFocus: () => true,
    });
    return { node, calls };
  }

  it('says of a wheel that it goes in steps, of a pinch on a trackpad that it does not', () => {
    const { node, calls } = watched();
    node.dispatchEvent(new WheelEvent('wheel', { deltaY: -100, cancelable: true }));
    // A browser sends a pinch as a turn with the control key held; happy-dom's event drops that.
    const pinch = new WheelEvent('wheel', { deltaY: -4, cancelable: true });
    Object.defineProperty(pinch, 'ctrlKey', { value: true });
    node.dispatchEvent(pinch);
    node.dispatchEvent(new WheelEvent('wheel', { deltaY: -4, cancelable: true }));
    expect(calls.map(([name, , , , step]) => [name, step])).toEqual([
      ['zoom', true],
      ['zoom', false],
      ['pan', undefined],
    ]);
  });

  /** A press and its release, without the click that a browser makes of it. */
  const press = (node: HTMLElement, pointerType: string): void => {
    for (const type of ['pointerdown', 'pointerup']) {
      node.dispatchEvent(
        new PointerEvent(type, { pointerId: 1, clientX: 9, clientY: 8, button: 0, pointerType }),
      );
    }
  };
  const click = (node: HTMLElement, detail: number): void => {
    node.dispatchEvent(new MouseEvent('click', { clientX: 9, clientY: 8, detail }));
  };

  it.each(['touch', 'pen', 'mouse'])('of a %s clicks when the browser says so, and once', (pointerType) => {
    const { node, calls } = watched();
    press(node, pointerType);
    expect(calls).toEqual([]);
    click(node, 1);
    expect(calls).toEqual([['click', 9, 8, false, false]]);
  });

  it('says of a click whether it is the second of two', () => {
    const { node, calls } = watched();
    press(node, 'mouse');
    click(node, 2);
    expect(calls).toEqual([['click', 9, 8, false, true]]);
  });

  it('passes over the press of assistive technology on an item, which the item answers', () => {
    const { node, calls } = watched();
    click(node, 0);
    expect(calls).toEqual([]);
  });

  it('that was dragged clicks nothing', () => {
    const { node, calls } = watched();
    node.dispatchEvent(new PointerEvent('pointerdown', { pointerId: 1, clientX: 9, clientY: 8, button: 0 }));
    node.dispatchEvent(new PointerEvent('pointermove', { pointerId: 1, clientX: 29, clientY: 8 }));
    node.dispatchEvent(new PointerEvent('pointerup', { pointerId: 1, clientX: 29, clientY: 8, button: 0 }));
    click(node, 1);
    expect(calls).toEqual([['pan', 20, 0]]);
  });

  it('of two fingers zooms about their middle and pans with it; lifting one is no click', () => {
    const { node, calls } = watched();
    const send = (type: string, pointerId: number, clientX: number, clientY: number): void => {
      node.dispatchEvent(
        new PointerEvent(type, { pointerId, clientX, clientY, button: 0, pointerType: 'touch' }),
      );
    };
    send('pointerdown', 1, 100, 100);
    send('pointerdown', 2, 200, 100);
    send('pointermove', 2, 200, 100);
    calls.length = 0;
    send('pointermove', 2, 300, 100);
    expect(calls).toEqual([
      ['zoom', 2, 200, 100, false],
      ['pan', 50, 0],
    ]);
    calls.length = 0;
    send('pointerup', 2, 300, 100);
    send('pointermove', 1, 110, 100);
    send('pointerup', 1, 110, 100);
    expect(calls).toEqual([['pan', 10, 0]]);
  });
});
