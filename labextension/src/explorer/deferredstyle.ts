/** Styles of what comes when the first picture is up: see `later.ts`. */

export const LATER_STYLE = `
.minimap-holder { position: absolute; right: 10px; bottom: 14px; padding: 3px; background: var(--tl-surface); border: 1px solid var(--tl-border);
  border-radius: 6px; opacity: 0.92; cursor: pointer; touch-action: none; z-index: 1; }
.minimap-holder canvas { position: static; }
.minimap-frame { position: absolute; margin: 3px; border: 1.5px solid var(--tl-accent); border-radius: 2px; pointer-events: none; }
.tip { position: absolute; z-index: 2; max-width: 420px; padding: 5px 9px; font-size: 12px; pointer-events: none;
  overflow-wrap: anywhere; background: var(--tl-surface); border: 1px solid var(--tl-border); border-radius: 6px;
  box-shadow: 0 4px 16px rgba(0, 0, 0, 0.18); }
.tip div:first-child { font-weight: 600; }
.menu { position: absolute; right: 0; top: 32px; display: flex; flex-direction: column; min-width: 230px; padding: 4px; z-index: 6;
  background: var(--tl-surface); border: 1px solid var(--tl-border); border-radius: 8px; box-shadow: 0 8px 24px rgba(0, 0, 0, 0.18); }
.menu button { font: inherit; text-align: left; padding: 4px 10px; color: var(--tl-text); background: none; border: 0;
  border-radius: 5px; cursor: pointer; }
.menu button:hover, .menu button:focus-visible { background: var(--tl-raised); }
.listing .line { display: flex; width: 100%; font: inherit; line-height: inherit; text-align: left; white-space: pre; color: inherit;
  background: none; border: 0; padding: 0; }
.listing button.line { cursor: pointer; }
.listing button.line:hover { background: var(--tl-raised); }
.listing .line.marked { background: var(--tl-mark); }
.listing .line > .number { flex: none; }
.tally { margin-left: auto; padding: 0 10px; font-size: 11px; color: var(--tl-faint); }
.panel h3.file { text-transform: none; letter-spacing: 0; }
.wide { overflow-x: auto; margin-top: 8px; }
.wide table { border-collapse: collapse; font-size: 12px; }
.wide th, .wide td { padding: 3px 8px; text-align: left; vertical-align: top; border: 1px solid var(--tl-border); font-weight: 400; }
.wide td { min-width: 130px; }
.wide thead td { min-width: 0; }
.wide thead th { white-space: nowrap; }
.wide tbody th { color: var(--tl-faint); white-space: nowrap; }
.differs th, .differs td { background: var(--tl-mark); }
.differs th { color: var(--tl-text); font-weight: 600; }
.help { position: absolute; inset: 0; display: flex; align-items: center; justify-content: center; padding: 12px;
  background: rgba(10, 15, 25, 0.35); z-index: 6; }
.card { max-width: 620px; max-height: 100%; overflow: auto; padding: 16px 20px; background: var(--tl-surface);
  border: 1px solid var(--tl-border); border-radius: 10px; box-shadow: 0 12px 40px rgba(0, 0, 0, 0.25); }
.card h2 { margin: 0 0 8px; font-size: 15px; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 4px 28px; }
.columns > div { display: flex; gap: 10px; align-items: center; min-height: 24px; }
kbd { font: inherit; font-size: 12px; padding: 0 6px; border: 1px solid var(--tl-border); border-bottom-width: 2px; border-radius: 5px;
  background: var(--tl-background); white-space: nowrap; }
.swatch { flex: none; width: 22px; height: 14px; border-radius: 4px; border: 1px solid var(--tl-border); }
.differences { list-style: none; margin: 6px 0 0; padding: 0; font-size: 12px; }
.differences button { display: grid; grid-template-columns: 1.4em 1fr; width: 100%; padding: 3px 4px; font: inherit; text-align: left;
  color: inherit; background: none; border: 0; border-radius: 5px; cursor: pointer; }
.differences button:hover, .differences [aria-current="true"] { background: var(--tl-raised); }
.differences b { font-size: 14px; line-height: 1.3; }
.differences small { grid-column: 2; font-size: inherit; color: var(--tl-faint); }
.sides { position: absolute; inset: 0; display: flex; gap: 1px; background: var(--tl-border); z-index: 4; }
.side { position: relative; flex: 1 1 0; min-width: 0; background: var(--tl-background); }
.side .fill { position: absolute; inset: 0; }
.sides .label { position: absolute; left: 8px; bottom: 8px; padding: 1px 9px; font-size: 12px; pointer-events: none; z-index: 3;
  background: var(--tl-surface); border: 1px solid var(--tl-border); border-radius: 9px; }
`;
