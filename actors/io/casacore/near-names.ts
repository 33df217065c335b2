/**
 * Owns the finding of names that someone may have meant by a name that does not exist. Pure.
 * Must not know: what is named.
 */

/** Names offered at most, and names listed where none is near: an error stays one readable line. */
const mostOffered = 5;
const mostListed = 12;
/** Longer names are not compared letter by letter. */
const longestCompared = 64;

/** The least number of letters to insert, drop or replace to get from one name to the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

/** The names most like `wanted`, best first: the same but for case, mistyped, or containing one another. */
export function nearNames(wanted: string, names: readonly string[]): string[] {
  const asked = wanted.toUpperCase();
  if (asked === '' || asked.length > longestCompared) return [];
  const mistakes = Math.max(1, Math.floor(asked.length / 3));
  return names
    .filter((name) => name.length <= longestCompared)
    .map((name) => {
      const known = name.toUpperCase();
      const distance = editDistance(asked, known);
      const isPart = known.length > 2 && (known.includes(asked) || asked.includes(known));
      return { name, distance: distance > mistakes && isPart ? mistakes : distance };
    })
    .filter(({ distance }) => distance <= mistakes)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, mostOffered)
    .map(({ name }) => name);
}

/** The end of an error about `wanted`: `did you mean DATA?`, or what there is. */
export function namesInstead(wanted: string, names: readonly string[]): string {
  const near = nearNames(wanted, names);
  if (near.length > 0) return `did you mean ${near.join(' or ')}?`;
  if (names.length === 0) return 'there are none';
  const more = names.length - mostListed;
  return `there are ${names.slice(0, mostListed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
