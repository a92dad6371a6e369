/**
 * NODE_OPTIONS of a process that collects its garbage every five seconds. Otherwise its heap grows as long as it likes, and nobody can tell what is
 * still in use from what is not.
 */
export const regularGc = `--expose-gc --import=data:text/javascript,${encodeURIComponent('setInterval(gc, 5_000).unref();')}`;
