/** No name is longer; comparing takes time that grows with the square of the length. */
const MAX_WORD_LENGTH = 64;

/**
 * The known word that is nearest to one that was mistyped.
 *
 * Nearest counts letters that are missing, too many, wrong, or swapped with their neighbour; capitals
 * count as small letters. A third of the word may be wrong, at least one letter and at most three, and
 * never all of it.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > MAX_WORD_LENGTH) return undefined;
  const most = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    // The distance is never less than the difference in length.
    if (Math.abs(candidate.length - word.length) > most) continue;
    const distance = distanceBetween(word.toLowerCase(), candidate.toLowerCase());
    if (distance > most || distance >= Math.min(word.length, candidate.length)) continue;
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  return best?.candidate;
}

export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const near = nearest(word, candidates);
  return near && `Did you mean "${near}"?`;
}

/** The Damerau-Levenshtein distance, where no letter takes part in two changes. */
function distanceBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const wrong = a[row - 1] === b[column - 1] ? 0 : 1;
      let least = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + wrong,
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] &&
        a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, beforeLast[column - 2]! + 1);
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
