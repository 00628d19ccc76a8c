// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Camera } from '../../src/explorer/canvas/camera';
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
