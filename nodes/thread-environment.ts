/**
 * Owns what of a node's environment its threads, and whatever they start, get to see: what programs need to
 * run, no secrets. Must not know: threads.
 */

/** Names that threads get: paths, language, of Node.js, what numerical libraries and cards look at. */
const passed = [
  /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TEMP|TMP|SystemRoot|windir|XDG_CACHE_HOME)$/,
  /^(LANG|LANGUAGE|LC_\w+|TZ)$/,
  /^(NODE_ENV|NODE_NO_WARNINGS|NODE_V8_COVERAGE|UV_THREADPOOL_SIZE|ASPERITAS_DEBUG)$/,
  /^(LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|(OMP|MKL|OPENBLAS|CUDA|NVIDIA|HIP|ROCR|TF)_\w+)$/,
];

/** The environment of threads; `more` names variables that tasks need besides. */
export function threadEnvironment(
  more: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const kept = Object.entries(env).filter(
    ([name]) => more.includes(name) || passed.some((names) => names.test(name)),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}
