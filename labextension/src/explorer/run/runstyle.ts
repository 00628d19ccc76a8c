/** Styles of the run bar, the legend, the table of the heaviest and the values. */

export const RUN_STYLE = `
.runbar { display: flex; align-items: center; gap: 6px; padding: 4px 8px; background: var(--tl-surface);
  border-bottom: 1px solid var(--tl-border); font-size: 12px; z-index: 2; }
.runbar .button { font-size: 12px; height: 26px; white-space: nowrap; border-color: var(--tl-border); }
.choice, .runbar input, .slice input { font: inherit; font-size: 12px; height: 26px; padding: 0 6px; color: var(--tl-text);
  background: var(--tl-background); border: 1px solid var(--tl-border); border-radius: 6px; }
.runbar .fields { display: flex; gap: 6px; min-width: 0; flex: 0 1 auto; overflow-x: auto; }
.runbar input { width: 130px; flex: none; }
.runbar input::placeholder { color: var(--tl-faint); opacity: 1; }
.runbar .status { flex: 1 1 60px; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--tl-faint); }
.runbar .status.bad { color: var(--tl-error); font-weight: 600; }
.narrow .runbar { flex-wrap: wrap; }
.narrow .runbar .status { flex-basis: 100%; white-space: normal; }
.metric { position: absolute; right: 8px; top: 8px; z-index: 1; padding: 4px 6px; font-size: 12px; background: var(--tl-surface);
  border: 1px solid var(--tl-border); border-radius: 8px; width: 158px; }
.metric .choice { flex: 1 1 0; min-width: 0; }
.metric label { display: flex; align-items: center; gap: 6px; color: var(--tl-faint); }
.metric .steps { display: flex; margin-top: 5px; }
.metric .step { flex: 1 1 0; height: 10px; display: flex; align-items: flex-end; border: 1px solid var(--tl-faint); }
.metric .ends { display: flex; justify-content: space-between; color: var(--tl-faint); font-size: 11px; }
.metric .words { margin: 5px 0 0; padding: 0; list-style: none; }
.metric .words li { display: flex; gap: 6px; align-items: center; }
.metric .words i { flex: none; width: 12px; height: 12px; border-radius: 3px; border: 1px solid var(--tl-faint); }
.metric .jump { margin-top: 4px; }
.heavy { width: 100%; border-collapse: collapse; font-size: 12px; color: inherit; }
.heavy th, .heavy td { padding: 3px 6px 3px 0; text-align: left; border-bottom: 1px solid var(--tl-border); font-weight: 400; }
.heavy td:not(:first-child), .heavy th:not(:first-child) { text-align: right; white-space: nowrap; }
.heavy th button { font: inherit; padding: 0; color: var(--tl-faint); background: none; border: 0; cursor: pointer; }
.heavy th[aria-sort="ascending"] button::after { content: " ▲"; }
.heavy th[aria-sort="descending"] button::after { content: " ▼"; }
.heavy td button { font: inherit; padding: 0; text-align: left; color: var(--tl-accent); background: none; border: 0; cursor: pointer; }
.histogram { display: block; width: 100%; height: 64px; }
.histogram rect { fill: var(--tl-accent); }
.ends { display: flex; justify-content: space-between; color: var(--tl-faint); font-size: 11px; }
.slice { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 6px 0; font-size: 12px; }
.slice input { width: 62px; }
.heatmap { position: static; display: block; width: 100%; height: auto; image-rendering: pixelated; border: 1px solid var(--tl-border); }
`;
