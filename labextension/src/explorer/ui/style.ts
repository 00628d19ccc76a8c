/** Styles of the panels; they live in a shadow root, so the page's and ours leave each other alone. */

export const STYLE = `
:host { display: block; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
span, code, strong, button, li, dt, dd, th, td { unicode-bidi: isolate; }
.root { position: relative; display: flex; flex-direction: column; height: 100%; overflow: hidden;
  font: 13px/1.45 var(--tl-font); color: var(--tl-text); background: var(--tl-background);
  border: 1px solid var(--tl-border); border-radius: 8px; }
.root.filling { border: 0; border-radius: 0; }
.bar { display: flex; align-items: center; gap: 4px; padding: 5px 8px; min-height: 40px;
  background: var(--tl-surface); border-bottom: 1px solid var(--tl-border); z-index: 3; }
.title { font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-width: 3em; }
.sub { color: var(--tl-faint); font-weight: 400; margin-left: 8px; font-size: 12px; }
.space { flex: 1 1 0; }
.button { flex: none; font: inherit; font-size: 14px; line-height: 1; min-width: 28px; height: 28px; padding: 0 7px; cursor: pointer;
  color: var(--tl-text); background: transparent; border: 1px solid transparent; border-radius: 6px; }
.button:hover { background: var(--tl-raised); border-color: var(--tl-border); }
.button:disabled { opacity: 0.4; cursor: default; }
.button.warn { flex: none; white-space: nowrap; margin-left: 8px; color: var(--tl-warning-ink); background: var(--tl-warning); font-size: 12px; font-weight: 600; }
.button svg { display: block; }
:focus { outline: none; }
:focus-visible { outline: 2px solid var(--tl-accent); outline-offset: 1px; }
.find { position: relative; flex: 0 1 220px; min-width: 90px; }
.find input { font: inherit; width: 100%; height: 28px; padding: 0 8px; color: var(--tl-text);
  background: var(--tl-background); border: 1px solid var(--tl-border); border-radius: 6px; }
.find input::placeholder { color: var(--tl-faint); opacity: 1; }
.find .count { position: absolute; right: 8px; top: 5px; color: var(--tl-faint); font-size: 12px;
  background: var(--tl-background); pointer-events: none; }
.results { position: absolute; top: 32px; right: 0; width: max(100%, 300px); max-height: 260px; overflow: auto;
  margin: 0; padding: 4px; list-style: none; background: var(--tl-surface); border: 1px solid var(--tl-border);
  border-radius: 8px; box-shadow: 0 8px 24px rgba(0, 0, 0, 0.18); z-index: 5; }
.results li { display: flex; gap: 8px; padding: 4px 8px; border-radius: 5px; cursor: pointer; white-space: nowrap; }
.results li span:last-child { overflow: hidden; text-overflow: ellipsis; color: var(--tl-faint); font-size: 12px; line-height: 19px; }
.results li[aria-selected="true"], .results li:hover { background: var(--tl-raised); }
.results li.none { color: var(--tl-faint); cursor: default; }
.body { position: relative; display: flex; flex: 1 1 0; min-height: 0; }
.stage { position: relative; flex: 1 1 0; min-width: 0; overflow: hidden; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.tree { position: absolute; inset: 0; overflow: hidden; touch-action: none; cursor: grab; user-select: none; }
.tree:focus-visible { outline: 2px solid var(--tl-accent); outline-offset: -2px; }
.tree.over { cursor: pointer; }
.tree.drag { cursor: grabbing; }
.items { position: absolute; left: 0; top: 0; width: 0; height: 0; transform-origin: 0 0; pointer-events: none; }
.item { position: absolute; }
.ports { position: absolute; left: 100%; top: 0; }
.port { width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.port.current { position: absolute; left: 8px; top: 0; width: auto; max-width: 480px; height: auto; clip-path: none; padding: 2px 8px;
  text-overflow: ellipsis; font-size: 12px; color: var(--tl-text); background: var(--tl-surface); border: 2px solid var(--tl-accent);
  border-radius: 6px; z-index: 1; }
.hint { position: absolute; left: 50%; bottom: 12px; transform: translateX(-50%); padding: 4px 10px; font-size: 12px;
  color: var(--tl-faint); background: var(--tl-surface); border: 1px solid var(--tl-border); border-radius: 12px;
  pointer-events: none; opacity: 0; transition: opacity 0.15s; white-space: nowrap; }
.hint.shown { opacity: 1; }
.panel { width: 340px; max-width: 85%; flex: none; overflow: auto; padding: 10px 14px 20px; background: var(--tl-surface);
  border-left: 1px solid var(--tl-border); overflow-wrap: anywhere; }
.narrow .bar { flex-wrap: wrap; }
.narrow .space { flex-basis: 100%; height: 0; margin: -2px; }
.narrow .find { flex: 1 1 90px; }
.narrow .title { max-width: 70%; }
.narrow .panel { position: absolute; right: 0; top: 0; bottom: 0; box-shadow: -8px 0 24px rgba(0, 0, 0, 0.15); z-index: 2; }
.panel h2 { margin: 0 28px 8px 0; font-size: 16px; font-weight: 600; line-height: 1.3; }
.panel h3 { margin: 16px 0 5px; font-size: 11px; font-weight: 600; letter-spacing: 0.05em; text-transform: uppercase;
  color: var(--tl-faint); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.tabs { display: flex; gap: 2px; margin: 0 28px 8px 0; border-bottom: 1px solid var(--tl-border); }
.tab { font: inherit; font-size: 12px; padding: 3px 9px; color: var(--tl-faint); background: none; border: 0; cursor: pointer;
  border-bottom: 2px solid transparent; }
.tab[aria-selected="true"] { color: var(--tl-text); font-weight: 600; border-color: var(--tl-accent); }
.crumbs { position: absolute; left: 8px; top: 8px; max-width: calc(100% - 16px); pointer-events: none; }
.crumbs ol { display: flex; flex-wrap: wrap; margin: 0; padding: 0; list-style: none; }
.crumbs li { display: flex; align-items: center; }
.crumbs li + li::before { content: "›"; color: var(--tl-faint); padding: 0 2px; }
.crumbs button { font: inherit; font-size: 12px; padding: 1px 6px; color: var(--tl-text); cursor: pointer; pointer-events: auto;
  background: var(--tl-surface); border: 1px solid var(--tl-border); border-radius: 9px; }
.crumbs button:hover { background: var(--tl-raised); }
.crumbs [aria-current] { font-weight: 600; border-color: var(--tl-accent); }
.lit { display: flex; align-items: center; gap: 8px; position: absolute; left: 8px; bottom: 10px; max-width: calc(100% - 16px); padding: 3px 10px; font-size: 12px;
  background: var(--tl-surface); border: 1px solid var(--tl-border); border-radius: 12px; }
.lit .jump { flex: none; margin: 0 -4px 0 0; }
.toast { position: absolute; left: 50%; bottom: 14px; transform: translateX(-50%); padding: 4px 12px; font-size: 12px;
  color: var(--tl-background); background: var(--tl-text); border-radius: 12px; pointer-events: none; opacity: 0;
  transition: opacity 0.15s; z-index: 7; }
.toast.shown { opacity: 1; }
.holder { position: relative; display: flex; flex: none; }
.actions { margin: 0 0 8px; }
.stack summary { margin-top: 12px; cursor: pointer; color: var(--tl-faint); font-weight: 600; font-size: 12px; }
.button[aria-disabled="true"] { opacity: 0.4; cursor: default; }
.panel .close { position: sticky; top: 0; float: right; margin: -2px -6px 0 0; background: var(--tl-surface); }
.facts { display: grid; grid-template-columns: minmax(60px, max-content) 1fr; gap: 2px 12px; margin: 0; }
.facts dt { color: var(--tl-faint); }
.facts dd { margin: 0; }
.mono, code, .code { font-family: var(--jp-code-font-family, ui-monospace, SFMono-Regular, Menlo, Consolas, monospace); }
.mono, code { font-size: 12px; }
.code { margin: 6px 0 0; padding: 7px 0; font-size: 12px; line-height: 1.55; overflow-x: auto; white-space: pre;
  overflow-wrap: normal; background: var(--tl-background); border: 1px solid var(--tl-border); border-radius: 6px; }
.schema { padding: 7px 10px; white-space: pre-wrap; overflow-wrap: anywhere; }
.line { display: block; min-width: max-content; padding-right: 10px; min-height: 1.55em; }
.line.marked { background: var(--tl-mark); }
.number { display: inline-block; width: 3.2em; padding-right: 1em; text-align: right; color: var(--tl-faint); user-select: none; }
.span { text-decoration: underline; text-decoration-color: var(--tl-accent); text-decoration-thickness: 2px;
  text-underline-offset: 3px; }
.source { margin: 0 0 8px; }
figcaption { font-size: 12px; color: var(--tl-faint); }
.values, .warnings { margin: 0; padding: 0; list-style: none; }
.value { padding: 4px 0 4px 10px; border-left: 3px solid var(--tl-border); margin-bottom: 5px; }
.value.in { border-color: var(--tl-incoming); }
.value.out { border-color: var(--tl-outgoing); }
.value code { font-weight: 600; margin-right: 8px; }
.type { font-size: 12px; color: var(--tl-faint); }
.faint { color: var(--tl-faint); font-size: 12px; }
.links { margin-top: 1px; }
.jump { font: inherit; font-size: 12px; padding: 1px 7px; margin: 1px 4px 1px 0; color: var(--tl-accent); cursor: pointer;
  background: transparent; border: 1px solid var(--tl-border); border-radius: 10px; max-width: 100%; overflow: hidden;
  text-overflow: ellipsis; vertical-align: middle; }
.jump:hover { background: var(--tl-raised); }
.warning { padding: 6px 10px; margin-bottom: 6px; border: 1px solid var(--tl-border); border-left: 4px solid var(--tl-warning);
  border-radius: 6px; }
.failed { margin: 0 0 8px; color: var(--tl-error); font-weight: 600; }
.message { margin: auto; padding: 14px 24px; max-width: 46em; text-align: center; color: var(--tl-text); }
.note { position: absolute; inset: auto 0 50% 0; margin: 0; text-align: center; color: var(--tl-faint); pointer-events: none; }
.grip { position: absolute; left: 0; right: 0; bottom: 0; height: 7px; cursor: ns-resize; z-index: 4; touch-action: none; }
.grip:hover, .grip:focus-visible { background: linear-gradient(transparent 40%, var(--tl-accent)); outline: none; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
.changes { width: 100%; color: inherit; border-collapse: collapse; font-size: 12px; }
.changes th, .changes td { padding: 2px 8px 2px 0; text-align: left; vertical-align: top; font-weight: 400; }
.changes th { color: var(--tl-faint); }
`;
