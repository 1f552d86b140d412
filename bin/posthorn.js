#!/usr/bin/env node
// Plain JavaScript that every Node since 14 can parse: the check must run before anything that needs a newer one.
const needed = [22, 19];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `posthorn needs Node ${needed.join('.')} or newer, this is v${process.versions.node}: in a checkout run "npm start", which brings its own Node; elsewhere install Node 24.\n`,
  );
  process.exit(1);
}
// Names are looked up in libuv's threads, four unless told: as many names whose servers stay silent would hold up all
// other lookups. Read once, when the first thread is needed, so it has to stand here.
process.env.UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || '16';
void Promise.all([import('node:fs'), import('node:module')])
  .then(([{ existsSync }, { default: module }]) => {
    // Compiled code is kept between starts, which halves the time that `mcp` needs until it answers. The variable says so
    // to the writer's thread, which would not know otherwise.
    const { directory } = module.enableCompileCache();
    if (directory !== undefined) process.env.NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE || directory;
    const source = new URL('../src/main.ts', import.meta.url);
    return import(existsSync(source) ? source.href : new URL('../dist/src/main.js', import.meta.url).href);
  })
  .then(({ main }) => main(process.argv));
