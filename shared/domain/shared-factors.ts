/**
 * Factors that RSA keys share (Heninger and others, "Mining your Ps and Qs", 2012): whoever finds one opens both keys.
 * All moduli are positive.
 */

/** Of some moduli: their product, and the sum of the products that each lacks in turn (the product's derivative). */
type Node = { product: bigint; lacking: bigint }

/**
 * Gives the indexes, ascending, of all moduli that share a factor with another in the list or with one of `known`;
 * copies share everything.
 *
 * With P the product of all, gcd(n, P / n) says it for one modulus n. The sum of P / n over all n is P / n modulo n,
 * because n divides every other term: so one sum, built up a product tree, is carried down it as remainders modulo n
 * (Bernstein, "How to find smooth parts of integers", 2004, with the derivative in place of squares, at half the size).
 */
export function auditSharedFactors(moduli: readonly bigint[], known: readonly bigint[] = []): number[] {
  const levels = tree(moduli.map((n) => ({ product: n, lacking: 1n })))
  const [whole] = levels.pop() ?? []
  if (!whole) return []
  let remainders = [(whole.lacking * (product(known) % whole.product)) % whole.product]
  for (const level of levels.reverse()) {
    remainders = level.map((node, at) => (remainders[at >> 1] ?? 0n) % node.product)
  }
  return moduli.flatMap((n, at) => (gcd(n, remainders[at] ?? 0n) === 1n ? [] : [at]))
}

/** Level 0 holds the leaves, each further one the joins of neighbours, the last one their whole. */
function tree(leaves: readonly Node[]): Node[][] {
  let level = [...leaves]
  const levels = [level]
  while (level.length > 1) {
    const below = level
    level = below.filter((_, at) => at % 2 === 0).map((left, at) => joined(left, below[2 * at + 1]))
    levels.push(level)
  }
  return levels
}

const joined = (left: Node, right: Node | undefined): Node =>
  right
    ? {
        product: left.product * right.product,
        lacking: left.lacking * right.product + left.product * right.lacking,
      }
    : left

/** The product of many numbers, by halves: numbers of one size multiply fastest. */
export function product(values: readonly bigint[]): bigint {
  if (values.length <= 1) return values[0] ?? 1n
  const half = values.length >> 1
  return product(values.slice(0, half)) * product(values.slice(half))
}

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b]
  return a
}
