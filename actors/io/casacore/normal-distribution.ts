/**
 * Owns the normal distribution: the probability below a value, and the value for a probability, both in full
 * double precision. Must not know: who needs them.
 */

/** Coefficients of the rational approximations, lowest power first: centre, near tail, far tail. */
const centre = {
  over: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
    67265.7709270087, 33430.57558358813, 2509.0809287301227,
  ],
  under: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852546,
  ],
};
const nearTail = {
  over: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  under: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
};
const farTail = {
  over: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
  ],
  under: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
    0.000018463183175100548, 1.421511758316446e-7, 2.0442631033899397e-15,
  ],
};

function ratio({ over, under }: { over: readonly number[]; under: readonly number[] }, x: number): number {
  const polynomial = (terms: readonly number[]) => terms.reduceRight((sum, term) => sum * x + term, 0);
  return polynomial(over) / polynomial(under);
}

/**
 * The value below which a fraction `p` (between 0 and 1) lies. Wichura, Applied Statistics 37 (1988), AS
 * 241.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(centre, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const value = r <= 5 ? ratio(nearTail, r - 1.6) : ratio(farTail, r - 5);
  return q < 0 ? -value : value;
}

/** The fraction that lies below `x`. */
export function normalProbability(x: number): number {
  return x < 0 ? upperTail(-x) : 1 - upperTail(x);
}

/**
 * The fraction above a positive `x`: by its Taylor series near zero, by Laplace's continued fraction
 * beyond.
 */
function upperTail(x: number): number {
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (x * x) / (2 * n + 1);
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = x;
  for (let n = 80; n > 0; n--) fraction = x + n / fraction;
  return density / fraction;
}
