/** The way to what comes later: a chunk of its own where the plugins of JupyterLab are built, with what uses it elsewhere. */

export const loadDeferred = (): Promise<typeof import('./deferred')> => import('./deferred');
