// Links within the repository, and to headings, in every Markdown file. The packages are installed
// by `.ci/install`, in the folder that is given as the first argument.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(resolve(process.argv[2], 'package.json'));
const load = async (name) => import(pathToFileURL(require.resolve(name)));
const [{ engine }, { remark }, { default: gfm }, { default: links }] = await Promise.all(
  ['unified-engine', 'remark', 'remark-gfm', 'remark-validate-links'].map(load),
);
const files = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n');
const options = {
  processor: remark().use(gfm).use(links, { repository: false }),
  files,
  output: false,
  frail: true,
  quiet: true,
};
engine(options, (error, code) => {
  if (error) throw error;
  if (code === 0) console.log(`${files.length} files, no broken link`);
  process.exitCode = code;
});
