/**
 * Whether code is what its language's grammar says: for languages whose compilers are not on the machines that run these
 * tests. It finds a quote that ends too soon or a bracket too few, and knows nothing of types.
 */

import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const folder = path.join(path.dirname(require.resolve("@vscode/tree-sitter-wasm/package.json")), "wasm");
const { Parser, Language } = require(path.join(folder, "tree-sitter.js"));

let ready = null;

/**
 * The parts of the code that fit nowhere, as text; none if all is well.
 *
 * @param {"c-sharp" | "powershell" | "go"} name the grammar's
 */
export async function misfits(name, code) {
  const found = [];
  const walk = (node) => {
    if (node.isError || node.isMissing) found.push(`line ${node.startPosition.row + 1}: ${node.text || `${node.type} is missing`}`);
    for (const child of node.children) walk(child);
  };
  walk(await parse(name, code));
  return found;
}

/** The parts of that kind, in order, as they stand in the code. */
export async function partsOf(name, code, kind) {
  return (await parse(name, code)).descendantsOfType(kind).map((node) => node.text);
}

async function parse(name, code) {
  ready ??= Parser.init({ locateFile: (file) => path.join(folder, file) });
  await ready;
  const parser = new Parser();
  parser.setLanguage(await Language.load(path.join(folder, `tree-sitter-${name}.wasm`)));
  return parser.parse(code).rootNode;
}
