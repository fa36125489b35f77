// Reads a JSON list of fragments of the explorer's address from standard input, and writes what the
// page says of each: its snippets by framework, its sum, its output.  `node said.mjs FOLDER`.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const page = readFileSync(`${folder}/index.html`, "utf8");
const scripts = [...page.matchAll(/<script defer src="([^"]+)"/g)].map(([, name]) => name);
for (const name of scripts.slice(0, scripts.indexOf("dom.js")))
  await import(pathToFileURL(`${folder}/${name}`));

const { configuration, explanation, snippets } = globalThis;
const said = JSON.parse(readFileSync(0, "utf8")).map((fragment) => {
  const chosen = configuration.fromFragment(fragment);
  const written = Object.entries(snippets.writers).map(([name, write]) => [name, write(chosen)]);
  const { shape, data } = configuration.outputOf(chosen);
  return {
    snippets: Object.fromEntries(written),
    sum: explanation.sumText(chosen, chosen.at),
    output: { shape, data: [...data] },
    matrix: explanation.matrixOf(chosen),
    fragment: configuration.fragmentOf(chosen),
  };
});
process.stdout.write(JSON.stringify(said));
