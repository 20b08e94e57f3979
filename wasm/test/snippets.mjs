// The programs in the documentation: the blocks of JavaScript and TypeScript in every Markdown file and documentation comment.
//
// A block is a program of its own, which compiles and runs offline. Words after its language say otherwise:
// `continued`: it goes on with the block before it; `page`: it runs in a page; `no_run`: it is only compiled.
// `snippets/reader.mjs` has the names that are the reader's own.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wasm } from './packed.mjs';

const WORDS = ['continued', 'page', 'no_run'];
/** The languages of other blocks. `rust` is tested by cargo, and `jsx` and `html` by the pages of `test/hosts`. */
const OTHERS = ['diff', 'dockerfile', 'html', 'ini', 'json', 'jsx', 'rust', 'sh', 'text', 'toml'];
const root = join(wasm, '..');
const tracked = (...patterns) => execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], { cwd: root, encoding: 'utf8' }).trim().split('\n');

/** The blocks of a page, also those within lists: `{ line, language, words, text }`. */
function blocks(page, file) {
  return [...page.matchAll(/^( *)```(\w+)([^\n]*)\n([^]*?)^\1```$/gm)].map((found) => ({
    line: page.slice(0, found.index).split('\n').length,
    language: found[2],
    words: found[3].split(/[\s,]+/).filter(Boolean),
    text: found[4].replaceAll(new RegExp(`^${found[1]}`, 'gm'), ''),
  })).filter(({ language, line }) => {
    const isProgram = language === 'js' || language === 'ts';
    if (!isProgram && !OTHERS.includes(language)) throw new Error(`${file}:${line}: is ${language} a program? If it is not, add it to OTHERS`);
    return isProgram;
  });
}

/** The documentation comments of a source, as one page with the same lines. */
const comments = (source) => source.split('\n').map((line) => /^\s*\* ?(.*)/.exec(line)?.[1] ?? '').join('\n');

/**
 * All programs: `{ name, language, words, text }`, where the name is `FILE:LINE`. `exported` has the names that each entry
 * exports: a block of a documentation comment need not import them.
 */
export function programs(exported) {
  const all = [];
  for (const file of tracked('*.md', 'wasm/ts/*.ts')) {
    const source = readFileSync(join(root, file), 'utf8');
    const isComment = file.endsWith('.ts');
    for (const { line, language, words, text } of blocks(isComment ? comments(source) : source, file)) {
      const unknown = words.filter((word) => !WORDS.includes(word));
      if (unknown.length > 0) throw new Error(`${file}:${line}: ${unknown}: a word is one of ${WORDS}`);
      if (words.includes('continued')) {
        all.at(-1).text += text;
      } else {
        const program = isComment ? imports(text, exported) + text : text;
        all.push({ name: `${file}:${line}`, language, words, text: program });
      }
    }
  }
  return all;
}

/** Imports for the names that a program uses and neither imports nor declares. */
function imports(text, exported) {
  const lines = [];
  const taken = new Set();
  for (const [entry, names] of Object.entries(exported)) {
    const used = names.filter((name) => !taken.has(name) && new RegExp(`\\b${name}\\b`).test(text)
      && !new RegExp(`(import [^;]*|const |class )\\b${name}\\b`).test(text));
    for (const name of used) taken.add(name);
    if (used.length > 0) lines.push(`import { ${used.join(', ')} } from '${entry}';\n`);
  }
  return lines.join('');
}
