// Runs Pyodide as a command-line Python under node: node pyodide.mjs FOLDER EXECUTABLE ARGUMENT...
// FOLDER has Pyodide, EXECUTABLE becomes sys.executable. Python sees the machine's own files.

import { readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, executable, ...args] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
// Emscripten has folders of these names itself.
const own = new Set(["dev", "lib", "proc"]);

function showFolders(FS) {
  for (const name of readdirSync("/")) {
    if (!own.has(name)) {
      FS.mkdirTree(`/${name}`);
      FS.mount(FS.filesystems.NODEFS, { root: `/${name}` }, `/${name}`);
    }
  }
}

let status = 1;
try {
  const env = { ...process.env, HOME: process.cwd() };
  const pyodide = await loadPyodide({ args, env, _sysExecutable: executable, fsInit: showFolders });
  pyodide.setStdout();
  pyodide.setStderr();
  pyodide.FS.chdir(process.cwd());
  const module = pyodide._module;
  status = module.jspiSupported ? await module.promisingRunMain() : module._run_main();
} catch (error) {
  if (error?.constructor?.name === "ExitStatus") {
    status = error.status; // of --version, --help and the like
  } else {
    console.error(error);
  }
}
process.exit(status);
